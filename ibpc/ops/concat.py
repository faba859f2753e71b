"""Concat: values put side by side along an axis."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import counted, operand, varies
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Extents add up along the axis; all others agree."""
    found = [operand(site, position) for position in range(len(site.shapes))]
    axis = _axis(site)
    if axis == 0 and any(varies(site, position) for position in range(len(found))):
        raise Unsupported("Concat along axis 0 joins batches of examples; use another axis")
    rest = {(*each[:axis], *each[axis + 1 :]) for each in found}
    if len(rest) > 1 or len({len(each) for each in found}) > 1:
        raise ShapeMistake(f"Concat along axis {axis} of shapes {', '.join(map(str, found))}")
    return ((*found[0][:axis], sum(each[axis] for each in found), *found[0][axis + 1 :]),)


def forward(site: Site, *operands: Any) -> Any:
    """The values side by side; a constant is repeated for every example."""
    import torch

    variable = [v for position, v in enumerate(operands) if varies(site, position)]
    if not variable:
        return torch.cat(operands, _axis(site))
    batch = variable[0].shape[0]
    parts = [
        v if varies(site, position) else v.expand(batch, *operand(site, position)[1:])
        for position, v in enumerate(operands)
    ]
    return torch.cat(parts, _axis(site))


def interval(site: Site, *operands: Any) -> Interval:
    """Both ends side by side: exact; constants have no width."""
    boxes = [v for position, v in enumerate(operands) if varies(site, position)]
    roundoff = boxes[0].roundoff

    def part(position: int, v: Any, end: str) -> Any:
        if varies(site, position):
            return getattr(v, end)
        return v * 0 if end == "radius" else v

    def side(end: str) -> Any:
        return forward(site, *(part(position, v, end) for position, v in enumerate(operands)))

    if any(box.centred for box in boxes):
        return domains.Interval.from_center(side("center"), side("radius"), roundoff)
    return domains.Interval.from_bounds(side("lower"), side("upper"), roundoff)


def milp(site: Site, *operands: Any) -> LinearForm:
    """Each form scattered to its place, constants in the offset."""
    import numpy as np
    from scipy.sparse import csr_array

    out, axis = site.out_shapes[0], _axis(site)
    units = np.split(
        np.arange(prod(out)).reshape(out),
        np.cumsum([operand(site, position)[axis] for position in range(len(operands))])[:-1],
        axis,
    )
    fixed = np.zeros(prod(out))
    parts: list[LinearForm] = []
    for position, v in enumerate(operands):
        if varies(site, position):
            parts.append(v.scatter(units[position], prod(out), out))
        else:
            fixed[units[position].reshape(-1)] = np.asarray(v, np.float64).reshape(-1)
    found = parts[0].affine(csr_array(np.eye(len(fixed))), fixed, out)
    for part in parts[1:]:
        found = found.plus(part)
    return found


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """Each operand's part of the rows."""
    import torch

    axis = _axis(site)
    extents = [operand(site, position)[axis] for position in range(len(site.shapes))]
    parts = torch.split(rows, extents, axis + 1)
    return tuple(part if varies(site, i) else None for i, part in enumerate(parts))


def _axis(site: Site) -> int:
    return counted(site.attribute("axis", 1), len(operand(site, 0)), "Concat")


OPERATOR = Operator(
    op="Concat",
    versions=(4, 11, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 3), (1, 2)), {"axis": 1}),
        Example(((1, 2, 3), pattern(1, 2, 1), (1, 2, 2)), {"axis": -1}),
        Example(((1, 2, 2),), {"axis": 1}),
    ),
    source="ONNX operator specification, Concat-13",
    affine=True,
)
