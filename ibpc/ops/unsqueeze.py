"""Unsqueeze: axes of extent 1 put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.ops import reshaping
from ibpc.ops.axes import counted, keep_batch, known, operand, varies
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """The operand's, with extent 1 in the named places of the result."""
    found, named = operand(site, 0), known(site, 1)
    if named is None:
        raise ShapeMistake("Unsqueeze lacks its axes")
    rank = len(found) + len(named)
    new = {counted(int(axis), rank, "Unsqueeze") for axis in named}
    if len(new) != len(named):
        raise ShapeMistake("Unsqueeze names an axis twice")
    if varies(site, 0) and 0 in new:
        raise Unsupported("Unsqueeze puts an axis before the batch axis (axis 0); use a later one")
    old = iter(found)
    return (keep_batch(site, tuple(1 if axis in new else next(old) for axis in range(rank))),)


OPERATOR = Operator(
    op="Unsqueeze",
    versions=(13, 21),
    shape=shape,
    forward=reshaping.forward,
    interval=reshaping.interval,
    milp=reshaping.milp,
    transpose=reshaping.transpose,
    examples=(
        Example(((1, 3), [1])),
        Example(((1, 2, 3), [-1, 2])),
    ),
    source="ONNX operator specification, Unsqueeze-13",
    affine=True,
)
