"""Gather: entries picked along one axis by constant indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import counted, known, operand, varies
from ibpc.ops.rearranging import taken
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """The axis gives way to the axes of the indices; a single index removes it."""
    found, picked = operand(site, 0), operand(site, 1)
    axis, indices = _axis(site), known(site, 1) or ()
    if any(not -found[axis] <= index < found[axis] for index in indices):
        raise ShapeMistake(f"Gather picks beyond the {found[axis]} entries of axis {axis}")
    if varies(site, 0) and axis == 0:
        raise Unsupported("Gather picks along the batch axis (axis 0); use another axis")
    return ((*found[:axis], *picked, *found[axis + 1 :]),)


def _axis(site: Site) -> int:
    return counted(site.attribute("axis", 0), len(operand(site, 0)), "Gather")


def _pick(site: Site, x: Any, indices: Any) -> Any:
    """The indexed entries; a negative index counts from the end."""
    return x[(*(slice(None),) * _axis(site), indices)]


def forward(site: Site, x: Any, indices: Any) -> Any:
    """The indexed entries."""
    return _pick(site, x, indices.long())


def interval(site: Site, x: Interval, indices: Any) -> Interval:
    """The same entries of both ends: exact."""
    return x.shaped(lambda v: forward(site, v, indices))


def transpose(site: Site, rows: Any, _: Any, indices: Any) -> tuple[Any, ...]:
    """The rows added up at the entries that were picked."""
    found, axis = operand(site, 0), _axis(site)
    places = indices.long().reshape(-1) % found[axis]
    flat = rows.reshape(*rows.shape[:2], *found[1:axis], len(places), *found[axis + 1 :])
    empty = rows.new_zeros(*rows.shape[:2], *found[1:])
    return empty.index_add(axis + 1, places, flat), None


def milp(site: Site, x: LinearForm, indices: Any) -> LinearForm:
    """The indexed units."""
    return taken(site, x, lambda units: units.take(indices, _axis(site)))


OPERATOR = Operator(
    op="Gather",
    versions=(1, 11, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 6), [4, 1, 1]), {"axis": 1}),
        Example(((1, 3, 4), 2), {"axis": -1}),
        Example(((1, 3, 4), [[0, -1], [2, 1]]), {"axis": 1}),
    ),
    source="ONNX operator specification, Gather-13",
    affine=True,
)
