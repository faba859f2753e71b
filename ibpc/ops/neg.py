"""Neg: the value with its sign turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """-x."""
    return -x


def interval(_: Site, x: Interval) -> Interval:
    """The mirror image: exact."""
    return -x


def transpose(_: Site, rows: Any, *__: Any) -> tuple[Any, ...]:
    """The rows with their sign turned."""
    return (-rows,)


def milp(_: Site, x: LinearForm) -> LinearForm:
    """The form times -1."""
    return x.scaled(-1.0)


OPERATOR = Operator(
    op="Neg",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(Example(((1, 2, 3),)),),
    source="ONNX operator specification, Neg-13",
    affine=True,
)
