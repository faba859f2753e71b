"""Exact rational bounds to floats, rounded to the side that keeps a claim sound.

`outward` makes a box larger (proofs), `inward` smaller (witnesses). Directed rounding comes from
the sum's exact residual (TwoSum: Knuth 1998, "The Art of Computer Programming" 2, section 4.2.2,
theorem B), so that an exact sum is not widened.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction


NO_WIDTH = 2.0**-40
"""Intervals no wider than this share of their size are points, but for rounding of their ends."""


def down(number: Fraction | Decimal) -> float:
    """The greatest float64 that is not above an exact number."""
    nearest = _nearest(number)
    # Made from a float, a Decimal is exact, and it compares exactly with decimals and fractions.
    return nearest if Decimal(nearest) <= number else math.nextafter(nearest, -math.inf)


def up(number: Fraction | Decimal) -> float:
    """The smallest float64 that is not below an exact number."""
    nearest = _nearest(number)
    return nearest if Decimal(nearest) >= number else math.nextafter(nearest, math.inf)


def add(x: np.ndarray, shift: float | np.ndarray, upward: bool) -> np.ndarray:
    """X + shift in float64, rounded up or down."""
    total = x + shift
    # The residual total + rest == x + shift is exact wherever nothing overflows.
    part = total - x
    rest = (x - (total - part)) + (shift - part)
    side = math.inf if upward else -math.inf
    wrong = rest > 0 if upward else rest < 0
    return np.where(wrong, np.nextafter(total, side), total)


def directed(
    numbers: Sequence[Fraction | Decimal], shape: tuple[int, ...], upward: bool
) -> np.ndarray:
    """Exact numbers (one for all entries, or one each) as a float64 array, rounded up or down."""
    rounded = np.array([(up if upward else down)(number) for number in numbers])
    return np.broadcast_to(rounded[0], shape) if len(rounded) == 1 else rounded.reshape(shape)


def to_float32(array: np.ndarray, upward: bool) -> np.ndarray:
    """The nearest float32 that is not below (`upward`), or not above, each float64."""
    with np.errstate(over="ignore", under="ignore"):
        nearest = array.astype(np.float32)
    side = np.float32(np.inf if upward else -np.inf)
    wrong = nearest < array if upward else nearest > array
    return np.where(wrong, np.nextafter(nearest, side), nearest)


def _nearest(number: Fraction | Decimal) -> float:
    """The nearest float64; infinite beyond the largest."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
