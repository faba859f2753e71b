"""Resize: each entry repeated a whole number of times along each spatial axis (nearest)."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import known, operand, varies
from ibpc.ops.rearranging import keep_whole_batch, taken
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Extents times scales, or the sizes that are asked for."""
    found = operand(site, 0)
    out = keep_whole_batch(site, _sizes(site), "resizes")
    if len(out) != len(found) or any(new % old for new, old in zip(out, found, strict=True)):
        raise Unsupported(
            f"Resize from {found} to {out} is not by whole numbers; ibpc repeats entries only"
        )
    _check(site, out)
    return (out,)


def _sizes(site: Site) -> Shape:
    """The result's shape, from the operand `sizes`, or from `scales`."""
    found, scales, sizes = operand(site, 0), known(site, 2), known(site, 3)
    if site.attribute("axes") or site.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Unsupported("Resize with axes or an aspect ratio is not supported; give all sizes")
    if sizes:
        return tuple(int(size) for size in sizes)
    if not scales or len(scales) != len(found):
        raise ShapeMistake("Resize lacks its scales and its sizes")
    return tuple(floor(extent * scale) for extent, scale in zip(found, scales, strict=True))


def _check(site: Site, out: Shape) -> None:
    """The nearest entry of each output position is the one that repetition gives."""
    if site.attribute("mode", "nearest") != "nearest":
        raise Unsupported(
            f"Resize in mode {site.attribute('mode')} is not supported; use nearest, or "
            "ConvTranspose"
        )
    where = site.attribute("coordinate_transformation_mode", "half_pixel")
    side = site.attribute("nearest_mode", "round_prefer_floor")
    kept = {
        "asymmetric": ("floor",),
        "half_pixel": ("round_prefer_floor", "round_prefer_ceil"),
        "half_pixel_symmetric": ("round_prefer_floor", "round_prefer_ceil"),
        "pytorch_half_pixel": ("round_prefer_floor", "round_prefer_ceil"),
    }
    if side not in kept.get(where, ()) and out != operand(site, 0):
        raise Unsupported(
            f"Resize with {where} coordinates and {side} does not repeat entries evenly; "
            "use asymmetric coordinates and floor"
        )


def _repeated(site: Site, x: Any) -> Any:
    """Every entry repeated along each axis: axes of extent 1 put in, stretched, and joined."""
    found, out = operand(site, 0), site.out_shapes[0]
    times = [new // old for new, old in zip(out, found, strict=True)]
    rest = [extent for pair in zip(found[1:], [1] * len(found[1:]), strict=True) for extent in pair]
    wide = [extent for pair in zip(found[1:], times[1:], strict=True) for extent in pair]
    batch = -1 if varies(site, 0) else found[0]
    return x.reshape(batch, *rest).expand(-1, *wide).reshape(batch, *out[1:])


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The entries, repeated."""
    return _repeated(site, x)


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """Both ends repeated: exact."""
    return x.shaped(lambda v: _repeated(site, v))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The units, repeated."""

    def repeated(units: Any) -> Any:
        for axis, (new, old) in enumerate(zip(site.out_shapes[0], units.shape, strict=True)):
            units = units.repeat(new // old, axis)
        return units

    return taken(site, x, repeated)


_FLOOR = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}

OPERATOR = Operator(
    op="Resize",
    versions=(11, 13, 18, 19),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 2, 2, 3), [], [1.0, 1.0, 2.0, 3.0]), _FLOOR),
        Example(((1, 1, 3, 2), [], [], [1, 1, 6, 4]), _FLOOR),
        Example(((1, 1, 2, 2), [], [1.0, 1.0, 2.0, 2.0])),
        Example(((1, 1, 2, 2), [], [1.0, 1.0, 3.0, 2.0]), {"nearest_mode": "round_prefer_ceil"}),
    ),
    source="ONNX operator specification, Resize-13",
    affine=True,
)
