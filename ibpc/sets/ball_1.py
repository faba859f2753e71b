"""`ball(x0, eps, norm = 1)`: all x with sum |x - x0| <= eps, inside the domain."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ibpc.sets import ball
from ibpc.sets.record import Exactness, SetForm, Support, exact_radius

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np

    from ibpc.sets.record import Ground, Search, Settled


def maximum(ground: Ground) -> Support:
    """Max of c . x over the ball cut with its box."""
    from ibpc.sets.norms import parts

    return Support(largest, parts(ground))


def largest(rows: Any, roundoff: float, center: Any, low: Any, high: Any, radius: Any) -> Any:
    """The dual bound with g(y) = |y| (see `norms`): each entry at low, 0 or high.

        c . x0 + lam r + sum max (c y - lam |y|);      without the box: c . x0 + r |c|_inf

    The best multiplier is the |c| of the entry at which the radius is spent, when entries are
    filled up in the order of |c| (a fractional knapsack).

    Shapes: rows (batch or 1, spec, n); center, low, high (batch, 1, n); radius (batch, 1).
    """
    import torch

    from ibpc.sets.norms import paid

    rows = rows.expand(len(center), -1, -1)
    with torch.no_grad():
        size = rows.detach().abs()
        room = torch.where(rows.detach() > 0, high, -low).clamp(min=0)
        order = size.argsort(dim=2, descending=True)
        each = room.gather(2, order)
        spent = each.cumsum(2)
        first = (spent < radius.unsqueeze(2)).sum(2, keepdim=True)
        place = order.gather(2, first.clamp(max=size.shape[2] - 1))
        lam = torch.where(first < size.shape[2], size.gather(2, place), 0.0)
        share = torch.minimum((radius.unsqueeze(2) - (spent - each)).clamp(min=0), each)
        reached = torch.zeros_like(rows).scatter(2, order, share) * rows.detach().sign()
    ends = torch.maximum(rows * low - lam * low.abs(), rows * high - lam * high.abs())
    around_zero = (low <= 0) & (high >= 0)
    best = torch.where(around_zero, ends.clamp(min=0), ends)
    reward = (lam.squeeze(2) * radius) * (1 + 4 * roundoff)
    value = best.sum(2) + reward
    reach = torch.maximum(low.abs(), high.abs())
    moduli = ((rows.abs() + lam) * reach).sum(2) + reward
    # The bound is the dual's; its gradient is that of the primal point, which reaches it.
    primal = (rows * reached).sum(2)
    value = primal + (value - primal).detach()
    return paid(rows, center, moduli, value, roundoff)


def search(ground: Ground) -> Search:
    """Points of the box, brought to the nearest point of the ball."""
    from ibpc.sets import norms

    return norms.search(ground, project)


def project(x: Any, center: Any, radius: Any, lower: Any, upper: Any) -> Any:
    """The nearest point of ball and box: clamp(x0 + sign(y) max(|y| - theta, 0)), y = x - x0.

    Source: Duchi et al. 2008, "Efficient projections onto the l1-ball" (soft thresholds; here
    theta is found by bisection, because of the box).
    """
    from ibpc.sets.norms import nearest

    def there(away: Any, share: Any) -> Any:
        size = away.abs()
        theta = size.amax(1, keepdim=True) * (1 - share)
        return away.sign() * (size - theta).clamp(min=0)

    return nearest(x, (center, radius, lower, upper), there, 1)


def settle(ground: Ground, candidate: np.ndarray) -> Settled | None:
    """A float32 point with sum |x - x0| <= eps in rationals."""
    from ibpc.sets import norms

    return norms.settle(ground, candidate, partial(holds, eps=exact_radius(ground.given)))


def holds(away: list[Fraction], eps: Fraction) -> bool:
    """Whether exact differences from the datum are of at most this length."""
    return sum(abs(one) for one in away) <= eps


def encode(ground: Ground, encoder: Any) -> Any:
    """The box, d_i >= |x_i - x0_i|, and sum d <= eps (rounded up)."""
    from scipy.sparse import csr_array

    from ibpc.rounding import up
    from ibpc.sets.distances import absolute

    form, away = absolute(ground, encoder)
    ones = csr_array([[1.0] * len(away.bias)])
    encoder.require(away.affine(ones, -up(exact_radius(ground.given)), (1,)), "<")
    return form


FORM = SetForm(
    kind="ball_1",
    entry=None,
    around=ball.around,
    bounds=ball.bounds,
    maximum=maximum,
    search=search,
    settle=settle,
    encode=encode,
    holds=holds,
    exact=Exactness(hull=False),
)
