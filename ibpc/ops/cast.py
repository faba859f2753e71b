"""Cast: another element type; between single and double precision the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand, varies
from ibpc.ops.record import Example, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site

_FLOAT, _DOUBLE = 1, 11
"""Element types of ONNX (`TensorProto.DataType`)."""


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    if varies(site, 0) and site.attribute("to") not in (_FLOAT, _DOUBLE):
        raise Unsupported(
            "Cast of a value that depends on the input to a type other than float or double cuts "
            "digits off; leave the cast away, or do it behind the network"
        )
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """The operand: a program computes in one element type throughout."""
    return x


def interval(_: Site, x: Interval) -> Interval:
    """The same box."""
    return x


def transpose(_: Site, rows: Any, *__: Any) -> tuple[Any, ...]:
    """The same rows."""
    return (rows,)


def milp(_: Site, x: LinearForm) -> LinearForm:
    """The same form."""
    return x


OPERATOR = Operator(
    op="Cast",
    versions=(6, 9, 13, 19, 21),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(Example(((1, 2, 3),), {"to": _FLOAT}),),
    source="ONNX operator specification, Cast-13",
    affine=True,
)
