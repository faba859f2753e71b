"""Reciprocal: 1 / x."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import operand
from ibpc.ops.quotients import inverse
from ibpc.ops.record import Example, Missing, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """1 / x."""
    return 1 / x


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds, swapped; NaN, which is doubt, where the box holds 0."""
    return inverse(x)


def relax(site: Site, x: Interval, knobs: Any = None) -> Lines:
    """Convex above 0, concave below, NaN where the box holds 0; `ibpc.domains.curved_lines`."""
    import torch

    # Across 0 there is no line: NaN, which is doubt, as in `interval`.
    holds_zero = (x.lower <= 0) & (x.upper >= 0)
    lower = torch.where(holds_zero, float("nan"), x.lower)
    box = domains.Interval.from_bounds(lower, x.upper, x.roundoff)

    def slope(v: Any) -> Any:
        return -1 / v.square()

    return domains.curved_lines(box, lambda v: forward(site, v), slope, x.lower > 0, knobs)


OPERATOR = Operator(
    op="Reciprocal",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=Missing(
        "Reciprocal is curved and a mixed-integer linear program is not; verify this network with "
        "ibp or crown"
    ),
    examples=(
        Example(((1, 6),), low=0.125, high=4.0),
        Example(((1, 4),), low=-4.0, high=-0.125),
    ),
    source="Moore et al. 2009, Introduction to Interval Analysis",
)
