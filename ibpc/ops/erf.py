"""Erf: the error function (exact Gelu is made of it)."""

from __future__ import annotations

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
    """Erf(x)."""
    import torch

    return torch.erf(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds, within [-1, 1].

    Error: as for Sigmoid.  Source: Gowal et al. 2019, Eq. 7.
    """
    import torch

    return x.monotone(torch.erf, error=16, limits=(-1.0, 1.0))


OPERATOR = Operator(
    op="Erf",
    versions=(9, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=Missing(
        "Erf is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown"
    ),
    examples=(Example(((1, 6),)),),
    source="Gowal et al. 2019, Eq. 7",
)
