"""Series out of the lines of metrics.jsonl, thinned to what an eye can tell apart."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 300
"""Points of a line; more are joined into means."""

Points = tuple[tuple[float, float], ...]


def series(metrics: Sequence[Mapping[str, Any]], key: str, factor: float = 1) -> Points:
    """(step, value * factor) where the value is a finite number; `schedules.eps` looks inside."""
    found = []
    for line in metrics:
        value: Any = line
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int | float) and isfinite(value):
            found.append((float(line["step"]), value * factor))
    return tuple(found)


def thinned(points: Points, most: int = MOST) -> Points:
    """At most `most` points: neighbours are joined into their means, the ends stay."""
    size = -(-len(points) // most)
    if size <= 1:
        return points
    joined = []
    for start in range(0, len(points), size):
        group = points[start : start + size]
        steps, values = zip(*group, strict=True)
        joined.append((sum(steps) / len(group), sum(values) / len(group)))
    return (points[0], *joined[1:-1], points[-1])
