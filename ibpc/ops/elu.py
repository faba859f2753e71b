"""Elu: x where positive, alpha (exp(x) - 1) below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Missing, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(site: Site, x: Any) -> Any:
    """Max(x, 0) + alpha (exp(min(x, 0)) - 1)."""
    import torch

    return torch.nn.functional.elu(x, site.attribute("alpha", 1.0))


def interval(site: Site, x: Interval) -> Interval:
    """Its values at the bounds: it never falls where alpha >= 0.

    Error: as for Sigmoid.  Source: Gowal et al. 2019, Eq. 7.
    """
    alpha = float(site.attribute("alpha", 1.0))
    if alpha < 0:
        raise Unsupported(
            f"Elu with a negative alpha ({alpha:g}) is not monotone; use one of at least 0"
        )
    return x.monotone(lambda v: forward(site, v), error=32)


OPERATOR = Operator(
    op="Elu",
    versions=(6, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=Missing(
        "Elu is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown"
    ),
    examples=(
        Example(((1, 6),)),
        Example(((1, 2, 3),), {"alpha": 0.5}),
    ),
    source="Gowal et al. 2019, Eq. 7; Clevert et al. 2016, arXiv:1511.07289",
)
