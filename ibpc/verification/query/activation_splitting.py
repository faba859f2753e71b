"""Branch and bound over the signs of units, for networks with many varying inputs.

A node of the tree fixes the signs of some units. Batches of nodes are bounded by beta-CROWN, the
search in float32, and what it calls empty is decided in float64 under the lines and multipliers
that the search found. What stays open is split at the unit whose relaxation costs the bound most.

Source: Wang et al. 2021, arXiv:2103.06624 (beta-CROWN); Bunel et al. 2020 (branching score, see
`units`). We differ in deciding in float64 with rounding covered.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ibpc.verification.query.judging import Found
from ibpc.verification.query.roots import Root, array, one_hot
from ibpc.verification.query.units import Units, splittable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from ibpc.bounds import Choice, CrownProblem, CrownResult
    from ibpc.verification.query.attack import Attack
    from ibpc.verification.query.cases import Cases
    from ibpc.verification.query.clock import Clock
    from ibpc.verification.query.judging import Judge

BATCH_ENTRIES = 2**21
"""Units times nodes of one batch, which bounds the memory."""

LARGEST_BATCH = 128
MOST_BYTES = 2**30
"""Of lines that open nodes keep."""

STEPS = 6
RATE = 0.02
"""Steps of multipliers, as a share of the largest that a split of the last batch started with."""

MOST_TRIES = 40
"""Searches for multipliers of a node all of whose units are decided, before it is given up."""

CANDIDATES = 3
"""Units whose children are tried before one is chosen."""


@dataclass(frozen=True)
class Lines:
    """The knobs that a batch of nodes was bounded with, in half precision, and one of its nodes."""

    knobs: dict[str, torch.Tensor]
    place: int


@dataclass(frozen=True, order=True)
class Leaf:
    """An open node: the parent's bound (largest first: its negative), splits, multipliers, lines.

    `first`: multipliers to start from for +1 and -1, (rows, units), once it was bounded;
    `tries`: how often it was bounded since it had no undecided unit left.

    Shapes: units, signs (depth,); betas (rows, depth).
    """

    priority: float
    units: np.ndarray = field(compare=False)
    signs: np.ndarray = field(compare=False)
    betas: np.ndarray = field(compare=False)
    lines: Lines = field(compare=False)
    first: tuple[np.ndarray, np.ndarray] | None = field(default=None, compare=False)
    tries: int = field(default=0, compare=False)

    def child(self, unit: int, sign: int) -> Leaf:
        """One more unit's sign fixed."""
        assert self.first is not None
        start = self.first[0 if sign > 0 else 1][:, [unit]]
        betas = np.concatenate([self.betas, start], axis=1)
        signs = np.append(self.signs, np.float32(sign))
        return Leaf(self.priority, np.append(self.units, unit), signs, betas, self.lines)


@dataclass(frozen=True)
class OpenCase:
    """One case of a group: its rows' forms and bounds, and the lines that its root found.

    Shapes: form, bound (rows,); lines: made for these rows.
    """

    group: int
    number: int
    form: np.ndarray
    bound: np.ndarray
    lines: Choice


