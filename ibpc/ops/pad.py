"""Pad: cells put around a value (or cut away), and the language's `pad` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import counted, known, operand
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Each extent grows by its two pads (negative ones cut)."""
    found, pads, mode = operand(site, 0), _pads(site), site.attribute("mode", "constant")
    if site.varies(0) and pads[0] != (0, 0):
        raise Unsupported("Pad along axis 0 adds examples to a batch; pad other axes only")
    if mode not in ("constant", "reflect", "edge"):
        raise Unsupported(f"Pad in mode {mode} is not supported; use constant, reflect or edge")
    if mode != "constant" and min(map(min, pads), default=0) < 0:
        raise Unsupported(f"Pad in mode {mode} cannot cut cells; use Slice for that")
    out = tuple(extent + sum(pad) for extent, pad in zip(found, pads, strict=True))
    if any(extent < 1 for extent in out):
        raise ShapeMistake(f"Pad of shape {found} by {pads} leaves nothing")
    return (out,)


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The value with its margin."""
    return _padded(site, x, _value(site))


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """Both ends with the same margin: exact."""
    from ibpc.domains import Interval

    value = _value(site)
    if x.centred:
        center, radius = _padded(site, x.center, value), _padded(site, x.radius, 0.0)
        return Interval.from_center(center, radius, x.roundoff)
    lower, upper = _padded(site, x.lower, value), _padded(site, x.upper, value)
    return Interval.from_bounds(lower, upper, x.roundoff)


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The same units; in constant mode the margin is a number."""
    import numpy as np
    from scipy.sparse import csr_array

    mode = site.attribute("mode", "constant")
    units = np.arange(len(x.bias)).reshape(x.shape)
    outer = [(max(begin, 0), max(end, 0)) for begin, end in _pads(site)]
    if mode != "constant":
        found = np.pad(units, outer, mode="edge" if mode == "edge" else "reflect")
        return x.take(found, site.out_shapes[0])
    # Where a pad is negative, np.pad adds nothing and the slice cuts.
    found = np.pad(units, outer, constant_values=-1)
    cut = [
        slice(-min(begin, 0), extent + min(end, 0))
        for (begin, end), extent in zip(_pads(site), found.shape, strict=True)
    ]
    found = found[tuple(cut)].reshape(-1)
    inside = found >= 0
    place = (np.flatnonzero(inside), found[inside])
    matrix = csr_array((np.ones(len(place[0])), place), shape=(len(found), len(x.bias)))
    return x.affine(matrix, np.where(inside, 0.0, _value(site)), site.out_shapes[0])


def _padded(site: Site, v: Any, value: float) -> Any:
    """The value with its margin, as `torch.nn.functional.pad` counts axes: last one first."""
    import torch

    pads, mode = _pads(site), site.attribute("mode", "constant")
    while len(pads) > 1 and pads[0] == (0, 0) and (mode == "constant" or len(pads) > _rank(site)):
        pads = pads[1:]
    flat = [cells for pair in reversed(pads) for cells in pair]
    if mode == "constant":
        return torch.nn.functional.pad(v, flat, value=value)
    return torch.nn.functional.pad(v, flat, mode="reflect" if mode == "reflect" else "replicate")


def _rank(site: Site) -> int:
    """How many axes PyTorch's reflect and replicate pads take for a value of this rank."""
    return len(operand(site, 0)) - 2


def _pads(site: Site) -> tuple[tuple[int, int], ...]:
    """(begin, end) of every axis, from the attribute (opset 2) or the operands (opset 11)."""
    rank = len(operand(site, 0))
    given = site.attribute("pads")
    flat = tuple(int(cells) for cells in (given if given is not None else known(site, 1) or ()))
    axes = known(site, 3) or range(rank)
    named = [counted(int(axis), rank, "Pad") for axis in axes]
    if len(flat) != 2 * len(named):
        raise ShapeMistake(f"Pad has {len(flat)} pads for {len(named)} axes")
    found = [(0, 0)] * rank
    for place, axis in enumerate(named):
        found[axis] = (flat[place], flat[place + len(named)])
    return tuple(found)


def _value(site: Site) -> float:
    """What the margin holds."""
    given = known(site, 2)
    return float(given[0] if given else site.attribute("value", 0.0))


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`pad size = 2`: on all sides of the two last axes (of a vector: at both ends)."""
    if not in_shape:
        raise LayerMistake("pad needs an axis, its input is a single number")
    sides = [0] * (len(in_shape) + 1)
    for axis in {len(sides) - 1, max(len(sides) - 2, 1)}:
        sides[axis] = arguments["size"]
    pads = Weight("pads", (2 * len(sides),), "values", (*sides, *sides), "int64")
    return (Template("Pad", {}, (pads, Weight("value", (), "values", (arguments["value"],)))),)


OPERATOR = Operator(
    op="Pad",
    versions=(2, 11, 13, 18, 19, 21, 23, 24, 25),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 2, 3, 3), [0, 0, 1, 0, 0, 0, 2, 1], 0.5)),
        Example(((1, 2, 3), [0, 1, -1, 0, 0, 2])),
        Example(((1, 2, 3),), {"pads": (0, 1, 0, 0, 0, 2), "value": -1.0}),
        Example(((1, 1, 3, 4), [0, 0, 1, 2, 0, 0, 0, 1]), {"mode": "reflect"}),
        Example(((1, 1, 3, 4), [0, 0, 1, 2, 0, 0, 0, 1]), {"mode": "edge"}),
        Example(((1, 2, 3), [1, 2], 0.25, [-1])),
    ),
    source="ONNX operator specification, Pad-18",
    affine=True,
    layers=(
        Layer(
            "pad",
            (
                Slot("size", "int", low=0, doc="cells on every side of the two last axes"),
                Slot("value", "real", default=0.0, doc="what they hold"),
            ),
            build,
            "a margin of constant cells",
        ),
    ),
)
