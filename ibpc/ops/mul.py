"""Mul: the product of a value and a constant, or of two values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import varies
from ibpc.ops.broadcasting import gathered, shape, spread, spread_constant, spread_form
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm, Relaxation
    from ibpc.ops.record import Site


def forward(_: Site, left: Any, right: Any) -> Any:
    """Left * right."""
    return left * right


def interval(site: Site, left: Any, right: Any) -> Interval:
    """By a constant: mu' = c mu, r' = |c| r; of two values: the extremes of the four corners.

    A product of a value with itself is treated as one of two independent values: sound, but loose.
    Source: Gowal et al. 2019, Eq. 6; Moore et al. 2009, "Introduction to Interval Analysis".
    """
    if varies(site, 0) and varies(site, 1):
        return spread(site, 0, left).times(spread(site, 1, right))
    if varies(site, 0):
        return spread(site, 0, left).scaled(right)
    return spread(site, 1, right).scaled(left)


def transpose(site: Site, rows: Any, left: Any, right: Any) -> tuple[Any, ...]:
    """Rows times the constant operand; for a product with one."""
    if varies(site, 0):
        return gathered(site, 0, rows * right), None
    return None, gathered(site, 1, rows * left)


def relax(site: Site, left: Interval, right: Interval, knobs: Any = None) -> Relaxation:
    """The product of two values about their centres, see `ibpc.domains.Product`."""

    def back(rows: Any, fixed: Any, position: int) -> Any:
        return gathered(site, position, rows * fixed.unsqueeze(1))

    return domains.Product(left, right, lambda v, w: v * w, back)


def milp(site: Site, left: Any, right: Any) -> LinearForm:
    """The affine form, scaled."""
    if varies(site, 0) and varies(site, 1):
        raise Unsupported(
            "Mul of two values that depend on the input is not piecewise linear, and a "
            "mixed-integer linear program is; verify this network with ibp"
        )
    if varies(site, 0):
        return spread_form(site, 0, left).scaled(spread_constant(site, right))
    return spread_form(site, 1, right).scaled(spread_constant(site, left))


OPERATOR = Operator(
    op="Mul",
    versions=(7, 13, 14),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    linear=(0, 1),
    relax=relax,
    examples=(
        Example(((1, 2, 3), pattern(2, 1))),
        Example((pattern(1, 2, 3), (1, 2, 1))),
        Example(((1, 4), -0.75)),
        Example(((1, 5), (1, 5))),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, Mul-14",
)
