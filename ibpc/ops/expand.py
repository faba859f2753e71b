"""Expand: a value repeated along axes of extent 1, up to a given shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import known, operand, varies
from ibpc.ops.broadcasting import gathered, joined
from ibpc.ops.rearranging import keep_whole_batch, taken
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """What the operand and the given shape broadcast to."""
    found, wanted = operand(site, 0), known(site, 1)
    if wanted is None:
        raise ShapeMistake("Expand lacks its shape")
    out = joined(found, tuple(int(extent) for extent in wanted), "Expand")
    if varies(site, 0) and len(out) != len(found):
        raise Unsupported(
            f"Expand from {found} to {out} puts an axis before the batch axis (axis 0); "
            "keep axis 0 as it is"
        )
    return (keep_whole_batch(site, out, "repeats"),)


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The entries, repeated."""
    if not varies(site, 0):
        return x.expand(site.out_shapes[0])
    return x.expand(-1, *site.out_shapes[0][1:])


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """Both ends repeated: exact."""
    return x.shaped(lambda v: forward(site, v))


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The rows, summed where the operand is repeated."""
    return gathered(site, 0, rows), None


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The units, repeated."""
    import numpy as np

    return taken(site, x, lambda units: np.broadcast_to(units, site.out_shapes[0]))


OPERATOR = Operator(
    op="Expand",
    versions=(8, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 3, 1), [1, 3, 4])),
        Example(((1, 1, 2, 1), [2, 1, 3])),
    ),
    source="ONNX operator specification, Expand-13",
    affine=True,
)
