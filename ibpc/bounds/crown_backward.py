"""Rows of coefficients carried back from a value to the input (CROWN's backward pass).

For rows A over a value v the pass finds A' over the input x and a constant with

    A v  <=  A' x + constant      for every x in the box.

Rounding. The pass is exact for the coefficients that it computes, but for what each step rounds.
Where a step with matrix W turns rows A into A' = fl(A W), the difference (A W - A') z is at most
gamma_n |A| |W| |z|, whatever z the network has there, and |z| is bounded by the boxes at hand. So
each step adds gamma_n (|A| . s) to an error term, s = |W| |z| + |b| being computed once a node
(n: the products that one entry sums, at most the entries of the step's output; for n u << 1 twice
u n is more than gamma_n). This is a rigorous a-priori bound, not an estimate, where the boxes
cover their own rounding; the idea is that of Neumaier and Shcherbina 2004, "Safe bounds in linear
and mixed-integer linear programming": any multipliers will do, if their residual is paid for. As in
`ibpc.domains.interval`, it holds for sums of products in any order: decide in float64.

Source: Zhang et al. 2018, arXiv:1811.00866; over any graph: Xu et al. 2020,
arXiv:2002.12920. Split terms: Wang et al. 2021, arXiv:2103.06624.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from ibpc.domains import Interval, dot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from ibpc.bounds.crown_plan import Plan, Step
    from ibpc.sets import Support

Box = tuple["Tensor", "Tensor"]

UNDERFLOW = 2.0**-900
"""Times the size of all values together, this is more than all products that underflow lose."""


@dataclass(frozen=True)
class Frame:
    """A batch of boxes for a plan: bounds of every value needed, and what follows from them.

    `boxes[value]`: (lower, upper), each (batch, *dims). `given`: labels. `roundoff`: unit roundoff
    to cover, 0 to cover nothing. `support`: upper bounds of rows over the input set, where that is
    less than its box.
    """

    plan: Plan
    boxes: Mapping[str, Box]
    given: Mapping[str, Tensor]
    roundoff: float = 0.0
    support: Support | None = None
    _kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        """How many boxes."""
        return int(self.boxes[self.plan.input][0].shape[0])

    def interval(self, value: str) -> Interval:
        """The box of a value."""
        return Interval.from_bounds(*self.boxes[value], self.roundoff)

    def select(self, index: Tensor, value: str) -> Frame:
        """Some of the boxes, for rows that start at `value`; the frame itself where that is all."""
        if self.batch == 1:
            return self
        names = {self.plan.input}
        for step in self.plan.upstream(value):
            names.update(step.inputs)
            names.update(step.node.outputs)
        boxes = {
            name: (self.boxes[name][0][index], self.boxes[name][1][index])
            for name in names
            if name in self.boxes
        }
        given = {name: tensor[index] for name, tensor in self.given.items()}
        support = None if self.support is None else self.support[index]
        return Frame(self.plan, boxes, given, self.roundoff, support)

    def relaxation(self, step: Step, knobs: Tensor | None = None) -> Any:
        """A bent step's relaxation over the boxes."""
        if knobs is not None:
            return step.relax({name: self.interval(name) for name in step.inputs}, knobs)
        return self._once(
            "relaxation",
            step,
            lambda: step.relax({name: self.interval(name) for name in step.inputs}),
        )

    def reach(self, value: str) -> Tensor:
        """|z| of a value.  Shape: (batch, *dims)."""
        lower, upper = self.boxes[value]
        return torch.maximum(lower.abs(), upper.abs())

    def sizes(self, step: Step) -> Tensor:
        """|W| |z| + |b| of an affine step.  Shape: (batch, 1, *out dims)."""

        def found() -> Tensor:
            boxes = {}
            for name in step.inputs:
                reach = self.reach(name)
                boxes[name] = Interval.from_center(torch.zeros_like(reach), reach)
            image = step.interval({**self.given, **boxes})[0]
            moduli: Tensor = image.center.abs() + image.radius
            return moduli.unsqueeze(1)

        size: Tensor = self._once("sizes", step, found)
        return size

    def offset(self, step: Step, place: int) -> tuple[Tensor, Tensor] | None:
        """An affine step's constant: centre and radius of its box at 0; None where it is 0.

        Shapes: (1 or batch, 1, *out dims).
        """

        def found() -> list[tuple[Tensor, Tensor] | None]:
            zeros = {}
            batch = self.batch if self.plan.label in step.node.inputs else 1
            for name in step.inputs:
                zero = self.boxes[self.plan.input][0].new_zeros(batch, *self.plan.values[name][1:])
                zeros[name] = Interval.from_center(zero, zero, self.roundoff)
            images = step.interval({**self.given, **zeros})
            sides = [(image.center.unsqueeze(1), image.radius.unsqueeze(1)) for image in images]
            if self.plan.live:  # training does not wait for the device
                return [*sides]
            return [
                side if bool(side[0].any()) or float(side[1].max()) > TINIEST else None
                for side in sides
            ]

        side: tuple[Tensor, Tensor] | None = self._lasting("offset", step, found)[place]
        return side

    def gamma(self, terms: int) -> float:
        """More than gamma_n for n = `terms`, a few roundings more, and the sum over all steps."""
        return 2 * (terms + 16 + len(self.plan.steps)) * self.roundoff

    @cached_property
    def total(self) -> Tensor:
        """The size of all values together.  Shape: (batch, 1)."""
        sums = [self.reach(name).reshape(self.batch, -1).sum(1) for name in self.boxes]
        total: Tensor = torch.stack(sums, 1).sum(1, keepdim=True)
        return total

    def _once(self, kind: str, step: Step, make: Any) -> Any:
        key = (kind, step.node.name)
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _lasting(self, kind: str, step: Step, make: Any) -> Any:
        """As `_once`; kept with the plan where neither label nor training changes it."""
        if self.plan.live or self.plan.label in step.node.inputs:
            return self._once(kind, step, make)
        key = (kind, step.node.name, self.roundoff)
        if key not in self.plan.kept:
            self.plan.kept[key] = make()
        return self.plan.kept[key]


