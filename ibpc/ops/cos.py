"""Cos: the cosine of an angle in radians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand
from ibpc.ops.periodic import range_of
from ibpc.ops.record import Example, Missing, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """The cosine."""
    import torch

    return torch.cos(x)


def interval(_: Site, x: Interval) -> Interval:
    """The larger and smaller of its values at the bounds, or the peaks that lie between them.

    Source: Moore et al. 2009, "Introduction to Interval Analysis".
    """
    import torch

    return range_of(x, torch.cos, crest=0.0)


OPERATOR = Operator(
    op="Cos",
    versions=(7, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=Missing(
        "Cos is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown"
    ),
    examples=(
        Example(((1, 6),)),
        Example(((1, 2, 3),), low=-9.0, high=9.0),
    ),
    source="Moore et al. 2009, Introduction to Interval Analysis",
)
