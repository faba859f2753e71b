"""Softmax: exp(x_i) / sum over j of exp(x_j), along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import counted, operand, varies
from ibpc.ops.record import Example, Missing, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    if _axis(site) == 0 and varies(site, 0):
        raise Unsupported("Softmax along axis 0 mixes the examples of a batch; use another axis")
    return (operand(site, 0),)


def _axis(site: Site) -> int:
    return counted(site.attribute("axis", -1), len(operand(site, 0)), "Softmax")


def forward(site: Site, x: Any) -> Any:
    """The shares of the exponentials."""
    import torch

    return torch.softmax(x, _axis(site))


def interval(site: Site, x: Interval) -> Interval:
    """Each share at the corner where it is smallest, and where it is largest: exact.

        lower_i = 1 / (1 + sum over j != i of exp(upper_j - lower_i)), upper_i the other way round

    Error: differences beyond the exponents of the format are cut, so that their rounding moves an
    exponential by at most that many units; then n sums and a quotient.
    Source: Moore et al. 2009: it rises in x_i and falls in every other entry.
    """
    axis, count = _axis(site), operand(site, 0)[_axis(site)]
    widest = 110.0 if x.roundoff > 2.0**-50 else 750.0
    lower = _share(x.lower, x.upper, axis, widest)
    upper = _share(x.upper, x.lower, axis, widest)
    if x.roundoff:
        share = (widest + 2 * count + 32) * x.roundoff
        tiny = 2.0**-120 if x.roundoff > 2.0**-50 else 2.0**-1016
        lower = (lower - (lower.abs() * share + tiny)).clamp(0.0, 1.0)
        upper = (upper + (upper.abs() * share + tiny)).clamp(0.0, 1.0)
    return domains.Interval.from_bounds(lower, upper, x.roundoff)


def _share(own: Any, others: Any, axis: int, widest: float) -> Any:
    """The share of each entry where it has its value of `own` and all others that of `others`."""
    import torch

    own, others = own.movedim(axis, -1), others.movedim(axis, -1)
    apart = others.unsqueeze(-2) - own.unsqueeze(-1)
    # An entry is not apart from itself: its own term is exp(0).
    apart = apart - torch.diag_embed(torch.diagonal(apart, dim1=-2, dim2=-1))
    total = torch.exp(apart.clamp(-widest, widest)).sum(-1)
    return (1 / total).movedim(-1, axis)


OPERATOR = Operator(
    op="Softmax",
    versions=(13,),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=Missing(
        "Softmax is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown, or state the claim over the values before the softmax"
    ),
    examples=(
        Example(((1, 5),)),
        Example(((1, 3, 2, 4),), {"axis": 1}),
        Example(((1, 2, 3),), {"axis": -1}, low=-9.0, high=9.0),
    ),
    source="Moore et al. 2009, Introduction to Interval Analysis",
)
