"""Squeeze: axes of extent 1 taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.ops import reshaping
from ibpc.ops.axes import counted, known, operand, varies
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """The operand's without the named axes; without all of extent 1 where none is named."""
    found, named = operand(site, 0), known(site, 1)
    if named is None:
        gone = {axis for axis, extent in enumerate(found) if extent == 1}
    else:
        gone = {counted(int(axis), len(found), "Squeeze") for axis in named}
    if any(found[axis] != 1 for axis in gone):
        raise ShapeMistake(f"Squeeze takes axes {sorted(gone)} out of shape {found}")
    if varies(site, 0) and 0 in gone:
        raise Unsupported("Squeeze takes out the batch axis (axis 0); keep axis 0 as it is")
    return (tuple(extent for axis, extent in enumerate(found) if axis not in gone),)


OPERATOR = Operator(
    op="Squeeze",
    versions=(13, 21),
    shape=shape,
    forward=reshaping.forward,
    interval=reshaping.interval,
    milp=reshaping.milp,
    transpose=reshaping.transpose,
    examples=(
        Example(((1, 1, 3, 1), [1, -1])),
        Example(((1, 2, 1), [2])),
    ),
    source="ONNX operator specification, Squeeze-13",
    affine=True,
)
