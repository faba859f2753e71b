"""Branch and bound over the input box, for networks with few inputs that vary.

Batches of boxes are bounded by CROWN, cut by the linear bounds, and what stays open is halved
along the input that the bounds depend on most. Points that the bounds propose are attacked on the
way. Threads take batches from one pool, each with one thread of the tensor library.

Source: Wang et al. 2018, arXiv:1804.10829 (ReluVal: splitting inputs by their influence); Bunel et
al. 2018, arXiv:1711.00455 (the frame). We differ in cutting boxes before splitting, and in bounds
from backward linear relaxations.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ibpc.verification.query.clipping import clip
from ibpc.verification.query.pool import Boxes, Pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.verification.query.attack import Attack
    from ibpc.verification.query.cases import Cases
    from ibpc.verification.query.clock import Clock
    from ibpc.verification.query.judging import Found, Judge
    from ibpc.verification.query.linear import LinearBounder, LinearBounds

POOL_BYTES = 2**30
FIRST_BATCH, LAST_BATCH = 16, 1024
BATCH_S = 1.0
"""Seconds that a batch may take: the clock is looked at between batches."""

CLIMBED = 8
"""Most promising boxes of a batch whose proposed points are climbed from."""


@dataclass
class Tally:
    """What happened: boxes bounded, those that cannot be split further, batches and their time."""

    boxes: int = 0
    stuck: int = 0
    batches: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class InputSplitting:
    """One search; `run` says what it found."""

    cases: Cases
    bounder: LinearBounder
    attack: Attack
    judge: Judge
    clock: Clock
    jobs: int
    log: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)

    def run(self, first: Boxes) -> Found | bool:
        """A witness, or whether every case was shown to be empty."""
        import torch

        limit = POOL_BYTES // (8 * (2 * self.cases.inputs + self.cases.form.shape[1] + 4))
        pool = Pool(first, limit)
        found: list[Found] = []
        threads = torch.get_num_threads()
        torch.set_num_threads(max(1, threads // self.jobs))
        try:
            with ThreadPoolExecutor(self.jobs) as threads_of:
                waiting = [threads_of.submit(self._work, pool, found) for _ in range(self.jobs)]
                for one in waiting:
                    one.result()
        finally:
            torch.set_num_threads(threads)
        self.log(
            f"input splitting: {self.tally.boxes} boxes, {len(pool)} open, {self.tally.stuck} stuck"
        )
        if found:
            return found[0]
        return not len(pool) and not self.tally.stuck and self.clock.left > 0

    def _work(self, pool: Pool, found: list[Found]) -> None:
        """One thread: batches until there are none, the time is up, or somebody found a witness."""
        try:
            while self.clock.left > 0:
                batch = pool.take(self._batch_size())
                if batch is None:
                    return
                children = batch
                try:
                    children, witness = self._step(batch)
                    if witness is not None:
                        found.append(witness)
                        return
                finally:
                    pool.give(children)
        finally:
            if self.clock.left <= 0 or found or _failing():
                pool.stop()

    def _batch_size(self) -> int:
        growing = FIRST_BATCH * 2 ** min(10, self.tally.batches // self.jobs)
        in_time = BATCH_S * self.tally.boxes / max(self.tally.seconds, 1e-6)
        return int(min(LAST_BATCH, growing, max(1, in_time))) if self.tally.boxes else 1

    def _step(self, batch: Boxes) -> tuple[Boxes, Found | None]:
        """The boxes that stay open after bounding, cutting and halving; or a witness."""
        started = time.monotonic()
        bounds = self.bounder.bounds(batch.lower, batch.upper)
        with self.tally.lock:
            self.tally.seconds += time.monotonic() - started
            self.tally.boxes += len(batch)
            self.tally.batches += 1
        open_cases = batch.open_cases & ~self.cases.safe(bounds.upper, batch.group)
        lower, upper, open_cases = clip(
            batch.lower, batch.upper, batch.group, open_cases, bounds.linear, self.cases
        )
        score = self._scores(bounds.upper, batch.group, open_cases)
        kept = np.flatnonzero(open_cases.any(axis=1))
        rest = Boxes(lower, upper, batch.group, open_cases, score).take(kept)
        if not len(rest):
            return rest, None
        steep = _steepness(bounds, self.cases, batch.group, open_cases)[kept]
        witness = self._try(rest, bounds, kept)
        return self._halve(rest, steep), witness

    def _scores(self, upper: np.ndarray, group: np.ndarray, open_cases: np.ndarray) -> np.ndarray:
        """The largest violation that an open case may have; NaN counts as most."""
        most = np.where(open_cases, self.cases.violations(upper, group), -np.inf).max(axis=1)
        return np.asarray(np.nan_to_num(most, nan=np.inf))

    def _try(self, rest: Boxes, bounds: LinearBounds, kept: np.ndarray) -> Found | None:
        """Attack from the corners that the linear bounds propose, and from centres."""
        index = np.argsort(-rest.score, kind="stable")[:CLIMBED]
        part = rest.take(index)
        slopes = bounds.linear.slopes[kept[index]]
        form = self.cases.form[part.group][np.arange(len(index)), part.open_cases.argmax(axis=1), 0]
        chosen = slopes[np.arange(len(index)), form]
        corners = np.where(chosen > 0, part.upper, part.lower)
        starts = np.concatenate([corners, (part.lower + part.upper) / 2])
        twice = np.tile(np.arange(len(part)), 2)
        box, group = (part.lower[twice], part.upper[twice]), part.group[twice]
        steps = 8 if self.tally.batches % 4 == 0 else 0
        points, margins, owner = self.attack.climb(starts, group, steps, self.clock, box)
        likely = margins >= -1e-5 * (1 + np.abs(margins[:1]))
        return self.judge.first(points[likely], owner[likely], "attack while splitting")

    def _halve(self, rest: Boxes, steep: np.ndarray) -> Boxes:
        """Both halves of each box, along the input with the greatest influence."""
        width = rest.upper - rest.lower
        axis = (steep * width + 1e-9 * width).argmax(axis=1)
        rows = np.arange(len(rest))
        middle = (rest.lower[rows, axis] + rest.upper[rows, axis]) / 2
        fits = (rest.lower[rows, axis] < middle) & (middle < rest.upper[rows, axis])
        with self.tally.lock:
            self.tally.stuck += int((~fits).sum())
        rows, axis, middle = rows[fits], axis[fits], middle[fits]
        left, right = rest.take(rows), rest.take(rows)
        left.upper[np.arange(len(rows)), axis] = middle
        right.lower[np.arange(len(rows)), axis] = middle
        return Boxes.join([left, right])


def _steepness(
    bounds: LinearBounds, cases: Cases, group: np.ndarray, open_cases: np.ndarray
) -> np.ndarray:
    """How much the linear bounds of open cases depend on each input: (boxes, inputs)."""
    used = np.zeros(bounds.upper.shape, dtype=bool)
    box, case = np.nonzero(open_cases)
    for row in range(cases.form.shape[2]):
        used[box, cases.form[group[box], case, row]] = True
    slopes = np.nan_to_num(np.abs(bounds.linear.slopes))
    found: np.ndarray = np.einsum("bf,bfi->bi", used.astype(np.float64), slopes)
    return found


def _failing() -> bool:
    """Whether an exception is on its way out of this thread."""
    import sys

    return sys.exc_info()[0] is not None
