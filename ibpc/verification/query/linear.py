"""CROWN as the engines of one query use it: numpy boxes in, sound linear bounds of g out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ibpc.verification.query.clipping import Linear

SLOW_S = 0.3
"""Where refining one box takes longer, many cheap boxes are better than few good ones."""

PATIENCE_S = 3.0
"""How long it may take on a machine that is busy with other things."""

STARVED = 0.7
"""A process that computes and has less of a core than this share waits for others."""

if TYPE_CHECKING:
    import torch

    from ibpc.bounds import Crown, CrownResult
    from ibpc.verification.query.bounding import Bounder
    from ibpc.verification.query.clock import Clock


@dataclass(frozen=True)
class LinearBounds:
    """Upper bounds of g, (boxes, forms), NaN where in doubt; and the linear bounds behind them."""

    upper: np.ndarray
    linear: Linear


class LinearBounder:
    """CROWN over one query's graph, in float64 with rounding covered."""

    def __init__(self, bounder: Bounder) -> None:
        self._bounder = bounder
        self.thorough = False

    @cached_property
    def _cheap(self) -> Crown:
        """Bounds of inner values from forward forms and intervals only."""
        from ibpc.bounds import Crown, Refining

        graph, weights = self._bounder.subject.graph, self._bounder.weights
        return Crown(graph, weights, Refining(refine=False))

    @cached_property
    def _whole(self) -> Crown:
        """Bounds of inner values by CROWN where they matter."""
        from ibpc.bounds import Crown

        return Crown(self._bounder.subject.graph, self._bounder.weights)

    def choose(self, lower: np.ndarray, upper: np.ndarray, clock: Clock) -> None:
        """Refine inner bounds from now on, unless one box, shapes (1, inputs), takes too long.

        A search that is cheap for want of a core in its first moments may take a hundred times as
        long to its end, so a process that did not get one tries once more, with patience.
        """
        began, used = time.monotonic(), time.process_time()
        self.thorough = self._in_time(lower, upper, min(SLOW_S, clock.left / 4))
        share = (time.process_time() - used) / max(time.monotonic() - began, 1e-9)
        if not self.thorough and share < STARVED:
            self.thorough = self._in_time(lower, upper, min(PATIENCE_S, clock.left / 4))

    def _in_time(self, lower: np.ndarray, upper: np.ndarray, seconds: float) -> bool:
        """Whether a box's inner bounds are refined to the end within so many seconds."""
        from ibpc.bounds import Crown, Refining

        until = time.monotonic() + seconds
        graph, weights = self._bounder.subject.graph, self._bounder.weights
        self._all(Crown(graph, weights, Refining(until=until)), lower, upper)
        return time.monotonic() < until

    def bounds(self, lower: np.ndarray, upper: np.ndarray) -> LinearBounds:
        """CROWN bounds over boxes, shapes (boxes, inputs)."""
        return self._all(self._whole if self.thorough else self._cheap, lower, upper)

    def _all(self, crown: Crown, lower: np.ndarray, upper: np.ndarray) -> LinearBounds:
        from ibpc.bounds import CrownProblem

        found = [
            _arrays(crown.bounds(CrownProblem(lo, up)))
            for lo, up in self._bounder.batches(lower, upper)
        ]
        return LinearBounds(
            np.concatenate([part.upper for part in found]),
            Linear(
                np.concatenate([part.linear.slopes for part in found]),
                np.concatenate([part.linear.offset for part in found]),
            ),
        )


def _arrays(result: CrownResult) -> LinearBounds:
    batch, forms = result.upper.shape
    slopes = _numpy(result.slopes).reshape(result.slopes.shape[0], forms, -1)
    offset = _numpy(result.offset)
    wide = np.broadcast_to(slopes, (batch, *slopes.shape[1:]))
    return LinearBounds(_numpy(result.upper), Linear(wide, np.broadcast_to(offset, (batch, forms))))


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    found: np.ndarray = tensor.detach().cpu().numpy()
    return found
