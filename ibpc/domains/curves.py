"""Lines of curves: chords and tangents, for functions that bend one way, and for S-shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibpc.domains.relaxation import TINY, Lines, extremes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.domains.interval import Interval

Array = Any


def curved_lines(
    x: Interval,
    at: Callable[[Array], Array],
    slope: Callable[[Array], Array],
    convex: Array,
    knobs: Array | None = None,
) -> Lines:
    """Lines of f where it is convex (or, entry by entry, concave) on the whole box.

        convex:   f(p) + f'(p) (x - p)  <=  f(x)  <=  chord through both ends

    and the other way round where f is concave; p = lower + knob (upper - lower), the middle at the
    start. The chord's offset is checked at both ends. Bounds that are not finite say nothing.

    Shapes: x, convex (bool) (batch, *dims); knobs (1, batch, spec, *dims).
    Source: Zhang et al. 2018, arXiv:1811.00866 (tangents and chords).
    """
    import torch

    lo, up = x.lower.unsqueeze(1), x.upper.unsqueeze(1)
    start = torch.full_like(lo, 0.5)
    share = start if knobs is None else knobs[0]
    point = torch.minimum(torch.maximum(lo + share * (up - lo), lo), up)
    at_lo, at_up = at(lo), at(up)
    tangent, wide = slope(point), up - lo > TINY
    chord = torch.where(wide, (at_up - at_lo) / (up - lo).clamp(min=TINY), slope(lo))
    touching = at(point) - tangent * point
    ends = (at_lo - chord * lo, at_up - chord * up)
    bulges = convex.unsqueeze(1)
    across = torch.where(bulges, torch.maximum(*ends), torch.minimum(*ends))
    return Lines(
        torch.where(bulges, tangent, chord),
        torch.where(bulges, chord, tangent),
        torch.where(bulges, touching, across),
        torch.where(bulges, across, touching),
        (up > lo).squeeze(1),
        start.unsqueeze(0),
        terms=80,
    )


@dataclass(frozen=True)
class Bend:
    """A curve that is odd about (0, f(0)): convex below 0, concave above, increasing, bounded.

    `at`: f; `slope`: f'; `where`: the x >= 0 with f'(x) = s, as a function of s (0 where f' never
    is that steep, infinity for s = 0).
    """

    at: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    where: Callable[[Array], Array]


def bent_lines(x: Interval, bend: Bend, knobs: Array | None = None) -> Lines:
    """Lines of an S-shaped function: tangents and chords.

    Upper line: the chord where the function is convex on the box; where it is concave a tangent;
    else the tangent through (lower, f(lower)), or the chord where that one touches beyond upper.
    The lower line mirrors it. Knobs move a tangent's slope between that at `upper` and the
    steepest useful one. Offsets are the extremes of f(x) - slope x, at the ends or where
    f'(x) = slope, so that no slope needs to be exact.

    Shapes: x (batch, *dims); knobs (2, batch, spec, *dims).
    Source: Zhang et al. 2018, arXiv:1811.00866 (tangents and chords).
    """
    import torch

    lo, up = x.lower.unsqueeze(1), x.upper.unsqueeze(1)
    lower = _bent_slope(-up, -lo, bend, None if knobs is None else knobs[0])
    upper = _bent_slope(lo, up, bend, None if knobs is None else knobs[1])

    def touch(slope: Array, side: int) -> Array:
        point = side * bend.where(slope.detach())
        return torch.minimum(torch.maximum(point, lo), up)

    points = (lo, up, touch(upper[0], 1), touch(lower[0], -1))
    values = [bend.at(point) for point in points]
    offset_lower, offset_upper = extremes(lower[0], upper[0], points, values)
    start = torch.stack([lower[1], upper[1]])
    undecided = (up > lo).squeeze(1)
    return Lines(lower[0], upper[0], offset_lower, offset_upper, undecided, start, terms=80)


def _bent_slope(lo: Array, up: Array, bend: Bend, knobs: Array | None) -> tuple[Array, Array]:
    """The upper line's slope, and the knob's start."""
    import torch

    at_lo = bend.at(lo)
    chord = ((bend.at(up) - at_lo) / (up - lo).clamp(min=TINY)).clamp(min=0)
    chord = torch.where(up - lo > TINY, chord, bend.slope(lo))
    # The point d in [0, upper] whose tangent meets (lower, f(lower)): the gap below falls with d.
    near, far = torch.zeros_like(up), up.clamp(min=0)
    beyond = bend.slope(far) * (far - lo) > bend.at(far) - at_lo
    for _ in range(BISECTIONS):
        middle = (near + far) / 2
        above = bend.slope(middle) * (middle - lo) > bend.at(middle) - at_lo
        near, far = torch.where(above, middle, near), torch.where(above, far, middle)
    fixed = (up <= 0) | ((lo < 0) & beyond)
    concave = lo >= 0
    flat = torch.where(fixed, chord, bend.slope(up))
    steep = torch.where(fixed, chord, bend.slope(torch.where(concave, lo, far)))
    middle = bend.slope((lo + up) / 2)
    share = ((middle - flat) / (steep - flat).clamp(min=TINY)).clamp(0, 1)
    start = torch.where(concave, share, torch.ones_like(share))
    free = start if knobs is None else knobs
    return flat + free * (steep - flat), start


BISECTIONS = 12
"""Steps to the tangent point: its slope is then near enough, and any slope is sound."""
