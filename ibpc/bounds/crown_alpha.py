"""alpha-CROWN and beta-CROWN: the best lines and split multipliers, by gradient descent.

Every choice of a relaxation's knobs in [0, 1] and of multipliers beta >= 0 gives sound bounds. For
a split s x >= 0 (s = 1: x >= 0, s = -1: x <= 0) the term beta s x is nowhere negative on the part
of the box that the split keeps, so that adding it to rows only raises their bound:

    max A y  <=  max (A y + sum of beta s x)

Source: Xu et al. 2021, arXiv:2011.13824 (alpha); Wang et al. 2021, arXiv:2103.06624
(beta, both optimised together). We differ in keeping, row by row, the best bound of
all steps, and in that bounds of inner values are not optimised together with the last ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from ibpc.bounds.crown_backward import smaller, start_rows
from ibpc.bounds.descent import Adam

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ibpc.bounds.crown_backward import Frame, Rows

Wanted = Callable[["Tensor"], "Tensor"]
"""From upper bounds (batch, spec) to the rows (batch, spec) that still have to come down."""


@dataclass(frozen=True)
class Descent:
    """Adam's steps: `rate` for knobs, `beta_rate` for multipliers, times `decay` each step."""

    steps: int = 20
    rate: float = 0.1
    beta_rate: float = 0.05
    decay: float = 0.98


@dataclass(frozen=True)
class Choice:
    """Knobs by node and multipliers by split value, made for rows at one value.

    Shapes: knobs (knobs, batch, spec, *dims), betas (batch, spec, *dims).
    """

    knobs: Mapping[str, Tensor] = field(default_factory=dict)
    betas: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, dtype: torch.dtype) -> Choice:
        """The same choice in another format: as sound as any."""
        return Choice(
            {name: tensor.to(dtype) for name, tensor in self.knobs.items()},
            {name: tensor.to(dtype) for name, tensor in self.betas.items()},
        )

    def select(self, index: Tensor) -> Choice:
        """That of some of the boxes."""
        return Choice(
            {name: tensor[:, index] for name, tensor in self.knobs.items()},
            {name: tensor[index] for name, tensor in self.betas.items()},
        )


def carried(
    frame: Frame,
    value: str,
    rows: Tensor,
    choice: Choice,
    splits: Mapping[str, Tensor],
    cuts: bool,
) -> Rows:
    """Rows over a value carried back to the input under a choice of knobs and multipliers."""
    found = start_rows(frame, value, rows)
    steps = frame.plan.upstream(value)
    reached = {name for step in steps for name in step.inputs}
    for name, beta in choice.betas.items():
        if name in reached:
            found.add(name, beta * splits[name].unsqueeze(1))
    # Multipliers stand beside the rows: a bound over one value's box would leave them out.
    return found.go_back(steps, choice.knobs, cuts and not choice.betas)


def optimised(
    frame: Frame,
    value: str,
    rows: Tensor,
    splits: Mapping[str, Tensor],
    descent: Descent,
    start: Choice,
    wanted: Wanted,
) -> tuple[Tensor, Choice]:
    """The best bounds (batch, spec) found, and the choice that gives each row's.

    Ends early where no row is wanted any more.
    """
    choice = _start(frame, value, rows.shape[1], splits, start)
    knobs, betas = list(choice.knobs.values()), list(choice.betas.values())
    kept = [tensor.detach().clone() for tensor in (*knobs, *betas)]
    best: Tensor | None = None
    rates = [descent.rate] * len(knobs) + [descent.beta_rate] * len(betas)
    adam = Adam([*knobs, *betas], rates) if kept else None
    for step in range(descent.steps + 1):
        last = step == descent.steps or adam is None
        with torch.set_grad_enabled(not last):
            upper, _, _ = carried(frame, value, rows, choice, splits, cuts=False).finish()
        best = _keep(best, upper.detach(), kept, knobs, betas)
        open_rows = wanted(best)
        if last or not bool(open_rows.any()) or not upper.requires_grad:
            break  # the last: no knob bears on these rows
        assert adam is not None
        goal = torch.where(open_rows, upper, 0.0).sum()
        adam.step(torch.autograd.grad(goal, [*knobs, *betas], allow_unused=True), descent.decay)
        _into_range(knobs, betas)
    assert best is not None
    found = dict(zip(choice.knobs, kept[: len(knobs)], strict=True))
    return best, Choice(found, dict(zip(choice.betas, kept[len(knobs) :], strict=True)))


def _start(
    frame: Frame, value: str, spec: int, splits: Mapping[str, Tensor], start: Choice
) -> Choice:
    """Knobs as given or as the operators start them, multipliers as given or 0."""
    steps = frame.plan.upstream(value)
    knobs, betas = {}, {}
    for step in steps:
        if step.kind != "bent":
            continue
        given = start.knobs.get(step.node.name)
        given = frame.relaxation(step).knobs if given is None else given
        if given is not None:
            wide = given.expand(-1, frame.batch, spec, *given.shape[3:])
            knobs[step.node.name] = wide.detach().clone().requires_grad_()
    reached = {name for step in steps for name in step.inputs}
    for name, split in splits.items():
        if name in reached and bool(split.any()):
            shape = (frame.batch, spec, *split.shape[1:])
            zero = frame.boxes[name][0].new_zeros(shape)
            given = start.betas.get(name)
            betas[name] = (zero if given is None else given.detach().clone()).requires_grad_()
    return Choice(knobs, betas)


def _keep(
    best: Tensor | None,
    upper: Tensor,
    kept: list[Tensor],
    knobs: list[Tensor],
    betas: list[Tensor],
) -> Tensor:
    """The better bounds, with what gave them copied to `kept`."""
    if best is None:
        return upper
    better = torch.isfinite(upper) & ~(upper >= best)
    if not bool(better.any()):
        return best
    for place, tensor in enumerate((*knobs, *betas)):
        lead = 1 if place < len(knobs) else 0
        mask = better.reshape(*(1,) * lead, *better.shape, *(1,) * (tensor.dim() - 2 - lead))
        torch.where(mask, tensor.detach(), kept[place], out=kept[place])
    return smaller(best, upper)


def _into_range(knobs: list[Tensor], betas: list[Tensor]) -> None:
    """Back to where every choice is sound."""
    with torch.no_grad():
        for tensor in knobs:
            tensor.clamp_(0.0, 1.0)
        for tensor in betas:
            tensor.clamp_(min=0.0)
