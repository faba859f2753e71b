"""Float32 points and the boxes of float32s that lie in a set."""

from __future__ import annotations

import numpy as np


def within(point: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> str | None:
    """Whether a float32 point lies in the inner box: "" if so, a note if nearly, else None.

    The note is for coordinates whose set holds no float32 (there lower > upper): the nearest on
    either side is taken.
    """
    if point.dtype != np.float32 or point.shape != lower.shape or not np.isfinite(point).all():
        return None
    empty = lower > upper
    held = (lower <= point) & (point <= upper)
    beside = empty & ((point == lower) | (point == upper))
    if not (held | beside).all():
        return None
    return "a coordinate's set holds no float32; the nearest is used" if beside.any() else ""


def into_box(point: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The float32 point of the inner box that is nearest to a float64 one (flat)."""
    rounded = np.minimum(np.maximum(point.astype(np.float32), lower), upper)
    return np.asarray(rounded, dtype=np.float32)
