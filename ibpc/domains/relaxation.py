"""Linear bounds of nonlinear functions: what CROWN carries rows of coefficients back through.

A relaxation of y = f(x) answers one question: given rows A over y, which rows A' over x and which
constant make

    A y  <=  A' x + constant       for every x in the box that it was made from?

(`pull`). Rows and constants of one relaxation may differ by example (`batch`) and by row (`spec`).
Lower bounds are upper bounds of the negated rows.

Source: Zhang et al. 2018, arXiv:1811.00866 (lines chosen by the sign of a
coefficient, and the adaptive slope for ReLU). We differ in that offsets are computed from the
slopes, as extremes of f(x) - slope x over the box, so that every slope gives a sound line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.domains.interval import Interval

Array = Any
TINY = 1e-30
"""A width below this is no width: a slope over it would overflow."""


class Relaxation(Protocol):
    """What a `relax` facet returns."""

    @property
    def terms(self) -> int:
        """Roundings behind one coefficient of the relaxation, for the cover of rounding."""

    @property
    def knobs(self) -> Array | None:
        """The parameters in [0, 1] that these bounds were made with; None without any.

        Shape: (knobs, batch, 1, *dims).
        """

    def pull(self, rows: Array) -> tuple[tuple[Array | None, ...], Array]:
        """Rows over the operands, and the constant.

        Shapes: rows (batch, spec, *dims), constant (batch, spec).
        """

    def sizes(self, *reach: Array) -> Array:
        """The sum of the moduli of all that one entry's bounds add up, for |x| <= reach.

        Shapes: reach (batch, *operand dims); gives (batch, 1 or spec, *out dims).
        """

    def loose(self, position: int) -> Array:
        """Which entries of an operand have bounds worth tightening.  Shape: (batch, *dims)."""


def dot(rows: Array, vector: Array) -> Array:
    """The product of rows (batch, spec, *dims) with a vector (batch, 1 or spec, *dims)."""
    import torch

    flat = rows.reshape(*rows.shape[:2], -1)
    other = vector.reshape(*vector.shape[:2], -1)
    if other.shape[1] == 1:
        return torch.matmul(flat, other.transpose(1, 2)).squeeze(2)
    return (flat * other).sum(2)


@dataclass(frozen=True)
class Lines:
    """slope_lower x + offset_lower <= f(x) <= slope_upper x + offset_upper, entry by entry.

    Shapes: all (batch, 1 or spec, *dims); an offset None is 0. `open` (batch, *dims) marks the
    entries where the lines differ.
    """

    slope_lower: Array
    slope_upper: Array
    offset_lower: Array | None
    offset_upper: Array | None
    open: Array
    knobs: Array | None = None
    terms: int = 8

    def pull(self, rows: Array) -> tuple[tuple[Array | None, ...], Array]:
        """The upper line where a coefficient is positive, the lower one where it is negative."""
        import torch

        positive = rows.clamp(min=0)
        spread = self.slope_upper - self.slope_lower
        found = torch.addcmul(rows * self.slope_lower, positive, spread)
        constant = 0.0
        if self.offset_upper is not None:
            constant = dot(positive, self.offset_upper)
        if self.offset_lower is not None:
            constant = constant + dot(rows - positive, self.offset_lower)
        return (found,), constant

    def sizes(self, *reach: Array) -> Array:
        """|slope| |x| + |offset|, the larger of the two lines'."""
        slopes = self.slope_lower.abs() + self.slope_upper.abs()
        found = slopes * reach[0].unsqueeze(1)
        for offset in (self.offset_lower, self.offset_upper):
            found = found if offset is None else found + offset.abs()
        return found

    def loose(self, _: int) -> Array:
        """Entries whose two lines differ."""
        return self.open

    def flattened(self, where: Array, image: Interval) -> Lines:
        """The same lines, but level ones at the ends of the image's box for some entries.

        Shape: where (batch, *dims).
        """
        import torch

        chosen, level = where.unsqueeze(1), torch.zeros_like(self.slope_lower)
        low = level if self.offset_lower is None else self.offset_lower
        high = level if self.offset_upper is None else self.offset_upper
        return replace(
            self,
            slope_lower=torch.where(chosen, level, self.slope_lower),
            slope_upper=torch.where(chosen, level, self.slope_upper),
            offset_lower=torch.where(chosen, image.lower.unsqueeze(1), low),
            offset_upper=torch.where(chosen, image.upper.unsqueeze(1), high),
        )


