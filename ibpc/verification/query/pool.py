"""Open boxes of input splitting: a bounded heap of arrays, shared by threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Boxes:
    """A batch of boxes: each with its group, its open cases, and how unsafe it may be (score).

    Shapes: lower, upper (boxes, inputs); group, score (boxes,); open_cases (boxes, cases).
    """

    lower: np.ndarray
    upper: np.ndarray
    group: np.ndarray
    open_cases: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def take(self, index: np.ndarray) -> Boxes:
        """Some of them."""
        return Boxes(
            self.lower[index],
            self.upper[index],
            self.group[index],
            self.open_cases[index],
            self.score[index],
        )

    @staticmethod
    def join(parts: list[Boxes]) -> Boxes:
        """All of them."""
        return Boxes(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("lower", "upper", "group", "open_cases", "score")
            )
        )


class Pool:
    """Boxes to look at, kept in blocks; safe to use from several threads.

    Best first: a block's boxes are sorted by score. Beyond `limit` boxes the youngest block is
    taken instead, so that the pool grows no further than depth first search does.
    """

    def __init__(self, first: Boxes, limit: int) -> None:
        self._blocks = [first]
        self._limit = limit
        self._working = 0
        self._stopped = False
        self._changed = threading.Condition()
        self.taken = 0

    def __len__(self) -> int:
        return sum(len(block) for block in self._blocks)

    def take(self, count: int) -> Boxes | None:
        """The next boxes to look at; None when there are none left or the search is stopped."""
        with self._changed:
            while not self._stopped and not self._blocks and self._working:
                self._changed.wait(0.5)
            if self._stopped or not self._blocks:
                return None
            self._working += 1
            found = self._next(count)
            self.taken += len(found)
            return found

    def give(self, boxes: Boxes) -> None:
        """What came of the boxes that were taken."""
        with self._changed:
            if len(boxes):
                order = np.argsort(-boxes.score, kind="stable")
                self._blocks.append(boxes.take(order))
            self._working -= 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Nobody gets any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _next(self, count: int) -> Boxes:
        youngest_first = len(self) > self._limit
        parts: list[Boxes] = []
        have = 0
        while self._blocks and have < count:
            place = -1
            if not youngest_first:
                best = [float(block.score[0]) for block in self._blocks]
                place = max(range(len(best)), key=best.__getitem__)
            block = self._blocks.pop(place)
            wanted = count - have
            parts.append(block.take(np.arange(min(wanted, len(block)))))
            if len(block) > wanted:
                self._blocks.append(block.take(np.arange(wanted, len(block))))
            have += len(parts[-1])
        return Boxes.join(parts)
