"""Identity: the value itself."""

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
    """The operand, as it is."""
    return x


def interval(_: Site, x: Interval) -> Interval:
    """The same box."""
    return x


def milp(_: Site, x: LinearForm) -> LinearForm:
    """The same form."""
    return x


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows."""
    return (rows, *(None for _ in site.shapes[1:]))


OPERATOR = Operator(
    op="Identity",
    versions=(1, 13, 14, 16, 19, 21, 23, 24, 25),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(Example(((1, 2, 3),)),),
    source="ONNX operator specification, Identity-13",
    affine=True,
)