def kinked_lines(x: Interval, below: float, knobs: Array | None = None) -> Lines:
    """Lines of f(x) = x where x > 0, below x elsewhere (ReLU: below = 0).

    Chord through the ends on the side where f bulges away from it; on the other a line through 0,

        slope = below + (1 - below) a,   a in [0, 1],   a = 1 where upper > -lower, else 0

    or a as `knobs` say. Exact where the sign of x is fixed.

    Shapes: x (batch, *dims); knobs (1, batch, spec, *dims).
    Source: Zhang et al. 2018, arXiv:1811.00866 (adaptive bounds for ReLU);
    Xu et al. 2021, arXiv:2011.13824 (a as a parameter).
    """
    import torch

    low, high = x.lower.clamp(max=0).unsqueeze(1), x.upper.clamp(min=0).unsqueeze(1)
    undecided = (low < 0) & (high > 0)
    # Where the sign is fixed nothing is divided: training differentiates this.
    share = torch.where(undecided, high / torch.where(undecided, high - low, 1.0), high > 0)
    start = (high > -low).to(high.dtype)
    a = start if knobs is None else torch.where(undecided, knobs[0], start)
    chord, through = (share, a) if below == 0 else (_mix(below, share), _mix(below, a))
    # f(x) - chord x is largest (below < 1: f is convex) or smallest at an end.
    offset = (1 - below) * torch.maximum(-share * low, (1 - share) * high)
    undecided, start = undecided.squeeze(1), start.unsqueeze(0)
    if below <= 1:
        return Lines(through, chord, None, offset, undecided, start)
    return Lines(chord, through, offset, None, undecided, start)


def _mix(below: float, share: Array) -> Array:
    return below + (1 - below) * share


def clipped_lines(x: Interval, low: float, high: float, knobs: Array | None = None) -> Lines:
    """Lines of min(max(x, low), high).

    The upper line starts at (lower, f(lower)) and touches the corner at `high`, where lower is
    below `low`; where f only bends down on the box its slope is a knob. The lower line mirrors it.

    Shapes: x (batch, *dims); knobs (2, batch, spec, *dims).
    Source: as for ReLU (`kinked_lines`), of which this is two; offsets by `extremes`.
    """
    import torch

    lo, up = x.lower.unsqueeze(1), x.upper.unsqueeze(1)
    mirrored = _clip_slope(-up, -lo, -high, -low, None if knobs is None else knobs[0])
    upper = _clip_slope(lo, up, low, high, None if knobs is None else knobs[1])
    corners = [torch.minimum(torch.maximum(torch.full_like(lo, c), lo), up) for c in (low, high)]
    points = (lo, up, *corners)
    values = [point.clamp(low, high) for point in points]
    offset_lower, offset_upper = extremes(mirrored[0], upper[0], points, values)
    undecided = ((lo < low) & (up > low)) | ((lo < high) & (up > high))
    start = torch.stack([mirrored[1], upper[1]])
    return Lines(
        mirrored[0], upper[0], offset_lower, offset_upper, undecided.squeeze(1), start, terms=16
    )


def _clip_slope(
    lo: Array, up: Array, low: float, high: float, knobs: Array | None
) -> tuple[Array, Array]:
    """The upper line's slope, and the knob's start: steep where more of the box lies below."""
    import torch

    end = up.clamp(max=high)
    rise = end.clamp(min=low) - lo.clamp(low, high)
    chord = (rise / (end - lo).clamp(min=TINY)).clamp(0, 1)
    bends_down = (lo >= low) & (lo < high) & (up > high)
    start = ((high - lo) > (up - high)).to(lo.dtype)
    free = start if knobs is None else knobs
    slope = torch.where(bends_down, free, torch.where(lo >= high, torch.zeros_like(lo), chord))
    return slope, start


def extremes(
    slope_lower: Array, slope_upper: Array, points: tuple[Array, ...], values: list[Array]
) -> tuple[Array, Array]:
    """The smallest of f - slope_lower x and the largest of f - slope_upper x over some points."""
    import torch

    pairs = list(zip(points, values, strict=True))
    lowest = [value - slope_lower * point for point, value in pairs]
    highest = [value - slope_upper * point for point, value in pairs]
    least, most = lowest[0], highest[0]
    for below, above in zip(lowest[1:], highest[1:], strict=True):
        least, most = torch.minimum(least, below), torch.maximum(most, above)
    return least, most


@dataclass(frozen=True)
class Picked:
    """y between affine functions of one entry each: slope x[entry] + offset, group by group.

        x[first]  <=  y  <=  slope x[second] + offset

    Shapes: first, second (batch, groups) flat positions in an operand of `shape` (*dims);
    slope, offset (batch, 1, groups); `open` (batch, groups) where the two differ;
    `members` (groups, n): flat positions that a group may pick from, -1 for none.
    """

    shape: tuple[int, ...]
    first: Array
    second: Array
    slope: Array
    offset: Array
    open: Array
    members: Array
    knobs: Array | None = None
    terms: int = 8

    def pull(self, rows: Array) -> tuple[tuple[Array | None, ...], Array]:
        """Coefficients land on the picked entries."""
        flat = rows.reshape(*rows.shape[:2], -1)
        batch = max(flat.shape[0], self.first.shape[0])
        flat = flat.expand(batch, -1, -1)
        positive = flat.clamp(min=0)
        found = flat.new_zeros(batch, flat.shape[1], _count(self.shape))
        for index, part in (
            (self.first, flat - positive),
            (self.second, positive * self.slope),
        ):
            place = index.unsqueeze(1).expand(batch, flat.shape[1], -1)
            found = found.scatter_add(2, place, part)
        return (found.reshape(batch, -1, *self.shape),), dot(positive, self.offset)

    def sizes(self, *reach: Array) -> Array:
        """|slope x| + |offset| of the picked entries; slopes are at most 1."""
        flat = reach[0].flatten(1)
        both = flat.gather(1, self.first) + flat.gather(1, self.second)
        return both.unsqueeze(1) + self.offset.abs()

    def loose(self, _: int) -> Array:
        """The entries of groups whose bounds differ."""
        import torch

        batch, width = self.open.shape[0], self.members.shape[1]
        cells = _count(self.shape) + 1
        marks = torch.zeros(batch, cells, dtype=torch.int64, device=self.open.device)
        place = self.members.reshape(1, -1).expand(batch, -1)
        place = torch.where(place < 0, _count(self.shape), place)
        marks = marks.scatter_add(1, place, self.open.repeat_interleave(width, 1).long())
        return (marks[:, :-1] > 0).reshape(batch, *self.shape)


