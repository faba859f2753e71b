"""Flatten: all axes but the batch axis become one, and the language's `flatten` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, Template
from ibpc.ops import reshaping
from ibpc.ops.axes import keep_batch, operand
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(prod of the axes before `axis`, prod of the others)."""
    found, axis = operand(site, 0), site.attribute("axis", 1)
    if not -len(found) <= axis <= len(found):
        raise ShapeMistake(f"Flatten names axis {axis} of a value with {len(found)} axes")
    first = axis if axis >= 0 else axis + len(found)
    if first == 0 and site.varies(0):
        raise Unsupported(
            "Flatten with axis 0 joins all examples of a batch to one row; use axis 1"
        )
    return (keep_batch(site, (prod(found[:first]), prod(found[first:]))),)


def build(_: Mapping[str, Any], __: Shape, ___: Shape) -> tuple[Template, ...]:
    """`flatten`."""
    return (Template("Flatten", {"axis": 1}),)


OPERATOR = Operator(
    op="Flatten",
    versions=(1, 9, 11, 13, 21, 23, 24, 25),
    shape=shape,
    forward=reshaping.forward,
    interval=reshaping.interval,
    milp=reshaping.milp,
    transpose=reshaping.transpose,
    examples=(
        Example(((1, 2, 3, 2),)),
        Example(((1, 6),)),
        Example(((1, 1, 3, 2),), {"axis": 2}),
        Example(((1, 2, 3),), {"axis": -2}),
    ),
    source="ONNX operator specification, Flatten-13",
    affine=True,
    layers=(Layer("flatten", (), build, "all entries in one row, row-major"),),
)
