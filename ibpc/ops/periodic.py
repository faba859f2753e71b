"""Bounds of sine and cosine: which peaks lie in an interval of angles.

Source: Moore et al. 2009, "Introduction to Interval Analysis".
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Any

from ibpc import domains

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.domains import Interval

_ERROR = 16
"""Units of roundoff that a library's sine may be wrong by, as for Sigmoid."""


def range_of(x: Interval, function: Callable[[Any], Any], crest: float) -> Interval:
    """Bounds of a function of period 2 pi with its crests at (crest + k) turns.

    Its troughs lie half a turn from its crests, and between a crest and a trough it is monotone.
    Where rounding must be covered, a peak that may lie between the bounds counts as one that does.
    """
    import torch

    lower, upper = x.lower, x.upper
    ends = function(lower), function(upper)
    low, high = torch.minimum(*ends), torch.maximum(*ends)
    if x.roundoff:
        share, least = (_ERROR + 3) * x.roundoff, _ERROR * x.roundoff
        low = (low - (low.abs() * share + least)).clamp(-1.0, 1.0)
        high = (high + (high.abs() * share + least)).clamp(-1.0, 1.0)
    high = torch.where(_holds_peak(lower, upper, crest, x.roundoff), torch.ones_like(high), high)
    trough = _holds_peak(lower, upper, crest + 0.5, x.roundoff)
    low = torch.where(trough, -torch.ones_like(low), low)
    return domains.Interval.from_bounds(low, high, x.roundoff)


def _holds_peak(lower: Any, upper: Any, peak: float, roundoff: float) -> Any:
    """Whether an angle of (peak + k) turns, k a whole number, lies in [lower, upper]."""
    import torch

    first, last = (bound * (0.5 / pi) - peak for bound in (lower, upper))
    if roundoff:
        first = first - (first.abs() + 1) * (8 * roundoff)
        last = last + (last.abs() + 1) * (8 * roundoff)
    return torch.ceil(first) <= last
