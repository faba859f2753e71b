"""Where a step stands in its training: epoch, position, and the value of every schedule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ibpc.language import curve_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language import Curve, Fit


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a recipe trains on `examples` examples, and its schedules in steps.

    An epoch is as many full batches as the examples give; a rest smaller than a batch waits for
    the next epoch's order. A batch larger than the data is the whole data.
    """

    batch: int
    steps: int
    steps_per_epoch: int
    curves: Mapping[str, Curve]

    @classmethod
    def of(cls, fit: Fit, examples: int) -> Plan:
        """The plan of a recipe."""
        batch = min(fit.batch, examples)
        per_epoch = examples // batch
        steps = fit.steps if fit.steps is not None else (fit.epochs or 0) * per_epoch
        curves = {name: _in_steps(curve, per_epoch) for name, curve in fit.curves.items()}
        return cls(batch, steps, per_epoch, curves)

    def epoch(self, step: int) -> int:
        """The epoch that step `step` (from 0) belongs to."""
        return step // self.steps_per_epoch

    def values(self, step: int) -> dict[str, float]:
        """Every schedule's value at step `step` (from 0)."""
        return {name: curve_value(curve, step) for name, curve in self.curves.items()}

    def breaks(self) -> frozenset[int]:
        """The steps at which a phase ends: every breakpoint of every schedule."""
        ends = {part.until for curve in self.curves.values() for part in curve.segments}
        return frozenset(end for end in ends if end is not None)


def _in_steps(curve: Curve, per_epoch: int) -> Curve:
    """The same schedule with breakpoints counted in steps."""
    if curve.unit != "epochs":
        return curve
    segments = tuple(
        part if part.until is None else replace(part, until=part.until * per_epoch)
        for part in curve.segments
    )
    return replace(curve, segments=segments, unit="steps")
