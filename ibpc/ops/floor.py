"""Floor: the largest whole number not above x."""

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
    """The largest whole number not above x."""
    import torch

    return torch.floor(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds: exact.  Source: Gowal et al. 2019, Eq. 7."""
    import torch

    return x.monotone(torch.floor)


OPERATOR = Operator(
    op="Floor",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=Missing(
        "Floor jumps, and so does no mixed-integer linear program over closed sets; verify this "
        "network with ibp"
    ),
    examples=(
        Example(((1, 6),)),
        Example(((1, 2, 3),), low=-9.0, high=9.0),
    ),
    source="Gowal et al. 2019, Eq. 7",
)
