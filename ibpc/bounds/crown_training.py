"""CROWN bounds that training differentiates: through every bound, line and slope to the weights.

The same steps, relaxations and backward pass as `Crown`, with live weights and nothing kept from
one batch to the next.

Loss fusion. The cross-entropy of the worst case is log(1 + S), S = sum_k exp(v_k) over the rows
v_k = z_k - z_y. With interval bounds [l_k, u_k] of the rows, exp lies below its chord,

    exp(v) <= exp(l) + s (v - l),    s = (exp(u) - exp(l)) / (u - l),

so S <= sum_k s_k v_k + constant, and that sum is one row over the network's output: one backward
pass of a single row bounds the loss, whatever the number of classes. `fused` gives log of the bound
of S, which `xent(worst(spec), y)` turns into log(1 + S). All is scaled by exp(-M), M the largest
u_k or 0, and S is never taken below sum_k exp(l_k), which covers cancellation.

Source: Zhang et al. 2020, arXiv:1906.06316 (CROWN-IBP: intervals forward, rows
backward); Xu et al. 2020, arXiv:2002.12920 (loss fusion, in the form with exp); Wong and Kolter
2018, arXiv:1711.00851 (parallel lines).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ibpc.bounds.crown_backward import Frame, start_rows
from ibpc.bounds.crown_plan import Plan
from ibpc.domains import Interval
from ibpc.errors import Diagnostic, UnsupportedOperator

if TYPE_CHECKING:
    from torch import Tensor

    from ibpc.bounds.crown_backward import Box
    from ibpc.bounds.crown_plan import Step
    from ibpc.bounds.weights import Weights
    from ibpc.graph import Graph

LEAST_WIDTH = 1e-6
"""Rows whose bounds are nearer than this get the tangent's slope, which is steeper: sound too."""


class CrownInTraining:
    """CROWN bounds of a graph with a claim, under live weights.

    own_inner: hidden bounds by the same method, each by a pass of its own; else by intervals.
    parallel: both lines of an open ReLU with the slope of its chord; else CROWN's choice.

    Raises: UnsupportedOperator for networks that compute weights from weights, and, with
    `parallel`, for nonlinear operators other than ReLU.
    """

    def __init__(
        self, graph: Graph, weights: Weights, own_inner: bool = False, parallel: bool = False
    ) -> None:
        self.plan = Plan(graph, weights, live=True)
        self._own_inner, self._parallel = own_inner, parallel
        bent = [step for step in self.plan.steps if step.kind != "affine"]
        other = [step for step in bent if step.node.op != "Relu"]
        if parallel and other:
            node = other[0].node
            raise UnsupportedOperator(
                Diagnostic(
                    "E0702",
                    f"node `{node.name}` ({node.op}) has no parallel lines: only ReLU has",
                    fix="train with `bound = crown`, or with `bound = ibp`",
                )
            )

    def rows(self, lower: Tensor, upper: Tensor, label: Tensor) -> Tensor:
        """Upper bounds of the claim's rows over the boxes.

        Shapes: lower, upper (batch, *dims), label (batch,); result (batch, rows).
        """
        frame = self._frame(lower, upper, label)
        count = self.plan.values[self.plan.output][1]
        eye = torch.eye(count, dtype=lower.dtype, device=lower.device)
        return self._carried(frame, self.plan.output, eye.unsqueeze(0))

    def fused(self, lower: Tensor, upper: Tensor, label: Tensor) -> Tensor:
        """Log of an upper bound of sum_k exp(row k) over the boxes.

        Shapes: as for `rows`; result (batch, 1).
        """
        frame = self._frame(lower, upper, label)
        low, high = frame.boxes[self.plan.output]
        top = high.detach().amax(1, keepdim=True).clamp(min=0)
        bottom, peak = (low - top).exp(), (high - top).exp()
        width = high - low
        wide = width > LEAST_WIDTH
        slope = torch.where(wide, (peak - bottom) / torch.where(wide, width, 1.0), peak)
        found = self._carried(frame, self.plan.output, slope.unsqueeze(1))
        least = bottom.sum(1, keepdim=True)
        total = torch.maximum(found + (bottom - slope * low).sum(1, keepdim=True), least)
        return total.clamp(min=torch.finfo(total.dtype).tiny).log() + top

    def _frame(self, lower: Tensor, upper: Tensor, label: Tensor) -> Frame:
        """Bounds of all values, layer by layer."""
        given = {self.plan.label: label}
        boxes: dict[str, Box] = {self.plan.input: (lower, upper)}
        frame = Frame(self.plan, boxes, given)
        held = {self.plan.input: Interval.from_bounds(lower, upper)}
        for step in self.plan.steps:
            images = step.interval({**given, **held})
            for name, box in zip(step.node.outputs, images, strict=False):
                held[name], boxes[name] = box, (box.lower, box.upper)
                if self._own_inner and name in self.plan.bent_operands:
                    boxes[name] = self._tightened(frame, name)
                    held[name] = Interval.from_bounds(*boxes[name])
        return frame

    def _tightened(self, frame: Frame, name: str) -> Box:
        """The better of interval and backward bounds of every entry of a value."""
        lower, upper = frame.boxes[name]
        shape = lower.shape[1:]
        count = shape.numel()
        eye = torch.eye(count, dtype=lower.dtype, device=lower.device)
        rows = torch.cat([eye, -eye]).reshape(1, 2 * count, *shape)
        highest, lowest = self._carried(frame, name, rows).chunk(2, dim=1)
        lower = torch.maximum(lower, -lowest.reshape(lower.shape))
        upper = torch.minimum(upper, highest.reshape(upper.shape))
        return torch.minimum(lower, upper), torch.maximum(lower, upper)  # in order, if rounded

    def _carried(self, frame: Frame, value: str, rows: Tensor) -> Tensor:
        steps = self.plan.upstream(value)
        knobs = {}
        if self._parallel:
            knobs = {step.node.name: _chord(frame, step) for step in steps if step.kind == "bent"}
        upper, _, _ = start_rows(frame, value, rows).go_back(steps, knobs, cuts=False).finish()
        return upper


def _chord(frame: Frame, step: Step) -> Tensor:
    """The slope of each open ReLU's chord.  Shape: (1, batch, 1, *dims)."""
    lower, upper = frame.boxes[step.inputs[0]]
    undecided = (lower < 0) & (upper > 0)
    slope = torch.where(undecided, upper / torch.where(undecided, upper - lower, 1.0), 0.0)
    return slope.unsqueeze(1).unsqueeze(0)
