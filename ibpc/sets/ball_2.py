"""`ball(x0, eps, norm = 2)`: all x with sum (x - x0)^2 <= eps^2, inside the domain."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ibpc.sets import ball
from ibpc.sets.record import Exactness, SetForm, Support, exact_radius

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np

    from ibpc.sets.record import Ground, Search, Settled

SWEEPS = 8
"""Rounds of the search for the multiplier; each fixes the entries that meet the box."""

ANGLES = 24
"""Tangents to a quarter of a circle, in each node of the tree of `encode`."""


def maximum(ground: Ground) -> Support:
    """Max of c . x over the ball cut with its box."""
    from ibpc.sets.norms import parts

    return Support(largest, parts(ground))


def largest(rows: Any, roundoff: float, center: Any, low: Any, high: Any, radius: Any) -> Any:
    """The dual bound with g(y) = y^2 (see `norms`): y = clamp(c / (2 lam), low, high).

        c . x0 + lam r^2 + sum (c y - lam y^2);      without the box: c . x0 + r |c|_2

    The multiplier starts at |c|_2 / (2 r) and falls as entries meet the box:
    lam = |c over the free entries|_2 / (2 sqrt(r^2 - sum of y^2 over the others)).

    Shapes: rows (batch or 1, spec, n); center, low, high (batch, 1, n); radius (batch, 1).
    Units:  those of rows . x.  Gives: equality up to rounding where the search has ended.
    """
    import torch

    from ibpc.sets.norms import paid

    rows = rows.expand(len(center), -1, -1)
    with torch.no_grad():
        fixed, square = rows.detach(), radius * radius
        lam = fixed.norm(dim=2) / (2 * radius).clamp(min=TINY)
        for _ in range(SWEEPS):
            y = _at(fixed, lam, low, high)
            free = (y > low) & (y < high)
            left = square - torch.where(free, 0.0, y * y).sum(2)
            found = torch.where(free, fixed, 0.0).norm(dim=2) / (2 * left.clamp(min=TINY).sqrt())
            lam = torch.where((left > 0) & free.any(2), found, lam)
        lam = lam.clamp(min=TINY)
        y = _at(fixed, lam, low, high)
    gains, costs = rows * y, lam.unsqueeze(2) * y * y
    reward = lam * square * (1 + 4 * roundoff)
    value = (gains - costs).sum(2) + reward
    moduli = (gains.abs() + costs).sum(2) + reward
    found = paid(rows, center, moduli, value, roundoff)
    # The float y is the maximiser but for its rounding, which costs no more than the moduli's.
    return torch.where(radius > 0, found, torch.inf)


TINY = 1e-150


def _at(rows: Any, lam: Any, low: Any, high: Any) -> Any:
    """clamp(c / (2 lam), low, high)."""
    import torch

    return torch.minimum(torch.maximum(rows / (2 * lam).clamp(min=TINY).unsqueeze(2), low), high)


def search(ground: Ground) -> Search:
    """Points of the box, brought to the nearest point of the ball."""
    from ibpc.sets import norms

    return norms.search(ground, project)


def project(x: Any, center: Any, radius: Any, lower: Any, upper: Any) -> Any:
    """The nearest point of ball and box: clamp(x0 + s (x - x0)), s <= 1 the largest that fits."""
    from ibpc.sets.norms import nearest

    def there(away: Any, share: Any) -> Any:
        return away * share

    return nearest(x, (center, radius, lower, upper), there, 2)


def settle(ground: Ground, candidate: np.ndarray) -> Settled | None:
    """A float32 point with sum (x - x0)^2 <= eps^2 in rationals."""
    from ibpc.sets import norms

    return norms.settle(ground, candidate, partial(holds, eps=exact_radius(ground.given)))


def holds(away: list[Fraction], eps: Fraction) -> bool:
    """Whether exact differences from the datum are of at most this length."""
    return sum(one * one for one in away) <= eps * eps


def encode(ground: Ground, encoder: Any) -> Any:
    """The box, and tangent planes: a ball's outside to within a few in a thousand.

    With d_i >= |x_i - x0_i| the ball says |d|_2 <= r. A tree of pairs s >= |(d, e)|_2 needs two
    variables at a time, and each pair takes tangents cos(a) d + sin(a) e <= s at ANGLES angles.

    Source: Ben-Tal and Nemirovski 2001, "On polyhedral approximations of the second-order cone"
    (the tree); its nodes are plain tangents here.
    """
    import numpy as np

    from ibpc.rounding import up
    from ibpc.sets.distances import absolute

    form, level = absolute(ground, encoder)
    eps = up(exact_radius(ground.given))
    angles = np.linspace(0.0, np.pi / 2, ANGLES)
    # A little shorter than 1, so that rounding cannot make a tangent a secant.
    cosines, sines = (np.abs(f(angles)) * (1 - 2.0**-48) for f in (np.cos, np.sin))
    while len(level.bias) > 1:
        count = len(level.bias) // 2
        one, other = (level.take(np.arange(side, 2 * count, 2), (count,)) for side in (0, 1))
        joint = encoder.continuous(np.zeros(count), np.full(count, eps))
        for cosine, sine in zip(cosines, sines, strict=True):
            encoder.require(one.scaled(cosine).plus(other.scaled(sine)).minus(joint), "<")
        if len(level.bias) % 2:
            joint = _joined(joint, level.take([len(level.bias) - 1], (1,)))
        level = joint
    encoder.require(level.scaled(1.0, -eps), "<")
    return form


def _joined(one: Any, other: Any) -> Any:
    """The units of two forms, one behind the other."""
    import numpy as np

    size, more = len(one.bias), len(other.bias)
    left = one.scatter(np.arange(size), size + more, (size + more,))
    return left.plus(other.scatter(size + np.arange(more), size + more, (size + more,)))


FORM = SetForm(
    kind="ball_2",
    entry=None,
    around=ball.around,
    bounds=ball.bounds,
    maximum=maximum,
    search=search,
    settle=settle,
    encode=encode,
    holds=holds,
    exact=Exactness(hull=False, milp=False),
)
