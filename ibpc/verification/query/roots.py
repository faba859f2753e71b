"""What is known of a whole box before it is split: its units' bounds, the best lines found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from ibpc.bounds import Choice, Crown, CrownProblem, CrownResult
    from ibpc.verification.query.bounding import Bounder
    from ibpc.verification.query.clock import Clock

ALPHA_STEPS = 30


@dataclass(frozen=True)
class Cones:
    """CROWN in both formats: float32 searches for lines and multipliers, float64 decides."""

    bounder: Bounder
    clock: Clock

    @cached_property
    def exact(self) -> Crown:
        """In float64, rounding covered; inner bounds as they are known."""
        from ibpc.bounds import Crown, Refining

        return Crown(self.bounder.subject.graph, self.bounder.weights, Refining(refine=False))

    def refining(self, matter: Mapping[str, torch.Tensor]) -> Crown:
        """The same, but refines inner bounds for a third of the time left at most."""
        from ibpc.bounds import Crown, Refining

        until = self.clock.at_most(self.clock.left / 3).deadline
        refining = Refining(until=until, matter=matter)
        return Crown(self.bounder.subject.graph, self.bounder.weights, refining)

    @cached_property
    def quick(self) -> Crown:
        """In float32, rounding not covered."""
        from ibpc.bounds import Crown

        return Crown(self.bounder.subject.graph, self.bounder.quick_weights)


class Root:
    """One box of the property: bounds of its units in float64, and bounds of the forms."""

    def __init__(
        self, cones: Cones, lower: np.ndarray, upper: np.ndarray, forms: np.ndarray
    ) -> None:
        """Shapes: lower, upper (inputs,), float64; forms (spec,): those that matter."""
        self.cones, self.forms = cones, forms
        ((self.lower, self.upper),) = cones.bounder.batches(lower[None], upper[None])

    @cached_property
    def known(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Sound bounds of every value that shapes a relaxation."""
        from ibpc.bounds import CrownProblem

        box = CrownProblem(self.lower, self.upper)
        return self.cones.refining(self._matter()).intermediate(box)[0]

    def _matter(self) -> dict[str, torch.Tensor]:
        """How much of each unit goes into the forms that matter, judged by unrefined bounds."""
        from ibpc.bounds import CrownProblem

        rows = one_hot(self.forms, self.cones)
        crown = self.cones.exact
        found = crown.bounds(CrownProblem(self.lower, self.upper, rows=rows))
        matter: dict[str, torch.Tensor] = {}
        for step in crown.plan.steps:
            weight = found.coefficients.get(step.node.name)
            if weight is None or len(step.inputs) != 1:
                continue
            (name,) = step.inputs
            if weight.shape[2:] == found.bounds[name][0].shape[1:]:
                matter[name] = matter.get(name, 0) + weight.abs().sum((0, 1))
        return matter

    @cached_property
    def known32(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """The same for the search."""
        return {name: (lo.float(), up.float()) for name, (lo, up) in self.known.items()}

    def flat_bounds(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The known bounds as flat arrays."""
        return {
            name: (array(lower).reshape(-1), array(upper).reshape(-1))
            for name, (lower, upper) in self.known.items()
        }

    def problem(
        self,
        count: int,
        rows: torch.Tensor | None,
        splits: Mapping[str, torch.Tensor] | None = None,
        quick: bool = False,
        at: str = "",
    ) -> CrownProblem:
        """This box `count` times, with its known bounds, for rows (1, spec, forms).

        `at`: rows stand at this value instead of the forms.
        """
        from ibpc.bounds import CrownProblem

        known = self.known32 if quick else self.known

        def wide(value: torch.Tensor) -> torch.Tensor:
            return value.expand(count, *value.shape[1:])

        lower, upper = self.lower, self.upper
        if quick:
            lower, upper = lower.float(), upper.float()
        return CrownProblem(
            wide(lower),
            wide(upper),
            known={name: (wide(lo), wide(up)) for name, (lo, up) in known.items()},
            splits={} if splits is None else splits,
            rows=None if rows is None else rows.to(lower.dtype),
            at=at,
        )

    def sharpen(
        self, value: str, units: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor
    ) -> None:
        """Keep bounds of some units where they are better than what is known.

        Shapes: units, lower, upper (n,), float64, sound.
        """
        import torch

        lows, highs = (side.clone() for side in self.known[value])
        low, high = lows.view(-1), highs.view(-1)
        low[units] = torch.fmax(low[units], lower)
        high[units] = torch.fmin(high[units], upper)
        self.known[value] = (lows, highs)
        self.__dict__.pop("known32", None)

    def crown(self) -> np.ndarray:
        """CROWN's bounds of all forms: (1, forms)."""
        return array(self.cones.exact.bounds(self.problem(1, None)).upper)

    def alpha(self, forms: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, Choice]:
        """Optimised bounds of some forms, (1, spec), and the lines behind them (float32).

        Shapes: forms (spec,); bounds (spec,): a form needs no more where its bound + this < 0.
        """
        import torch

        from ibpc.bounds import Descent

        rows = one_hot(forms, self.cones)
        shift = torch.from_numpy(bounds).to(self.lower.device, torch.float32)
        found = self.cones.quick.alpha_bounds(
            self.problem(1, rows, quick=True),
            Descent(steps=ALPHA_STEPS),
            wanted=lambda upper: upper + shift >= 0,
        )
        decided = self.decided(self.problem(1, rows), found)
        return array(decided.upper), found.choice

    def decided(self, problem: CrownProblem, found: CrownResult) -> CrownResult:
        """The float64 bounds under the lines and multipliers of a search."""
        import torch

        return self.cones.exact.bounds(problem, found.choice.to(torch.float64))


def rows_of(lines: Choice, place: np.ndarray) -> Choice:
    """The lines of some of the rows that a choice was made for."""
    from ibpc.bounds import Choice

    return Choice({name: knobs[:, :, place] for name, knobs in lines.knobs.items()})


def one_hot(forms: np.ndarray, cones: Cones) -> torch.Tensor:
    """Rows that pick forms.  Shape: (1, spec, forms)."""
    import torch

    rows = np.eye(cones.exact.plan.values[cones.exact.plan.output][-1])[forms]
    return torch.from_numpy(rows[None]).to(cones.bounder.device)


def array(tensor: Any) -> np.ndarray:
    """A tensor's numbers."""
    found: np.ndarray = tensor.detach().cpu().numpy()
    return found
