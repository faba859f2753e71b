"""Quotients of intervals: where the divisor keeps its sign.

Source: Moore et al. 2009, "Introduction to Interval Analysis".
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from ibpc import domains

if TYPE_CHECKING:
    from ibpc.domains import Interval


def inverse(x: Interval) -> Interval:
    """[1 / upper, 1 / lower]; NaN, which is doubt, where the box holds 0.  Error: one rounding."""
    return _settled(x, 1 / x.upper, 1 / x.lower)


def quotient(left: Interval, right: Interval) -> Interval:
    """The extremes of the quotients of the ends; NaN, which is doubt, where the divisor may be 0.

    A quotient of two values of one source is treated as one of independent values: sound, but
    loose.
    """
    import torch

    ends = [v / w for v in (left.lower, left.upper) for w in (right.lower, right.upper)]
    lower = torch.minimum(torch.minimum(ends[0], ends[1]), torch.minimum(ends[2], ends[3]))
    upper = torch.maximum(torch.maximum(ends[0], ends[1]), torch.maximum(ends[2], ends[3]))
    return _settled(right, lower, upper)


def _settled(divisor: Interval, lower: Any, upper: Any) -> Interval:
    """The bounds with one rounding covered, and doubt where the divisor's box holds 0."""
    import torch

    if divisor.roundoff:
        share = 4 * divisor.roundoff
        tiny = 2.0**-124 if divisor.roundoff > 2.0**-50 else 2.0**-1020
        lower = lower - (lower.abs() * share + tiny)
        upper = upper + (upper.abs() * share + tiny)
    signed = (divisor.lower > 0) | (divisor.upper < 0)
    low, high = (torch.where(signed, v, torch.full_like(v, nan)) for v in (lower, upper))
    return domains.Interval.from_bounds(low, high, divisor.roundoff)
