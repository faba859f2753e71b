"""Transpose: axes in another order, and the language's `transpose` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Axis i of the result is axis perm[i] of the operand; axis 0 stays where it is."""
    found, order = operand(site, 0), _order(site)
    if sorted(order) != list(range(len(found))):
        raise ShapeMistake(f"Transpose orders axes {order} of a value with {len(found)} axes")
    if site.varies(0) and order[:1] != (0,):
        raise Unsupported(
            f"Transpose with perm {order} moves the batch axis (axis 0); keep axis 0 first"
        )
    return (tuple(found[axis] for axis in order),)


def _order(site: Site) -> Shape:
    """The attribute `perm`; all axes reversed where it is absent."""
    rank = len(operand(site, 0))
    return tuple(site.attribute("perm") or range(rank - 1, -1, -1))


def forward(site: Site, x: Any) -> Any:
    """The same numbers with their axes in another order."""
    return x.permute(*_order(site))


def interval(site: Site, x: Interval) -> Interval:
    """The same re-arrangement of both ends: exact."""
    return x.shaped(lambda v: forward(site, v))


def milp(site: Site, x: LinearForm) -> LinearForm:
    """The same units in another order."""
    import numpy as np

    units = np.arange(prod(x.shape)).reshape(x.shape)
    return x.take(units.transpose(_order(site)), site.out_shapes[0])


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows with their axes where they came from; the spec axis is one more in front."""
    order = _order(site)
    places = [order.index(axis) for axis in range(1, len(order))]
    return (rows.permute(0, 1, *(place + 1 for place in places)),)


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`transpose perm = [1, 2, 0]`: axes counted from 0, without the batch axis."""
    order = tuple(int(axis) for axis in arguments["perm"])
    if sorted(order) != list(range(len(in_shape))):
        raise LayerMistake(
            f"{list(order)} does not order the {len(in_shape)} axes of shape {in_shape}",
            f"name each of 0 to {len(in_shape) - 1} once",
            "perm",
        )
    return (Template("Transpose", {"perm": (0, *(axis + 1 for axis in order))}),)


OPERATOR = Operator(
    op="Transpose",
    versions=(1, 13, 21, 23, 24, 25),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 2, 3, 4),), {"perm": (0, 2, 3, 1)}),
        Example(((1, 2, 3),), {"perm": (0, 2, 1)}),
    ),
    source="ONNX operator specification, Transpose-13",
    affine=True,
    layers=(
        Layer(
            "transpose",
            (Slot("perm", "integers", doc="order of the axes, the batch axis not counted"),),
            build,
            "axes in another order",
        ),
    ),
)
