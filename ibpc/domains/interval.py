"""Boxes of values: centre and radius for affine rules (Eq. 6), bounds for monotone ones (Eq. 7).

An `Interval` holds whichever of the two forms it was made from and derives the other when asked,
once. Its entries are tensors, or `torch.fx.Proxy`s while a program is being lowered.

With `roundoff` u > 0 every rule covers its own floating-point error: an affine rule with n terms
widens its radius by gamma_n (|W| (|mu| + r) + |W mu + b|), gamma_n = n u / (1 - n u) (Higham 2002,
"Accuracy and Stability of Numerical Algorithms", section 3.1), and changes of form widen by the
roundings they make. With u = 0 (training) nothing is added. Where a product may underflow, a few
smallest normal numbers of the format that u belongs to are added as well. The bound is for sums
of products in any order (direct convolution, blocked matrix products); it does not hold for
Winograd or FFT convolutions, which some libraries choose for float32: decide in float64.

Source: Gowal et al. 2019, Eq. 5 to 7. We differ in carrying the form from layer to layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Array = Any
"""A torch tensor, or its `torch.fx.Proxy` while a program is lowered."""


class Interval:
    """The set of values between `lower` and `upper`, equally `center` +- `radius`.

    Shapes: all four alike, batch axis first. Units: those of the value.
    """

    __slots__ = ("_center", "_lower", "_radius", "_upper", "roundoff")

    def __init__(
        self,
        lower: Array = None,
        upper: Array = None,
        center: Array = None,
        radius: Array = None,
        roundoff: float = 0.0,
    ) -> None:
        self._lower, self._upper = lower, upper
        self._center, self._radius = center, radius
        self.roundoff = roundoff

    @classmethod
    def from_bounds(cls, lower: Array, upper: Array, roundoff: float = 0.0) -> Interval:
        """The interval [lower, upper]."""
        return cls(lower=lower, upper=upper, roundoff=roundoff)

    @classmethod
    def from_center(cls, center: Array, radius: Array, roundoff: float = 0.0) -> Interval:
        """The interval [center - radius, center + radius]."""
        return cls(center=center, radius=radius, roundoff=roundoff)

    @property
    def centred(self) -> bool:
        """Whether centre and radius are at hand without further work."""
        return self._center is not None

    @property
    def center(self) -> Array:
        """Mu = (lower + upper) / 2."""
        if self._center is None:
            self._center = (self._lower + self._upper) * 0.5
        return self._center

    @property
    def radius(self) -> Array:
        """R = (upper - lower) / 2; with rounding, large enough that mu +- r covers both bounds."""
        if self._radius is None:
            if self.roundoff:
                center = self.center
                reach = _max(self._upper - center, center - self._lower)
                self._radius = reach * (1 + 4 * self.roundoff)
            else:
                self._radius = (self._upper - self._lower) * 0.5
        return self._radius

    @property
    def lower(self) -> Array:
        """Mu - r, rounded down."""
        if self._lower is None:
            self._lower = self._center - self._radius - self._slack()
        return self._lower

    @property
    def upper(self) -> Array:
        """Mu + r, rounded up."""
        if self._upper is None:
            self._upper = self._center + self._radius + self._slack()
        return self._upper

    def affine(
        self,
        apply: Callable[[Array], Array],
        apply_abs: Callable[[Array], Array],
        terms: int,
    ) -> Interval:
        """The image under v -> W v + b: mu' = W mu + b, r' = |W| r (Eq. 6).

        `apply(v)` computes W v + b, `apply_abs(v)` computes |W| v, and `terms` counts the products
        that one output sums (the fan-in, bias included).
        """
        center, radius = apply(self.center), apply_abs(self.radius)
        if self.roundoff:
            size = apply_abs(self.center.abs() + self.radius) + center.abs()
            radius = self._widened(radius, size, terms)
        return Interval.from_center(center, radius, self.roundoff)

    def bilinear(
        self, other: Interval, apply: Callable[[Array, Array], Array], terms: int
    ) -> Interval:
        """The image of two intervals under a product `apply(v, w)`, linear in each of them.

            mu' = mu_v mu_w,   r' = |mu_v| r_w + r_v (|mu_w| + r_w)

        Source: Rump 1999, "Fast and parallel interval arithmetic", BIT 39.
        """
        center = apply(self.center, other.center)
        reach = other.center.abs() + other.radius
        radius = apply(self.center.abs(), other.radius) + apply(self.radius, reach)
        if self.roundoff:
            size = apply(self.center.abs() + self.radius, reach) + center.abs()
            radius = self._widened(radius, size, 2 * terms)
        return Interval.from_center(center, radius, self.roundoff)

    def times(self, other: Interval) -> Interval:
        """The product entry by entry: the extremes of the products of the ends.

        Source: Moore et al. 2009, "Introduction to Interval Analysis".
        """
        import torch

        ends = [v * w for v in (self.lower, self.upper) for w in (other.lower, other.upper)]
        lower = torch.minimum(torch.minimum(ends[0], ends[1]), torch.minimum(ends[2], ends[3]))
        upper = _max(_max(ends[0], ends[1]), _max(ends[2], ends[3]))
        if self.roundoff:
            lower, upper = self._loosened(lower, upper, error=1)
        return Interval.from_bounds(lower, upper, self.roundoff)

    def monotone(
        self,
        function: Callable[[Array], Array],
        error: float = 0.0,
        limits: tuple[float, float] | None = None,
    ) -> Interval:
        """The image under an increasing element-wise function: its values at the bounds (Eq. 7).

        `error` is the function's own error in units of its result's roundoff (0 where exact), and
        `limits` the range of the function, which widening by the error must not leave.
        """
        lower, upper = function(self.lower), function(self.upper)
        if self.roundoff and error:
            lower, upper = self._loosened(lower, upper, error)
            if limits is not None:
                lower, upper = lower.clamp(*limits), upper.clamp(*limits)
        return Interval.from_bounds(lower, upper, self.roundoff)

    def shaped(self, function: Callable[[Array], Array]) -> Interval:
        """The image under a re-arrangement of entries (reshape, transpose, slice): exact."""
        if self.centred:
            return Interval.from_center(function(self.center), function(self.radius), self.roundoff)
        return Interval.from_bounds(function(self.lower), function(self.upper), self.roundoff)

    def __add__(self, other: Interval | Array) -> Interval:
        """Minkowski sum with another interval, or a shift by a tensor."""
        if isinstance(other, Interval):
            center, radius = self.center + other.center, self.radius + other.radius
        else:
            center, radius = self.center + other, self.radius
        if self.roundoff:
            radius = (radius + center.abs() * (2 * self.roundoff)) * (1 + 4 * self.roundoff)
        return Interval.from_center(center, radius, self.roundoff)

    def __neg__(self) -> Interval:
        """The mirror image."""
        if self.centred:
            return Interval.from_center(-self.center, self.radius, self.roundoff)
        return Interval.from_bounds(-self.upper, -self.lower, self.roundoff)

    def __sub__(self, other: Interval | Array) -> Interval:
        """The sum with the mirror image: a superset where both depend on one input."""
        return self + (-other)

    def scaled(self, factor: Array) -> Interval:
        """The product with a tensor: centre times factor, radius times |factor|."""
        return self.affine(lambda v: v * factor, lambda v: v * abs(factor), terms=1)

    def _widened(self, radius: Array, size: Array, terms: int) -> Array:
        """The radius, covering the rounding of sums of `terms` products whose moduli sum to `size`.

        Twice gamma: once for the centre and the radius, once for `size` itself.
        """
        scale = (terms + 4) * self.roundoff
        gamma = scale / (1 - scale)
        tiny = 4 * (terms + 4) * self._smallest()
        return (radius + size * (2 * gamma)) * (1 + 2 * gamma) + tiny

    def _loosened(self, lower: Array, upper: Array, error: float) -> tuple[Array, Array]:
        """Bounds that cover `error` roundings of each, results below the normal range too."""
        # Three more for what is computed here.
        share, tiny = (error + 3) * self.roundoff, 4 * self._smallest()
        return lower - (lower.abs() * share + tiny), upper + (upper.abs() * share + tiny)

    def _smallest(self) -> float:
        """The smallest normal number of the format whose unit roundoff is ours."""
        return 2.0**-126 if self.roundoff > 2.0**-50 else 2.0**-1022

    def _slack(self) -> Array:
        """Covers the rounding of mu +- r (zero where rounding is not covered)."""
        if not self.roundoff:
            return 0.0
        return (self._center.abs() + self._radius) * (4 * self.roundoff)


def _max(left: Array, right: Array) -> Array:
    """Element-wise maximum of tensors or proxies."""
    import torch

    return torch.maximum(left, right)
