"""Sqrt: the square root."""

from __future__ import annotations

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
    """The square root; NaN below 0."""
    import torch

    return torch.sqrt(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds; NaN, which is doubt, where the box reaches below 0.

    Error: one rounding.  Source: Gowal et al. 2019, Eq. 7.
    """
    import torch

    return x.monotone(torch.sqrt, error=1)


def relax(_: Site, x: Interval, knobs: Any = None) -> Lines:
    """Concave: a chord below, a tangent above; see `ibpc.domains.curved_lines`."""
    import torch

    def slope(v: Any) -> Any:
        return 0.5 / torch.sqrt(v)

    return domains.curved_lines(x, torch.sqrt, slope, x.lower > x.upper, knobs)


OPERATOR = Operator(
    op="Sqrt",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=Missing(
        "Sqrt is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown"
    ),
    examples=(Example(((1, 6),), low=0.125, high=4.0),),
    source="Gowal et al. 2019, Eq. 7",
)
