"""Softplus: log(1 + exp(x))."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Missing, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """Log(1 + exp(x))."""
    import torch

    return torch.nn.functional.softplus(x, threshold=60.0)


def interval(site: Site, x: Interval) -> Interval:
    """Its values at the bounds, never below 0.

    Error: as for Sigmoid; where x > 60, x itself, wrong by less than exp(-60).
    Source: Gowal et al. 2019, Eq. 7.
    """
    return x.monotone(lambda v: forward(site, v), error=32, limits=(0.0, inf))


OPERATOR = Operator(
    op="Softplus",
    versions=(1, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=Missing(
        "Softplus is curved and a mixed-integer linear program is not; verify this network with "
        "ibp or crown"
    ),
    examples=(
        Example(((1, 6),)),
        Example(((1, 2, 3),), low=-9.0, high=9.0),
    ),
    source="Gowal et al. 2019, Eq. 7",
)
