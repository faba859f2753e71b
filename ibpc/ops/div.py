"""Div: the quotient of a value by a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops import broadcasting
from ibpc.ops.axes import numbers, varies
from ibpc.ops.broadcasting import spread, spread_constant, spread_form
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Operands broadcast; no divisor may be 0."""
    found = broadcasting.shape(site)
    if not varies(site, 1) and 0 in numbers(site.values[1]):
        raise ShapeMistake("Div divides by a constant that holds a zero")
    return found


def forward(_: Site, left: Any, right: Any) -> Any:
    """Left / right."""
    return left / right


def interval(site: Site, left: Interval, right: Any) -> Interval:
    """The box mu' = mu / c, r' = r / |c|.

    Source: Gowal et al. 2019, Eq. 6 with W = diag(1 / c).
    """
    _check(site)
    spread_left = spread(site, 0, left)
    return spread_left.affine(lambda v: v / right, lambda v: v / abs(right), terms=1)


def milp(site: Site, left: LinearForm, right: Any) -> LinearForm:
    """The affine form, scaled by the reciprocals."""
    _check(site)
    return spread_form(site, 0, left).scaled(1 / spread_constant(site, right))


def _check(site: Site) -> None:
    """Only constants divide."""
    if varies(site, 1):
        raise Unsupported(
            "Div by a value that depends on the input has no bound where that may be 0; "
            "ibpc divides by constants only"
        )


OPERATOR = Operator(
    op="Div",
    versions=(7, 13, 14),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 2, 3), pattern(2, 1, offset=3.0))),
        Example(((1, 2, 1), pattern(1, 2, 3, offset=-2.0))),
        Example(((1, 4), -0.75)),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, Div-14",
    affine=True,
)
