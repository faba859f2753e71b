"""Better bounds of a whole box's units, layer by layer, each unit under lines of its own.

CROWN bounds a unit under lines that were chosen unit by unit below it. Here each bound of each
unit gets the lines that are best for it, by descent in float32; float64 then carries its rows back
under these lines, so that the bound is sound. Bounds of early layers sharpen those of later ones,
and all together what branch and bound starts from.

Source: Xu et al. 2021, arXiv:2011.13824 (lines of inner values as free parameters). We differ in
the goal: each inner bound by itself, from the input on, instead of the last bound of all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibpc.bounds import Crown
    from ibpc.verification.query.clock import Clock
    from ibpc.verification.query.roots import Root

STEPS, RATE = 20, 0.25
NUMBERS = 2**23
"""Lines' parameters of one descent, which bounds its memory."""

SHARE = 0.25
"""Of the time left, so much may be spent."""


@dataclass
class Sharpening:
    """Sharpens the bounds of one root in place, while there is time."""

    root: Root
    clock: Clock
    log: Callable[[str], None]

    def run(self) -> None:
        """All values whose bounds shape a relaxation, first to last."""
        clock = self.clock.at_most(self.clock.left * SHARE)
        started, count = time.monotonic(), 0
        for value in self._quick.plan.bent_operands:
            for units in self._parts(value):
                if clock.left <= 0 or not len(units):
                    break
                self._sharpen(value, units)
                count += len(units)
        self.log(f"{count} units sharpened in {time.monotonic() - started:.2f} s")

    @property
    def _quick(self) -> Crown:
        return self.root.cones.quick

    def _parts(self, value: str) -> Iterator[torch.Tensor]:
        """The undecided units of a value, those with the widest gap first, some at a time."""
        lower, upper = (side.reshape(-1) for side in self.root.known[value])
        gap = (-lower).clamp(min=0) * upper.clamp(min=0) / (upper - lower).clamp(min=1e-30)
        order = gap.argsort(descending=True)[: int((gap > 0).sum())]
        width = sum(step.width for step in self._quick.plan.upstream(value) if step.kind == "bent")
        yield from torch.split(order, max(1, NUMBERS // max(1, 2 * width)))

    def _sharpen(self, value: str, units: torch.Tensor) -> None:
        """Put the better of the old and the new bounds of some units in place."""
        from ibpc.bounds import Descent

        shape = self._quick.plan.values[value][1:]
        picks = torch.zeros(len(units), *shape, dtype=torch.float64, device=units.device)
        picks.view(len(units), -1)[torch.arange(len(units)), units] = 1.0
        rows = torch.cat([picks, -picks]).unsqueeze(0)
        search = self.root.problem(1, rows, quick=True, at=value)
        found = self._quick.alpha_bounds(
            search, Descent(steps=STEPS, rate=RATE), wanted=lambda upper: torch.isfinite(upper)
        )
        decided = self.root.decided(self.root.problem(1, rows, at=value), found)
        highest, lowest = decided.upper[0].chunk(2)
        self.root.sharpen(value, units, -lowest, highest)
