"""Cutting boxes with linear bounds: what cannot be unsafe is thrown away before splitting.

With g <= slopes . x + offset on a box, an unsafe point of a case needs for each of its rows

    slopes . x + offset + bound >= 0

so that, T being the left side's largest value over the box, a coordinate with slope s > 0 has
x >= upper - T / s there (s < 0: x <= lower + T / |s|). Rows of a case cut together; the union of
what the open cases leave is enclosed in a box. All roundings are outward.

Source: bounds tightening by linear relaxations as in Savelsbergh 1994, "Preprocessing and probing
techniques for mixed integer programming problems", section 1.1, applied to the input box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ibpc.verification.query.cases import Cases

ROUNDOFF = 2.0**-53
ENTRIES = 2**24
"""Larger tables are not clipped: it would cost more than it brings."""


@dataclass(frozen=True)
class Linear:
    """Upper bounds of g over boxes: slopes (boxes, forms, inputs), offset (boxes, forms)."""

    slopes: np.ndarray
    offset: np.ndarray


def clip(
    lower: np.ndarray,
    upper: np.ndarray,
    group: np.ndarray,
    open_cases: np.ndarray,
    linear: Linear,
    cases: Cases,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smaller boxes that hold all unsafe points of the open cases, and the cases still open.

    Shapes: lower, upper (boxes, inputs); group (boxes,); open_cases (boxes, cases).
    """
    rows = cases.form.shape[1] * cases.form.shape[2]
    if linear.slopes.size // linear.slopes.shape[1] * rows > ENTRIES:
        return lower, upper, open_cases
    form = cases.form[group]
    place = np.arange(len(group))[:, None, None]
    slopes, offset = linear.slopes[place, form], linear.offset[place, form]
    most, least = _cut_rows(lower, upper, slopes, offset + cases.bound[group])
    lows = np.maximum(lower[:, None], least.max(axis=2))
    highs = np.minimum(upper[:, None], most.min(axis=2))
    still = open_cases & (lows <= highs).all(axis=2)
    lows = np.where(still[:, :, None], lows, np.inf).min(axis=1)
    highs = np.where(still[:, :, None], highs, -np.inf).max(axis=1)
    some = still.any(axis=1)[:, None]
    return np.where(some, lows, lower), np.where(some, highs, upper), still


def _cut_rows(
    lower: np.ndarray, upper: np.ndarray, slopes: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each row leaves of each coordinate: (largest, smallest), rounded outward.

    Shapes: lower, upper (boxes, n); slopes (boxes, cases, rows, n); offset (boxes, cases, rows).
    """
    lo, up = lower[:, None, None], upper[:, None, None]
    reach = np.maximum(np.abs(lo), np.abs(up))
    total = np.maximum(slopes * lo, slopes * up).sum(axis=3) + offset
    size = (np.abs(slopes) * reach).sum(axis=3) + np.abs(offset)
    total = (total + 4 * (slopes.shape[3] + 8) * ROUNDOFF * size)[..., None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = total / np.abs(slopes)
        slack = 8 * ROUNDOFF * (np.abs(step) + reach)
        smallest = np.where(slopes > 0, up - step - slack, -np.inf)
        largest = np.where(slopes < 0, lo + step + slack, np.inf)
    # Infinite or undefined quotients say nothing.
    return np.nan_to_num(largest, nan=np.inf, neginf=np.inf), np.nan_to_num(
        smallest, nan=-np.inf, posinf=-np.inf
    )
