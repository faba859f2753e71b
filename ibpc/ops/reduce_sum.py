"""ReduceSum: the sum over some axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.record import Example, Operator
from ibpc.ops.reducing import count, repeated_rows, shape, total, total_form

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Site


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The sum."""
    return total(site, x)


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """The sums of both ends.

    Where rounding must be covered, gamma_n times the sum of the moduli is added, which keeps sums
    of squares from falling below 0 (Higham 2002, section 4.2).
    Source: Gowal et al. 2019, Eq. 6.
    """
    if not x.roundoff:
        return x.affine(lambda v: total(site, v), lambda v: total(site, v), terms=count(site))
    share = 2 * (count(site) + 4) * x.roundoff
    lower = total(site, x.lower) - total(site, x.lower.abs()) * share
    upper = total(site, x.upper) + total(site, x.upper.abs()) * share
    return domains.Interval.from_bounds(lower, upper, x.roundoff)


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The rows, repeated."""
    return (repeated_rows(site, rows), *(None for _ in site.shapes[1:]))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The sums as one sparse matrix."""
    return total_form(site, x, 1.0)


OPERATOR = Operator(
    op="ReduceSum",
    versions=(13,),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 2, 3), [1])),
        Example(((1, 2, 3, 2), [3, -2]), {"keepdims": 0}),
        Example(((1, 4),), {"noop_with_empty_axes": 1}),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, ReduceSum-13",
    affine=True,
)