@dataclass
class ActivationSplitting:
    """The search over one case; `run` says what it found."""

    root: Root
    case: OpenCase
    cases: Cases
    attack: Attack
    judge: Judge
    clock: Clock
    log: Callable[[str], None]
    stopped: Callable[[], bool]
    visited: int = 0
    unconfirmed: int = 0
    _kept: dict[str, torch.Tensor] = field(default_factory=dict)
    _scale: float = 0.0

    def run(self) -> Found | bool:
        """A witness, or whether the case was shown to be empty."""
        units = splittable(self.root.cones.quick)
        if not units.total:
            return False
        rows = len(self.case.form)
        nothing = np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((rows, 0), np.float32)
        heap = [Leaf(0.0, *nothing, Lines(_halved(self.case.lines), 0))]
        size = int(np.clip(BATCH_ENTRIES // (units.total * rows), 1, LARGEST_BATCH))
        found: Found | None = None
        while heap and found is None and not self._over(len(heap), units):
            batch = [heapq.heappop(heap) for _ in range(min(size, len(heap)))]
            leaves, found = self._expand(batch, units)
            if leaves is None:
                return False
            for leaf in leaves:
                heapq.heappush(heap, leaf)
        worst = -heap[0].priority if heap else 0.0
        self.log(
            f"case {self.case.group}.{self.case.number}: {self.visited} nodes, {len(heap)} open,"
            f" worst bound {worst:.4g}, {self.unconfirmed} not confirmed in float64"
        )
        return not heap if found is None else found

    def _over(self, waiting: int, units: Units) -> bool:
        """Whether to stop: time, memory, or somebody else was faster."""
        full = waiting * max(1, units.total) * 2 > MOST_BYTES
        return full or self.clock.left <= 0 or self.stopped()

    def _expand(self, batch: list[Leaf], units: Units) -> tuple[list[Leaf] | None, Found | None]:
        """The children of nodes that stay open, or None where a node cannot be split; a witness."""
        import torch

        result, proved = self._bounded(batch, units)
        self.visited += len(batch)
        open_ = np.flatnonzero(~proved)
        if not len(open_):
            return [], None
        upper = array(result.upper) + self.case.bound
        row = np.nan_to_num(upper, nan=np.inf).argmin(axis=1)
        found = self._try(result, row, open_, upper)
        if found is not None:
            return [], found
        plus, minus = (array(part) for part in units.first_multipliers(result))
        self._scale = float(np.abs(plus + minus).max(initial=0.0))
        kept = [
            Leaf(
                -float(np.nan_to_num(upper[place, row[place]], nan=np.inf)),
                batch[place].units,
                batch[place].signs,
                betas,
                Lines(self._kept, place),
                (plus[place], minus[place]),
                batch[place].tries,
            )
            for place, betas in zip(
                open_.tolist(), self._multipliers(batch, open_, result, units), strict=True
            )
        ]
        worst = torch.from_numpy(row).to(result.upper.device)
        values = self.root.cones.quick.values(self._corners(result, worst))
        influence = array(units.influence(result, worst, values))[open_]
        for leaf, scores in zip(kept, influence, strict=True):
            scores[leaf.units] = 0.0
        whole = influence.max(axis=1) > 0
        again = [
            replace(kept[place], tries=kept[place].tries + 1) for place in np.flatnonzero(~whole)
        ]
        if any(leaf.tries > MOST_TRIES for leaf in again):
            return None, None
        kept = [kept[place] for place in np.flatnonzero(whole)]
        if not kept:
            return again, None
        chosen = self._best_units(kept, influence[whole], units)
        pairs = zip(kept, chosen.tolist(), strict=True)
        return again + [leaf.child(unit, sign) for leaf, unit in pairs for sign in (1, -1)], None

    def _best_units(self, kept: list[Leaf], influence: np.ndarray, units: Units) -> np.ndarray:
        """For each node the unit whose children have the best bounds, of the most influential.

        Children are bounded under the parent's lines and multipliers, without a search.
        Source: De Palma et al. 2021, arXiv:2104.06718 (filtered smart branching).
        """
        count = min(CANDIDATES, influence.shape[1])
        best = np.argpartition(-influence, count - 1, axis=1)[:, :count]
        gains = np.full((len(kept), count), -np.inf)
        now = np.array([-leaf.priority for leaf in kept])
        for place in range(count):
            tried = [
                leaf.child(int(best[number, place]), sign)
                for sign in (1, -1)
                for number, leaf in enumerate(kept)
            ]
            upper = self._tried(tried, units).reshape(2, len(kept))
            gain = np.maximum(now - np.nan_to_num(upper, nan=-np.inf), 0.0)
            gain = np.minimum(gain, np.abs(now)[None] + 1.0)
            gains[:, place] = gain.min(axis=0) + 0.1 * gain.max(axis=0)
        gains[influence[np.arange(len(kept))[:, None], best] <= 0] = -np.inf
        found: np.ndarray = best[np.arange(len(kept)), gains.argmax(axis=1)]
        return found

    def _tried(self, leaves: list[Leaf], units: Units) -> np.ndarray:
        """The search's bounds under the lines and multipliers that nodes bring: (nodes,)."""
        problem, choice, shift = self._posed(leaves, units)
        found = self.root.cones.quick.bounds(problem, choice)
        return np.where(array(found.empty), -np.inf, array((found.upper + shift).amin(1)))

    def _bounded(self, batch: list[Leaf], units: Units) -> tuple[CrownResult, np.ndarray]:
        """The search's bounds, and which nodes float64 shows to be empty."""
        import torch

        from ibpc.bounds import Descent

        problem, choice, shift = self._posed(batch, units)
        result = self.root.cones.quick.alpha_bounds(
            problem,
            Descent(steps=STEPS, beta_rate=max(0.05, RATE * self._scale)),
            choice,
            lambda upper: ((upper + shift).amin(1, keepdim=True) >= 0).expand(upper.shape),
        )
        self._kept = _halved(result.choice)
        shown = array((result.upper + shift).amin(1) < 0) | array(result.empty)
        proved = np.zeros(len(batch), dtype=bool)
        if shown.any():
            index = torch.from_numpy(np.flatnonzero(shown))
            proved[index.numpy()] = self._confirmed(result, problem.splits, index)
            self.unconfirmed += int((shown & ~proved).sum())
        return result, proved

    def _confirmed(
        self,
        result: CrownResult,
        splits: Mapping[str, torch.Tensor],
        index: torch.Tensor,
    ) -> np.ndarray:
        """Which of some nodes float64 shows to be empty, under the lines that the search found."""
        import torch

        chosen = {name: split[index].double() for name, split in splits.items()}
        rows = one_hot(self.case.form, self.root.cones)
        problem = self.root.problem(len(index), rows, chosen)
        choice = result.choice.select(index).to(torch.float64)
        exact = self.root.cones.exact.bounds(problem, choice)
        sums = np.nextafter(array(exact.upper) + self.case.bound, np.inf)
        found: np.ndarray = (sums < 0).any(axis=1) | array(exact.empty)
        return found

    def _posed(self, leaves: list[Leaf], units: Units) -> tuple[CrownProblem, Choice, torch.Tensor]:
        """Nodes as the search sees them: problem, lines and multipliers to start from, bounds."""
        import torch

        from ibpc.bounds import Choice

        device = self.root.lower.device
        places, signs, betas = (torch.from_numpy(part).to(device) for part in _padded(leaves))
        splits = units.dense(places, signs)
        rows = one_hot(self.case.form, self.root.cones)
        problem = self.root.problem(len(leaves), rows, splits, quick=True)
        lines = {
            name: torch.stack([leaf.lines.knobs[name][:, leaf.lines.place] for leaf in leaves], 1)
            for name in leaves[0].lines.knobs
        }
        choice = Choice(
            {name: knobs.float() for name, knobs in lines.items()}, units.dense(places, betas)
        )
        shift = torch.from_numpy(self.case.bound.astype(np.float32)).to(device)
        return problem, choice, shift

    def _multipliers(
        self, batch: list[Leaf], open_: np.ndarray, result: CrownResult, units: Units
    ) -> list[np.ndarray]:
        """The multipliers that the search found, for each open node: (rows, depth)."""
        flat = array(units.flat(result.choice.betas, result.upper.new_zeros(result.upper.shape)))
        return [flat[place][:, batch[place].units] for place in open_.tolist()]

    def _corners(self, result: CrownResult, row: torch.Tensor) -> torch.Tensor:
        """Where the linear bounds of one row of each node are largest: (nodes, *dims)."""
        import torch

        slopes = result.slopes.expand(len(row), *result.slopes.shape[1:])
        picked = slopes[torch.arange(len(row), device=row.device), row]
        return torch.where(picked > 0, self.root.upper, self.root.lower).float()

    def _try(
        self, result: CrownResult, row: np.ndarray, open_: np.ndarray, upper: np.ndarray
    ) -> Found | None:
        """Attack from the corner that the worst nodes' linear bounds propose."""
        worst = open_[np.argsort(-upper[open_, row[open_]])[:4]]
        slopes = array(result.slopes).reshape(*result.slopes.shape[:2], -1)
        slopes = np.broadcast_to(slopes, (len(row), *slopes.shape[1:]))[worst, row[worst]]
        group = np.full(len(worst), self.case.group)
        corners = np.where(slopes > 0, self.cases.inner_upper[group], self.cases.inner_lower[group])
        points, margins, owner = self.attack.climb(corners, group, 2, self.clock)
        likely = margins >= -1e-5 * (1 + np.abs(margins[:1]))
        return self.judge.first(points[likely], owner[likely], "attack while splitting")


def _halved(choice: Choice) -> dict[str, torch.Tensor]:
    """Knobs in half precision: any number in [0, 1] is sound, and the search moves on from it."""
    return {name: knobs.half() for name, knobs in choice.knobs.items()}


def _padded(batch: list[Leaf]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The splits of all nodes as arrays; padding has the sign 0.

    Shapes: units, signs (nodes, depth), betas (nodes, rows, depth).
    """
    depth = max(1, max(len(leaf.units) for leaf in batch))
    units = np.zeros((len(batch), depth), dtype=np.int64)
    signs = np.zeros((len(batch), depth), dtype=np.float32)
    betas = np.zeros((len(batch), len(batch[0].betas), depth), dtype=np.float32)
    for place, leaf in enumerate(batch):
        units[place, : len(leaf.units)] = leaf.units
        signs[place, : len(leaf.units)] = leaf.signs
        betas[place, :, : len(leaf.units)] = leaf.betas
    return units, signs, betas
