"""Add: the sum of two values, or of a value and a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import varies
from ibpc.ops.broadcasting import gathered, shape, spread, spread_constant, spread_form
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Site


def forward(_: Site, left: Any, right: Any) -> Any:
    """Left + right."""
    return left + right


def interval(site: Site, left: Any, right: Any) -> Interval:
    """The box mu' = mu_l + mu_r, r' = r_l + r_r.

    Source: Gowal et al. 2019, Eq. 6 with W = (I, I).
    """
    if varies(site, 0) and varies(site, 1):
        return spread(site, 0, left) + spread(site, 1, right)
    first, second = (
        (spread(site, 0, left), right) if varies(site, 0) else (spread(site, 1, right), left)
    )
    shifted: Interval = first + second
    return shifted


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows for both operands."""
    return tuple(gathered(site, i, rows) if varies(site, i) else None for i in (0, 1))


def milp(site: Site, left: Any, right: Any) -> LinearForm:
    """The sum of the affine forms."""
    if varies(site, 0) and varies(site, 1):
        return spread_form(site, 0, left).plus(spread_form(site, 1, right))
    if varies(site, 0):
        return spread_form(site, 0, left).scaled(1.0, spread_constant(site, right))
    return spread_form(site, 1, right).scaled(1.0, spread_constant(site, left))


OPERATOR = Operator(
    op="Add",
    versions=(7, 13, 14),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 5), (1, 5))),
        Example(((1, 2, 3), pattern(2, 1))),
        Example((pattern(1, 2, 3), (1, 2, 1))),
        Example(((1, 2, 1, 2), (1, 1, 3, 2))),
        Example(((1, 4), 0.75)),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, Add-14",
    trainable=(0, 1),
    affine=True,
)
