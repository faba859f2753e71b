"""ReduceMean: the mean over some axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.record import Example, Operator
from ibpc.ops.reducing import axes, count, repeated_rows, shape, total, total_form

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Site


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The sum divided by the number of entries."""
    return total(site, x) / count(site)


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """The means of both ends.

    Where rounding must be covered, gamma_n times the mean of the moduli is added; no mean lies
    beyond the smallest and the largest entry, which keeps means of squares from falling below 0.
    Source: Gowal et al. 2019, Eq. 6.
    """
    import torch

    if not x.roundoff:
        mean = lambda v: forward(site, v)  # noqa: E731
        return x.affine(mean, mean, terms=count(site) + 1)
    share, keep = 2 * (count(site) + 5) * x.roundoff, bool(site.attribute("keepdims", 1))
    over = axes(site)
    if not over:
        return x
    lower = forward(site, x.lower) - forward(site, x.lower.abs()) * share
    upper = forward(site, x.upper) + forward(site, x.upper.abs()) * share
    tiny = 2.0**-120 if x.roundoff > 2.0**-50 else 2.0**-1016
    return domains.Interval.from_bounds(
        torch.maximum(lower - tiny, x.lower.amin(over, keepdim=keep)),
        torch.minimum(upper + tiny, x.upper.amax(over, keepdim=keep)),
        x.roundoff,
    )


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The rows, repeated and shared out."""
    return (repeated_rows(site, rows) / count(site), *(None for _ in site.shapes[1:]))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The means as one sparse matrix."""
    return total_form(site, x, 1 / count(site))


OPERATOR = Operator(
    op="ReduceMean",
    versions=(1, 11, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 2, 3),), {"axes": (1,), "keepdims": 0}),
        Example(((1, 2, 3, 2),), {"axes": (2, 3)}),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, ReduceMean-13",
    affine=True,
)
