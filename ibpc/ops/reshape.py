"""Reshape: the same numbers under another shape, and the language's `reshape` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops import reshaping
from ibpc.ops.axes import keep_batch, known, operand
from ibpc.ops.record import Example, Operator, ShapeMistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """The shape asked for: 0 copies an extent (unless `allowzero`), one -1 takes what is left."""
    found, wanted = operand(site, 0), known(site, 1)
    if wanted is None:
        raise ShapeMistake("Reshape lacks its shape")
    dims = [int(dim) for dim in wanted]
    if not site.attribute("allowzero", 0):
        if any(dim == 0 and place >= len(found) for place, dim in enumerate(dims)):
            raise ShapeMistake(f"Reshape to {tuple(dims)} copies an axis that {found} lacks")
        dims = [found[place] if dim == 0 else dim for place, dim in enumerate(dims)]
    if dims.count(-1) == 1:
        rest = -prod(dims)
        dims[dims.index(-1)] = prod(found) // rest if rest else 0
    if prod(dims) != prod(found) or min(dims, default=0) < 0:
        raise ShapeMistake(
            f"Reshape from {found} to {tuple(int(dim) for dim in wanted)}: "
            f"{prod(found)} entries do not fit"
        )
    return (keep_batch(site, tuple(dims)),)


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`reshape shape = [16, 7, 7]`; one extent may be -1."""
    wanted = tuple(int(extent) for extent in arguments["shape"])
    given, rest = prod(in_shape), abs(prod(wanted))
    open_ = wanted.count(-1)
    bad = min(wanted, default=0) < -1 or 0 in wanted or open_ > 1
    if bad or (given % rest if open_ else given != rest):
        raise LayerMistake(
            f"{given} entries of shape {in_shape} do not fit into {list(wanted)}",
            "the extents must multiply to the number of entries; one of them may be -1",
            "shape",
        )
    dims = tuple(given // rest if extent == -1 else extent for extent in wanted)
    values = (0, *dims)
    return (Template("Reshape", {}, (Weight("shape", (len(values),), "values", values, "int64"),)),)


OPERATOR = Operator(
    op="Reshape",
    versions=(5, 13, 14, 19, 21, 23, 24, 25),
    shape=shape,
    forward=reshaping.forward,
    interval=reshaping.interval,
    milp=reshaping.milp,
    transpose=reshaping.transpose,
    examples=(
        Example(((1, 2, 3, 2), [1, -1])),
        Example(((1, 2, 3, 2), [0, 3, 4])),
        Example(((1, 12), [-1, 3, 2, 2])),
        Example(((1, 12), [1, 12]), {"allowzero": 1}),
    ),
    source="ONNX operator specification, Reshape-14",
    affine=True,
    layers=(
        Layer(
            "reshape",
            (Slot("shape", "integers", doc="extents without the batch axis; one may be -1"),),
            build,
            "the same entries under another shape, row-major",
        ),
    ),
)