def largest_of(x: Interval, members: Array) -> Picked:
    """Bounds of y = max over each group of entries of x.

    y >= the entry with the largest lower bound. With i the entry of the largest upper bound and M
    the largest upper bound of the others: y <= max(x_i, M), under its chord over [lower_i, upper_i]
    (y = x_i where lower_i >= M).

    Shapes: x (batch, *dims); members (groups, n), flat positions in an example, -1 for none.
    Source: derived here from the chord of max(x_i, M), as that of ReLU in Zhang et al. 2018,
    arXiv:1811.00866.
    """
    import torch

    inside = members >= 0
    place = members.clamp(min=0)
    low = x.lower.flatten(1)[:, place].masked_fill(~inside, float("-inf"))
    high = x.upper.flatten(1)[:, place].masked_fill(~inside, float("-inf"))
    first = low.argmax(2, keepdim=True)
    tops, order = high.topk(min(2, high.shape[2]), dim=2)
    second = order[..., :1]
    top, bottom = tops[..., 0], low.gather(2, second).squeeze(2)
    rest = tops[..., 1] if tops.shape[2] > 1 else torch.full_like(top, float("-inf"))
    undecided = bottom < rest
    # y <= M + slope (x_i - lower_i); the offset is checked at both ends of [lower_i, upper_i].
    floor = torch.where(undecided, rest, bottom)
    slope = ((top - floor) / (top - bottom).clamp(min=TINY)).clamp(0, 1)
    slope = torch.where(undecided, slope, torch.ones_like(slope))
    offset = torch.maximum(floor - slope * bottom, top - slope * top)
    offset = torch.where(undecided, offset, torch.zeros_like(offset))

    def entry(chosen: Array) -> Array:
        return place.expand(high.shape[0], -1, -1).gather(2, chosen).squeeze(2)

    return Picked(
        tuple(x.lower.shape[1:]),
        entry(first),
        entry(second),
        slope.unsqueeze(1),
        offset.unsqueeze(1),
        undecided | (entry(first) != entry(second)),
        members,
    )


@dataclass(frozen=True)
class Product:
    """Bounds of y = v . w, a product linear in each of two operands, about their centres.

        | v . w - (v . m_w + m_v . w - m_v . m_w) |  <=  r_v . r_w

    since (v - m_v) . (w - m_w) is at most r_v . r_w. Every entry of the bound is the mean of the
    two McCormick planes of its side, so the gap at the centre is McCormick's.

    `back(rows, m_w, 0)`, `back(rows, m_v, 1)`: rows over operand 0 or 1, the other one fixed.
    Shapes: middle, reach (batch, 1, *out dims).
    Source: McCormick 1976, "Computability of global solutions to factorable nonconvex programs";
    Shi et al. 2020, arXiv:2002.06622 (multiplication), which chooses other planes.
    """

    left: Interval
    right: Interval
    apply: Callable[[Array, Array], Array]
    back: Callable[[Array, Array, int], Array]
    terms: int = 16
    knobs: Array | None = None

    def pull(self, rows: Array) -> tuple[tuple[Array | None, ...], Array]:
        """Each operand gets the rows times the other's centre."""
        middle = self.apply(self.left.center, self.right.center).unsqueeze(1)
        reach = self.apply(self.left.radius, self.right.radius).unsqueeze(1)
        found = (self.back(rows, self.right.center, 0), self.back(rows, self.left.center, 1))
        return found, dot(rows.abs(), reach) - dot(rows, middle)

    def sizes(self, *reach: Array) -> Array:
        """Five products of operands no larger than |centre| + radius."""
        left = self.left.center.abs() + self.left.radius + reach[0]
        right = self.right.center.abs() + self.right.radius + reach[1]
        return 4 * self.apply(left, right).unsqueeze(1)

    def loose(self, position: int) -> Array:
        """Entries with a width."""
        return (self.left, self.right)[position].radius > 0


def _count(shape: tuple[int, ...]) -> int:
    from math import prod

    return prod(shape)
