"""CROWN over any graph: linear bounds carried backward, batched over boxes, rows and subproblems.

`Crown(graph, weights)` looks at a graph once; its methods then bound batches of boxes. Everything
is computed in the weights' dtype: float32 for search, and float64 to decide, where every bound
covers its own rounding (see `crown_backward` for how).

Source: Zhang et al. 2018, arXiv:1811.00866; Xu et al. 2021, arXiv:2011.13824; Wang et al. 2021,
arXiv:2103.06624.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from ibpc.bounds.checked import roundoff_of
from ibpc.bounds.crown_alpha import Choice, Descent, carried, optimised
from ibpc.bounds.crown_forward import Refining, propagate
from ibpc.bounds.crown_plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ibpc.bounds.crown_alpha import Wanted
    from ibpc.bounds.crown_backward import Box, Frame, Rows
    from ibpc.bounds.weights import Weights
    from ibpc.graph import Graph
    from ibpc.sets import Support


@dataclass(frozen=True)
class CrownProblem:
    """A batch of boxes, with what is known of them.

    label: (batch,) int64, for graphs with a claim. known[value]: sound bounds (lower, upper) of
    a value, taken as they are instead of CROWN's (a parent's, say). splits[value]: +1 where an
    entry is assumed >= 0, -1 where <= 0, else 0. rows: what to bound, rows over the value `at`
    ("": the graph's output); None: each entry of it, which a wide value makes a large matrix.

    Shapes: lower, upper (batch, *dims); known, splits (batch, *value dims); rows (batch or 1,
    spec, *dims of `at`). support: upper bounds of rows over the input sets, where these are less
    than their boxes.
    """

    lower: Tensor
    upper: Tensor
    label: Tensor | None = None
    known: Mapping[str, Box] = field(default_factory=dict)
    splits: Mapping[str, Tensor] = field(default_factory=dict)
    rows: Tensor | None = None
    at: str = ""
    support: Support | None = None

    def select(self, index: Tensor, known: Mapping[str, Box]) -> CrownProblem:
        """Some of the boxes, with what is known of them; without splits or rows of its own."""
        return replace(
            self,
            lower=self.lower[index],
            upper=self.upper[index],
            label=None if self.label is None else self.label[index],
            support=None if self.support is None else self.support[index],
            known={name: (lo[index], up[index]) for name, (lo, up) in known.items()},
        )


@dataclass(frozen=True)
class CrownResult:
    """Upper bounds of rows, and the linear form that gives them.

        row <= slopes . x + offset <= upper      for every x of the box that the splits keep

    empty: boxes in which no point meets the splits: bounds crossed (in float64 their `upper` is
    NaN; without splits that is doubt, and nothing else). bounds: those of every value whose
    bounds shape a relaxation, splits cut in. choice: the knobs and multipliers that gave the
    bounds. coefficients: for each bent node the rows over its output, which branching reads.

    Shapes: upper, offset (batch, spec); slopes (batch, spec, *in dims); empty (batch,); bounds
    (batch, *dims); coefficients (batch, spec, *dims).
    """

    upper: Tensor
    slopes: Tensor
    offset: Tensor
    empty: Tensor
    bounds: Mapping[str, Box]
    choice: Choice
    coefficients: Mapping[str, Tensor]


class Crown:
    """CROWN bounds of one graph, with its claim or without, under weights as they are now.

    `pre_activations`: the values whose bounds shape relaxations, in order: those that `known`
    and `splits` may name. With `covered` every bound covers its own rounding, in float64 only.
    """

    def __init__(self, graph: Graph, weights: Weights, refining: Refining | None = None) -> None:
        self.plan = Plan(graph, weights)
        self.refining = Refining() if refining is None else refining
        self.covered = weights.dtype == torch.float64
        self.roundoff = roundoff_of(weights.dtype) if self.covered else 0.0
        self.pre_activations = tuple(
            dict.fromkeys(
                name for step in self.plan.steps if step.kind != "affine" for name in step.inputs
            )
        )

    def intermediate(self, problem: CrownProblem) -> tuple[dict[str, Box], Tensor]:
        """Bounds of the pre-activations, to hand on as `known`; and which boxes are empty."""
        with torch.no_grad():
            frame, empty = self._frame(problem)
        return self._bounds(frame), empty

    def bounds(self, problem: CrownProblem, choice: Choice | None = None) -> CrownResult:
        """CROWN bounds; a `choice` from an earlier descent gives lines and multipliers."""
        with torch.no_grad():
            frame, empty = self._frame(problem)
            return self._result(frame, empty, problem, Choice() if choice is None else choice)

    def alpha_bounds(
        self,
        problem: CrownProblem,
        descent: Descent | None = None,
        start: Choice | None = None,
        wanted: Wanted | None = None,
    ) -> CrownResult:
        """alpha-CROWN bounds, beta-CROWN where there are splits.

        `wanted` says which rows to go on with (default: those with upper > 0); the descent ends
        when there are none. Bounds of inner values are CROWN's, not optimised.
        """
        with torch.no_grad():
            frame, empty = self._frame(problem)
        search = replace_roundoff(frame)
        rows = self._rows(problem)
        _, choice = optimised(
            search,
            problem.at or self.plan.output,
            rows,
            problem.splits,
            Descent() if descent is None else descent,
            Choice() if start is None else start,
            _positive if wanted is None else wanted,
        )
        with torch.no_grad():
            return self._result(frame, empty, problem, choice)

    def values(self, points: Tensor) -> dict[str, Tensor]:
        """What every value is at some points (batch, *dims), for graphs without a claim."""
        found = {self.plan.input: points.to(self.plan.dtype)}
        with torch.no_grad():
            for step in self.plan.steps:
                found.update(zip(step.node.outputs, step.forward(found), strict=False))
        return found

    def _frame(self, problem: CrownProblem) -> tuple[Frame, Tensor]:
        given = {} if problem.label is None else {self.plan.label: problem.label}
        dtype = self.plan.dtype
        sides = (problem.lower.to(dtype), problem.upper.to(dtype))
        return propagate(
            self.plan,
            *sides,
            given,
            self.roundoff,
            problem.known,
            problem.splits,
            self.refining,
            problem.support,
        )

    def _rows(self, problem: CrownProblem) -> Tensor:
        if problem.rows is not None:
            return problem.rows.to(self.plan.dtype)
        shape = self.plan.values[problem.at or self.plan.output][1:]
        count = torch.Size(shape).numel()
        eye = torch.eye(count, dtype=self.plan.dtype, device=problem.lower.device)
        return eye.reshape(1, count, *shape)

    def _result(
        self, frame: Frame, empty: Tensor, problem: CrownProblem, choice: Choice
    ) -> CrownResult:
        at = problem.at or self.plan.output
        found: Rows = carried(frame, at, self._rows(problem), choice, problem.splits, cuts=True)
        upper, slopes, offset = found.finish()
        if self.covered:
            upper = torch.where(empty.unsqueeze(1), float("nan"), upper)
        return CrownResult(
            upper, slopes, offset, empty, self._bounds(frame), choice, dict(found.seen)
        )

    def _bounds(self, frame: Frame) -> dict[str, Box]:
        return {name: frame.boxes[name] for name in self.pre_activations}


def replace_roundoff(frame: Frame) -> Frame:
    """The frame for a search: bounds as they are, rounding not covered."""
    return replace(frame, roundoff=0.0, _kept={})


def _positive(upper: Tensor) -> Tensor:
    return upper > 0
