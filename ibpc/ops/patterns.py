"""Fixed numbers for examples: neither symmetric, nor all of one sign, nor of one size."""

from __future__ import annotations

from math import prod
from typing import Any


def pattern(*shape: int, scale: float = 1.0, offset: float = 0.0) -> Any:
    """Nested lists of numbers within offset +- scale."""
    count = prod(shape)
    flat = [offset + scale * (((37 * i + 11) % 101) / 50 - 1) for i in range(count)]
    for extent in reversed(shape[1:]):
        flat = [flat[i : i + extent] for i in range(0, len(flat), extent)]  # type: ignore[misc]
    return flat
