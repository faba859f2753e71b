"""Slice: a range of entries along some axes, with a step; the language's `crop` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import counted, known, operand, varies
from ibpc.ops.rearranging import taken
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """As many entries along each axis as its range has."""
    chosen, found = _ranges(site), operand(site, 0)
    if varies(site, 0) and chosen.get(0, range(1)) != range(1):
        raise Unsupported("Slice cuts the batch axis (axis 0); keep axis 0 as it is")
    out = tuple(len(chosen.get(axis, range(extent))) for axis, extent in enumerate(found))
    if 0 in out:
        raise ShapeMistake(f"Slice of a value of shape {found} leaves nothing")
    return (out,)


def _ranges(site: Site) -> dict[int, range]:
    """The positions that are kept along each axis that the node names.

    Starts, ends and steps mean what they mean in Python: negative ones count from the end, and
    those beyond the end stop there.
    """
    found = operand(site, 0)
    starts, ends = known(site, 1), known(site, 2)
    if starts is None or ends is None:
        raise ShapeMistake("Slice lacks its starts or ends")
    axes, steps = known(site, 3), known(site, 4)
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise ShapeMistake("Slice names starts, ends, axes and steps of different number")
    if 0 in steps:
        raise ShapeMistake("Slice has a step of 0")
    chosen = {}
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = counted(int(axis), len(found), "Slice")
        limits = slice(int(start), int(end), int(step)).indices(found[place])
        chosen[place] = range(*limits)
    return chosen


def _index(site: Site) -> tuple[tuple[slice, ...], list[int]]:
    """The kept entries as slices with positive steps, and the axes to turn round afterwards."""
    index = [slice(None)] * len(operand(site, 0))
    turned = []
    for axis, positions in _ranges(site).items():
        if axis == 0 and varies(site, 0):
            continue  # all of the batch
        kept = positions if positions.step > 0 else positions[::-1]
        index[axis] = slice(kept.start, kept.stop, kept.step)
        if kept is not positions:
            turned.append(axis)
    return tuple(index), turned


def _cut(site: Site, x: Any) -> Any:
    """The kept entries; PyTorch has no negative steps, so those ranges are turned round."""
    index, turned = _index(site)
    cut = x[index]
    return cut.flip(turned) if turned else cut


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The entries in the ranges."""
    return _cut(site, x)


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """The same entries of both ends: exact."""
    return x.shaped(lambda v: _cut(site, v))


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The rows at the entries that were kept, zeros elsewhere."""
    found = rows.new_zeros(*rows.shape[:2], *operand(site, 0)[1:])
    index, turned = _index(site)
    found[(slice(None), *index)] = rows.flip([axis + 1 for axis in turned]) if turned else rows
    return (found, *(None for _ in site.shapes[1:]))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The units in the ranges."""
    import numpy as np

    kept = [np.arange(extent) for extent in operand(site, 0)]
    for axis, positions in _ranges(site).items():
        kept[axis] = np.array(positions)
    return taken(site, x, lambda units: units[np.ix_(*kept)])


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`crop n`: the middle n x n of an image; of odd rests the larger part is cut at the end."""
    size = arguments["count"]
    if len(in_shape) != 3 or size > min(in_shape[1:]):
        raise LayerMistake(f"`crop {size}` needs an image of at least {size}x{size}", "", "count")
    starts = tuple((extent - size) // 2 for extent in in_shape[1:])
    ends = tuple(start + size for start in starts)
    weights = tuple(
        Weight(role, (2,), "values", values, "int64")
        for role, values in (("starts", starts), ("ends", ends), ("axes", (2, 3)))
    )
    return (Template("Slice", {}, weights),)


OPERATOR = Operator(
    op="Slice",
    versions=(10, 11, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 6), [1], [4], [1])),
        Example(((1, 4, 5), [1, -3], [9, -1], [1, 2], [2, 1])),
        Example(((1, 3, 5), [-1], [-9], [2], [-2])),
        Example(((1, 3, 5), [0, 1], [1, 3])),
    ),
    source="ONNX operator specification, Slice-13",
    affine=True,
    layers=(
        Layer(
            "crop",
            (Slot("count", "int", low=1, doc="height and width that stay"),),
            build,
            "the middle of an image",
            takes_count="count",
        ),
    ),
)