TINIEST = 2.0**-1000
"""Radii of the size of `Interval`'s own cover of underflow count as 0: `UNDERFLOW` covers them."""


@dataclass
class Rows:
    """Rows on their way back: what is pending at each value, the constant and the error so far.

    Shapes: pending (batch or 1, spec, *dims); constant, error (batch or 1, spec).
    """

    frame: Frame
    pending: dict[str, Tensor]
    constant: Tensor
    error: Tensor
    upper: Tensor | None = None
    seen: dict[str, Tensor] = field(default_factory=dict)

    def add(self, value: str, part: Tensor | None) -> None:
        """More rows over a value; the sum rounds."""
        if part is None:
            return
        if value not in self.pending:
            self.pending[value] = part
            return
        joined = self.pending[value] + part
        self.pending[value] = joined
        if self.frame.roundoff:
            reach = self.frame.reach(value).unsqueeze(1)
            self.pay(4 + reach[0].numel(), joined, reach)

    def pay(self, terms: int, rows: Tensor, sizes: Tensor) -> None:
        """Gamma_terms (|rows| . sizes): what rounds in a sum of `terms` products, and in this."""
        self.error = self.error + dot(rows.detach().abs(), sizes) * self.frame.gamma(terms)

    def go_back(self, steps: Iterable[Step], knobs: Mapping[str, Tensor], cuts: bool) -> Rows:
        """Through the steps, last first, to the input.

        `cuts`: on the way, wherever all rows stand at one value, bound them over its box as well.
        """
        for step in steps:
            rows = [self.pending.pop(name, None) for name in step.node.outputs]
            if all(part is None for part in rows):
                continue
            if cuts and not self.pending and len(rows) == 1 and rows[0] is not None:
                self.cut(step.node.outputs[0], rows[0])
            self._through(step, rows, knobs)
        return self

    def _through(self, step: Step, rows: list[Tensor | None], knobs: Mapping[str, Tensor]) -> None:
        if step.kind == "affine":
            found = self._affine(step, rows)
        elif step.kind == "bent":
            assert rows[0] is not None
            self.seen[step.node.name] = rows[0]
            relaxation = self.frame.relaxation(step, knobs.get(step.node.name))
            found, constant = relaxation.pull(rows[0])
            self.constant = self.constant + constant
            if self.frame.roundoff:
                reach = [self.frame.reach(name) for name in step.inputs]
                self.pay(relaxation.terms + step.width, rows[0], relaxation.sizes(*reach).detach())
        else:
            for name, part in zip(step.node.outputs, rows, strict=True):
                if part is not None:
                    self.constant = self.constant + self.over_box(name, part)
            return
        for name, part in zip(step.inputs, found, strict=True):
            self.add(name, part)

    def _affine(self, step: Step, rows: list[Tensor | None]) -> tuple[Tensor | None, ...]:
        for place, part in enumerate(rows):
            offset = None if part is None else self.frame.offset(step, place)
            if part is None or offset is None:
                continue
            self.constant = self.constant + dot(part, offset[0])
            if self.frame.roundoff:
                self.error = self.error + dot(part.detach().abs(), offset[1])
        if self.frame.roundoff:
            self._pay_affine(step, rows)
        return step.transpose(rows, self.frame.given)

    def _pay_affine(self, step: Step, rows: list[Tensor | None]) -> None:
        if len(rows) == 1 and rows[0] is not None:
            self.pay(step.width, rows[0], self.frame.sizes(step))
            return
        for name, part in zip(step.node.outputs, rows, strict=True):
            if part is not None:  # parts of one value: nothing is summed
                self.pay(step.width, part, self.frame.reach(name).unsqueeze(1))

    def over_box(self, value: str, rows: Tensor) -> Tensor:
        """The largest rows . v over the box of a value, its rounding paid for."""
        box = self.frame.interval(value)
        center, radius = box.center.unsqueeze(1), box.radius.unsqueeze(1)
        if self.frame.roundoff:
            self.pay(center[0].numel(), rows, center.abs() + radius)
        largest: Tensor = dot(rows, center) + dot(rows.abs(), radius)
        return largest

    def cut(self, value: str, rows: Tensor) -> None:
        """Bound the rows over the box of a value through which all of them go."""
        error = self.error
        found = self.over_box(value, rows) + self.constant + self.slack()
        self.error = error
        self.upper = found if self.upper is None else smaller(self.upper, found)

    def slack(self) -> Tensor | float:
        """What covers the rounding so far."""
        if not self.frame.roundoff:
            return 0.0
        rounded = self.constant.detach().abs() * self.frame.gamma(0)
        return (self.error + rounded) * (1 + 2.0**-20) + UNDERFLOW * (1 + self.frame.total)

    def finish(self) -> tuple[Tensor, Tensor, Tensor]:
        """(upper bounds, rows over the input, constant with slack).

        Shapes: (batch, spec), (batch, spec, *in dims), (batch, spec).
        """
        name = self.frame.plan.input
        lower = self.frame.boxes[name][0]
        rows = self.pending.get(name)
        if rows is None:
            rows = lower.new_zeros(1, self.constant.shape[1], *lower.shape[1:])
        reached = self.over_box(name, rows)
        if self.frame.support is not None:
            reached = smaller(reached, self.frame.support(rows, self.frame.roundoff))
        constant = self.constant + self.slack()
        upper = reached + constant
        return upper if self.upper is None else smaller(self.upper, upper), rows, constant


