"""Div: the quotient of a value by a constant, or by a value that keeps its sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.domains import Interval
from ibpc.ops import broadcasting
from ibpc.ops.axes import numbers, varies
from ibpc.ops.broadcasting import gathered, spread, spread_constant, spread_form
from ibpc.ops.patterns import pattern
from ibpc.ops.quotients import quotient
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import LinearForm
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


def interval(site: Site, left: Any, right: Any) -> Interval:
    """By a constant: mu' = mu / c, r' = r / |c|; by a value: the extremes of the four corners.

    NaN, which is doubt, where the value may be 0.
    Source: Gowal et al. 2019, Eq. 6 with W = diag(1 / c); Moore et al. 2009, "Introduction to
    Interval Analysis".
    """
    if varies(site, 1):
        over = spread(site, 1, right)
        point = spread(site, 0, left) if varies(site, 0) else Interval.from_bounds(left, left)
        return quotient(point, over)
    spread_left = spread(site, 0, left)
    return spread_left.affine(lambda v: v / right, lambda v: v / abs(right), terms=1)


def transpose(site: Site, rows: Any, _: Any, right: Any) -> tuple[Any, ...]:
    """Rows over the divisors."""
    _check(site)
    return gathered(site, 0, rows / right), None


def milp(site: Site, left: LinearForm, right: Any) -> LinearForm:
    """The affine form, scaled by the reciprocals."""
    _check(site)
    return spread_form(site, 0, left).scaled(1 / spread_constant(site, right))


def _check(site: Site) -> None:
    """Only constants divide."""
    if varies(site, 1):
        raise Unsupported(
            "Div by a value that depends on the input is not linear; verify this network with ibp, "
            "which divides by values that keep their sign"
        )


OPERATOR = Operator(
    op="Div",
    versions=(7, 13, 14),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    linear=(0,),
    examples=(
        Example(((1, 2, 3), pattern(2, 1, offset=3.0))),
        Example(((1, 2, 1), pattern(1, 2, 3, offset=-2.0))),
        Example(((1, 4), -0.75)),
        Example(((1, 2, 3), (1, 2, 1)), low=0.25, high=3.0),
        Example((pattern(1, 3), (1, 3)), low=-3.0, high=-0.25),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, Div-14",
)
