"""What the balls in the 1- and 2-norm share: their box, their parts, the float32 inside.

Both maxima are Lagrangian duals: for any multiplier lam >= 0

    max over |y| <= r, low <= y <= high of c y
        <=  lam g(r) + sum over entries of max over [low, high] of (c y - lam g(y))

with g(y) = y^2 or |y|. The bound is sound for every lam; at the best one it is the exact maximum
over the ball cut with the box (the problem is convex). So the search for lam needs no care.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ibpc.rounding import to_float32, up
from ibpc.sets.record import Ground, Search, Settled, exact_radius

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

BISECTIONS = 24
"""Halvings on the way to the nearest point: as many as a float32 has bits."""

STEPS = 40
"""How often a candidate is drawn nearer to the centre before it is given up."""


def parts(ground: Ground) -> tuple[torch.Tensor, ...]:
    """Centre, the box relative to it (rounded outward), and the radius (rounded up).

    Shapes: (batch, 1, n) three times, (batch, 1).
    """
    x, lower, upper = ground.flat()
    low = np.nextafter(lower - x, -np.inf)
    high = np.nextafter(upper - x, np.inf)
    sides = [torch.from_numpy(part).unsqueeze(1) for part in (x, low, high)]
    eps = up(exact_radius(ground.given))
    return (*sides, torch.full((len(x), 1), eps, dtype=torch.float64))


def paid(
    rows: torch.Tensor,
    center: torch.Tensor,
    moduli: torch.Tensor,
    value: torch.Tensor,
    roundoff: float,
) -> torch.Tensor:
    """`value + rows . center`, with more than gamma_n of all moduli added where u > 0.

    Shapes: rows, center (batch, spec or 1, n); moduli, value (batch, spec).
    """
    total = value + (rows * center).sum(2)
    if not roundoff:
        return total
    size = moduli + (rows * center).abs().sum(2) + value.abs()
    slack = 4 * (rows.shape[2] + 16) * roundoff * size.detach()
    return total + slack + 2.0**-900 * (1 + rows.shape[2])


def search(ground: Ground, project: Callable[..., Any]) -> Search:
    """Points of the box, drawn to the centre by `project(x, center, radius, low, high)`."""
    x, lower, upper = (torch.tensor(part, dtype=torch.float32) for part in ground.flat())
    shape = ground.x.shape
    eps = float(exact_radius(ground.given))
    step = torch.full_like(x, eps / 2)
    radius = torch.full((len(x), 1), eps * (1 - 2.0**-20))
    low, high, start, way = (part.reshape(shape) for part in (lower, upper, x, step))
    return Search(low, high, start, way, tensors=(x, radius, lower, upper), project=project)


def nearest(
    x: torch.Tensor, sides: tuple[torch.Tensor, ...], there: Callable[..., Any], norm: int
) -> torch.Tensor:
    """clamp(x0 + there(x - x0, s)) for the largest s in [0, 1] at which it is in the ball.

    `there` is the nearest point for some multiplier, and grows with s from 0 to x - x0 (KKT).
    """
    center, radius, lower, upper = sides
    away = x.flatten(1) - center

    def at(share: torch.Tensor) -> torch.Tensor:
        return torch.minimum(torch.maximum(center + there(away, share), lower), upper)

    low, high = torch.zeros_like(radius), torch.ones_like(radius)
    for step in range(BISECTIONS):
        middle = high if step == 0 else (low + high) / 2
        fits = (at(middle) - center).norm(p=norm, dim=1, keepdim=True) <= radius
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    return at(low).view_as(x)


def settle(
    ground: Ground, candidate: np.ndarray, inside: Callable[[list[Fraction]], bool]
) -> Settled | None:
    """The candidate, or the first point on its way to the centre that is exactly in the set.

    `inside(differences from the centre)` decides exactly; rounding is towards the centre.
    """
    from ibpc.sets import inner_box

    center = ground.x.reshape(-1)
    sides = inner_box(ground.given, ground.kind, ground.x)
    lower, upper = (side.reshape(-1) for side in sides)
    if (lower > upper).any():
        return None
    nearest = np.minimum(np.maximum(candidate.astype(np.float32), lower), upper)
    if inside(differences(nearest, center)):
        return Settled(nearest)
    way = candidate - center.astype(np.float64)
    shrink, factor = 2.0**-24, 1.0
    for _ in range(STEPS):
        there = center + way * factor
        point = np.where(way > 0, to_float32(there, upward=False), to_float32(there, upward=True))
        point = np.minimum(np.maximum(point, lower), upper).astype(np.float32)
        if inside(differences(point, center)):
            return Settled(point)
        shrink, factor = shrink * 2, max(0.0, 1 - shrink * 2)
    return None


def differences(point: np.ndarray, center: np.ndarray) -> list[Fraction]:
    """Exact differences of two float32 tensors, flat."""
    from fractions import Fraction

    pairs = zip(point.reshape(-1).tolist(), center.reshape(-1).tolist(), strict=True)
    return [Fraction(one) - Fraction(other) for one, other in pairs]
