"""Exp: the exponential function."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Missing, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """Exp(x)."""
    import torch

    return torch.exp(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds, never below 0.

    Error: as for Sigmoid. Where the lower bound overflows, it becomes a number that the format
    holds: the true value lies above it.
    Source: Gowal et al. 2019, Eq. 7.
    """
    import torch

    if not x.roundoff:
        return x.monotone(torch.exp)
    largest = 2.0**127 if x.roundoff > 2.0**-50 else 2.0**1023
    cut = x.monotone(lambda v: torch.exp(v).clamp(max=largest), error=16, limits=(0.0, inf))
    whole = x.monotone(torch.exp, error=16, limits=(0.0, inf))
    return domains.Interval.from_bounds(cut.lower, whole.upper, x.roundoff)


def relax(_: Site, x: Interval, knobs: Any = None) -> Lines:
    """Convex: a tangent below, a chord above; see `ibpc.domains.curved_lines`."""
    import torch

    return domains.curved_lines(x, torch.exp, torch.exp, x.lower <= x.upper, knobs)


OPERATOR = Operator(
    op="Exp",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=Missing(
        "Exp is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown"
    ),
    examples=(
        Example(((1, 6),)),
        Example(((1, 2, 3),), low=-9.0, high=9.0),
    ),
    source="Gowal et al. 2019, Eq. 7",
)
