"""Split: a value cut into parts along one axis."""

from __future__ import annotations

from itertools import accumulate, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import counted, known, operand, varies
from ibpc.ops.rearranging import taken
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """One shape for each part."""
    found, axis = operand(site, 0), _axis(site)
    if varies(site, 0) and axis == 0:
        raise Unsupported("Split cuts the batch axis (axis 0); use another axis")
    parts = _parts(site)
    if sum(parts) != found[axis] or min(parts) < 1:
        raise ShapeMistake(f"Split of {found[axis]} entries into parts of {parts}")
    return tuple((*found[:axis], part, *found[axis + 1 :]) for part in parts)


def _axis(site: Site) -> int:
    return counted(site.attribute("axis", 0), len(operand(site, 0)), "Split")


def _parts(site: Site) -> tuple[int, ...]:
    """The extents of the parts: the operand `split`, or `num_outputs` parts of equal extent.

    Where they cannot be equal, the last is smaller (Split-18).
    """
    given = known(site, 1)
    if given is not None:
        return tuple(int(part) for part in given)
    extent, count = operand(site, 0)[_axis(site)], site.attribute("num_outputs", 1)
    part = -(-extent // count)
    return (*(part,) * (count - 1), extent - part * (count - 1))


def limits(site: Site) -> tuple[tuple[int, int], ...]:
    """Where each part starts and ends along the axis."""
    return tuple(pairwise(accumulate(_parts(site), initial=0)))


def _cuts(site: Site) -> tuple[tuple[slice, ...], ...]:
    """What each part is as an index."""
    before = (slice(None),) * _axis(site)
    return tuple((*before, slice(start, end)) for start, end in limits(site))


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The parts as a tuple; the part itself where there is one."""
    parts = tuple(x[cut] for cut in _cuts(site))
    return parts if len(parts) > 1 else parts[0]


def interval(site: Site, x: Interval, *_: Any) -> Any:
    """The same parts of both ends: exact."""
    parts = tuple(x.shaped(itemgetter(cut)) for cut in _cuts(site))
    return parts if len(parts) > 1 else parts[0]


def milp(site: Site, x: LinearForm, *_: Any) -> Any:
    """The units of each part."""
    parts = tuple(taken(site, x, itemgetter(cut), place) for place, cut in enumerate(_cuts(site)))
    return parts if len(parts) > 1 else parts[0]


OPERATOR = Operator(
    op="Split",
    versions=(13,),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(Example(((1, 6), [6]), {"axis": 1}),),
    source="ONNX operator specification, Split-18",
    affine=True,
)