def smaller(known: Tensor, found: Tensor) -> Tensor:
    """The smaller of two upper bounds; one that is not finite says nothing against `known`."""
    better = torch.isfinite(found) & ~(found >= known)
    return torch.where(better, found, known)


def start_rows(frame: Frame, value: str, rows: Tensor) -> Rows:
    """Rows (batch or 1, spec, *dims) over a value."""
    zero = rows.new_zeros(rows.shape[:2])
    return Rows(frame, {value: rows}, zero, zero)


def start_units(frame: Frame, value: str, units: Tensor) -> Rows:
    """Both bounds of some entries of a value: rows that pick them, and their negatives.

    Shapes: units (batch, n) flat positions; spec = 2 n, positive rows first.
    """
    batch, count = units.shape
    plan, shape = frame.plan, frame.plan.values[value][1:]
    matrix = plan.first_rows(value)
    boxes = frame.boxes[plan.input][0]
    if matrix is None:
        picks = boxes.new_zeros(batch, count, int(torch.Size(shape).numel()))
        picks = picks.scatter_(2, units.unsqueeze(2), 1.0).reshape(batch, count, *shape)
        return start_rows(frame, value, torch.cat([picks, -picks], 1))
    # The layer's own rows are those that its transposition would compute.
    step = plan.producer[value]
    picked = matrix[0][units]
    zero = boxes.new_zeros(batch, 2 * count)
    rows = Rows(frame, {step.inputs[0]: torch.cat([picked, -picked], 1)}, zero, zero)
    offset = frame.offset(step, 0)
    if offset is not None:
        center, radius = (part.reshape(-1)[units] for part in offset)
        rows.constant = torch.cat([center, -center], 1)
        rows.error = torch.cat([radius, radius], 1)
    if frame.roundoff:
        size = frame.sizes(step).reshape(batch, -1).gather(1, units)
        rows.error = rows.error + torch.cat([size, size], 1) * frame.gamma(step.width)
    return rows
