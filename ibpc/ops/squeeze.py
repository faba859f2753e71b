"""Squeeze: axes of extent 1 taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import counted, known, operand, varies
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
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


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The same numbers in row-major order."""
    if not varies(site, 0):
        return x.reshape(site.out_shapes[0])
    return x.reshape(-1, *site.out_shapes[0][1:])


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """The same re-arrangement of both ends: exact."""
    return x.shaped(lambda v: forward(site, v))


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows under the operand's shape."""
    found = rows.reshape(*rows.shape[:2], *operand(site, 0)[1:])
    return (found, *(None for _ in site.shapes[1:]))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The same form under another shape."""
    return replace(x, shape=site.out_shapes[0])


OPERATOR = Operator(
    op="Squeeze",
    versions=(13, 21),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 1, 3, 1), [1, -1])),
        Example(((1, 2, 1), [2])),
    ),
    source="ONNX operator specification, Squeeze-13",
    affine=True,
)
