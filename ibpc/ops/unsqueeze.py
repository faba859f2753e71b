"""Unsqueeze: axes of extent 1 put in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import counted, keep_batch, known, operand, varies
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
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
    op="Unsqueeze",
    versions=(13, 21),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 3), [1])),
        Example(((1, 2, 3), [-1, 2])),
    ),
    source="ONNX operator specification, Unsqueeze-13",
    affine=True,
)
