"""Gradient ascent towards counterexamples, over all boxes and many starts in one batch.

For a point of a box the objective is the largest, over its cases, of the smallest violation of
the case's rows: the point is unsafe where that is >= 0.

Source: Madry et al. 2018, arXiv:1706.06083 (projected gradient with random starts). We differ in
the objective (the margin of a union of polyhedra), in the starts (centre, corners, random points,
whatever bounds propose), and in steps that shrink to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from ibpc.verification.query.cases import Cases
    from ibpc.verification.query.clock import Clock

FIRST_STEP, LAST_STEP = 0.25, 0.005
"""Step sizes in units of a box's half-width; in between they shrink geometrically."""

MOMENTUM = 0.75
POINTS_AT_ONCE = 2**22
"""Entries of all values together in one batch, which bounds the memory."""


@dataclass(frozen=True)
class Attack:
    """Climbs on one network; `forward` maps (points, *dims) to g (points, forms), float32."""

    forward: Any
    cases: Cases
    shape: tuple[int, ...]
    device: str
    width: int

    def climb(
        self,
        starts: np.ndarray,
        group: np.ndarray,
        steps: int,
        clock: Clock,
        box: tuple[np.ndarray, np.ndarray] | None = None,
        enough: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best point from each start and its objective, best first; then their groups.

        Ends as soon as some objective is `enough`.
        Shapes: starts (points, inputs), group (points,); `box`: smaller boxes for each point.
        """
        limit = max(1, POINTS_AT_ONCE // self.width)
        found, margins = [], []
        for at in range(0, len(starts), limit):
            part = slice(at, at + limit)
            inside = None if box is None else (box[0][part], box[1][part])
            x, margin = self._ascend(starts[part], group[part], steps, clock, inside, enough)
            found.append(x)
            margins.append(margin)
            if (margin >= enough).any() or clock.left <= 0:
                break
        points, best = np.concatenate(found), np.concatenate(margins)
        order = np.argsort(-best, kind="stable")
        return points[order], best[order], group[: len(points)][order]

    def objective(self, x: torch.Tensor, table: _Table) -> torch.Tensor:
        """The largest over cases of the smallest violation.  Shape: (points,)."""
        g = self.forward(x)
        picked = g.gather(1, table.form).reshape(table.bound.shape)
        found: torch.Tensor = (picked + table.bound).amin(2).amax(1)
        return found

    def _ascend(
        self,
        starts: np.ndarray,
        group: np.ndarray,
        steps: int,
        clock: Clock,
        box: tuple[np.ndarray, np.ndarray] | None,
        enough: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        import torch

        table = _Table.of(self.cases, group, self.device)
        sides = (self.cases.inner_lower[group], self.cases.inner_upper[group])
        lower, upper = (self._shaped(side) for side in (sides if box is None else box))
        half = (upper - lower) / 2
        x = torch.minimum(torch.maximum(self._shaped(starts), lower), upper)
        best_x, best = x.clone(), torch.full((len(x),), -torch.inf, device=self.device)
        speed = torch.zeros_like(x)
        for step in range(steps + 1):
            last = step == steps or clock.left <= 0
            x = x.detach().requires_grad_(not last)
            with torch.set_grad_enabled(not last):
                margin = self.objective(x, table)
            seen = margin.detach()
            better = seen > best
            best = torch.where(better, seen, best)
            best_x[better] = x.detach()[better]
            if last or bool((best >= enough).any()):
                break
            (gradient,) = torch.autograd.grad(margin.sum(), x)
            gradient = gradient.nan_to_num(0.0, 0.0, 0.0)
            size = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (step / max(1, steps - 1))
            speed = MOMENTUM * speed + (1 - MOMENTUM) * _unit(gradient * half)
            moved = x.detach() + size * half * speed.sign()
            x = torch.minimum(torch.maximum(moved, lower), upper)
        flat = best_x.reshape(len(best_x), -1).cpu().numpy()
        return flat, np.nan_to_num(best.cpu().numpy(), nan=-np.inf)

    def _shaped(self, points: np.ndarray) -> torch.Tensor:
        import torch

        flat = torch.from_numpy(np.ascontiguousarray(points, dtype=np.float32))
        return flat.reshape(len(points), *self.shape[1:]).to(self.device)


def _unit(gradient: torch.Tensor) -> torch.Tensor:
    """Each point's gradient, its mean modulus made 1."""
    size = gradient.abs().flatten(1).mean(1).clamp(min=1e-30)
    return gradient / size.reshape(-1, *(1,) * (gradient.ndim - 1))


@dataclass(frozen=True)
class _Table:
    """The cases of each point's group: form (points, cases * rows), bound (points, cases, rows)."""

    form: torch.Tensor
    bound: torch.Tensor

    @classmethod
    def of(cls, cases: Cases, group: np.ndarray, device: str) -> _Table:
        import torch

        form = torch.from_numpy(cases.form[group].reshape(len(group), -1))
        bound = torch.from_numpy(cases.bound[group].astype(np.float32))
        return cls(form.to(device), bound.to(device))


def starting_points(cases: Cases, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """For each box its centre, two opposite corners, then random corners and random points.

    Shapes: (groups * count, inputs) float32, (groups * count,).
    """
    draws = np.random.default_rng(seed)
    lower = cases.inner_lower.astype(np.float64)
    width = cases.inner_upper.astype(np.float64) - lower
    shares = [np.full(lower.shape, 0.5)]
    for number in range(1, count):
        if number <= 2:
            shares.append(np.full(lower.shape, float(number - 1)))
        elif number % 2:
            shares.append(draws.integers(0, 2, lower.shape).astype(np.float64))
        else:
            shares.append(draws.random(lower.shape))
    points = np.concatenate([lower + share * width for share in shares])
    group = np.tile(np.arange(cases.groups), count)
    return points.astype(np.float32), group
