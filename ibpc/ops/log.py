"""Log: the natural logarithm."""

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
    """The natural logarithm; NaN below 0."""
    import torch

    return torch.log(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds; NaN or infinite, which is doubt, where the box reaches 0.

    Error: as for Sigmoid.  Source: Gowal et al. 2019, Eq. 7.
    """
    import torch

    return x.monotone(torch.log, error=16)


def relax(_: Site, x: Interval, knobs: Any = None) -> Lines:
    """Concave: a chord below, a tangent above; see `ibpc.domains.curved_lines`."""
    import torch

    return domains.curved_lines(x, torch.log, torch.reciprocal, x.lower > x.upper, knobs)


OPERATOR = Operator(
    op="Log",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=Missing(
        "Log is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown"
    ),
    examples=(Example(((1, 6),), low=0.125, high=4.0),),
    source="Gowal et al. 2019, Eq. 7",
)
