"""What one batch goes through: which passes the loss asks for, and what they give.

    kappa = 1          the clean program alone: a plain training step
    0 < kappa < 1      both passes in one program, which share the weights
    kappa = 0          the interval program alone, unless some layer needs both passes
                       (BatchNormalization takes its statistics from the clean one)

Mixed bounds whose weight is 0 at a step are not computed, attacks only run where a loss or a bound
asks for their points. The attacked pass is in training form: batch normalisation takes the attacked
batch's statistics there, as adversarial training does.

Source: Gowal et al. 2019, Eq. 12; which pass runs follows from the coefficients (`loss_at`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from ibpc.bounds import (
    Weights,
    lower_forward,
    lower_rows,
    lower_training,
    lower_violation,
    needs_clean_pass,
)
from ibpc.data import derive, uniform
from ibpc.errors import Diagnostic, TypeMistake, UnsupportedOperator
from ibpc.sets import hull, members
from ibpc.training.attacks import ATTACKS
from ibpc.training.codes import NEGATIVE_WEIGHT, NO_CLEAN_STATISTICS
from ibpc.training.inner import Inner, pre_activations
from ibpc.training.loss import loss_at
from ibpc.training.methods import BOUNDS
from ibpc.training.passage import Batch, Outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import fx

    from ibpc.graph import Graph
    from ibpc.language import BoundPart, Claim, Fit, InputSet
    from ibpc.training.loss import Sum
    from ibpc.training.records import Bound


Box = tuple[torch.Tensor, torch.Tensor]

LEAST_RADIUS = 1e-6
"""The radius at which hidden bounds are looked at while the schedule says 0, in units of the input.

A box without width says nothing of how bounds grow from layer to layer, and a regulariser on their
widths would have no gradient there: in the warm-up, when nothing else holds them. Source: the
authors' public code of Shi et al. 2021, arXiv:2103.17268, which has the same least radius.
"""

DRAWN = 4
"""Members of a union that one step trains on."""

MEMBERS = 2**34
"""The stream of random numbers that chooses them."""


@dataclass(slots=True)
class _Part:
    """One method of a mix on one network, its programs made when needed."""

    part: BoundPart
    record: Bound
    claimed: Graph
    programs: dict[str, Any]

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.part.method.arguments


class Programs:
    """The programs of one network and its claim, over the same weights; each made when needed."""

    def __init__(self, graph: Graph, fit: Fit, device: str) -> None:
        """`graph` has passed `prepare(graph, "training")`; its claim is appended here."""
        self.graph, self.claim, self._fit = graph, fit.claim, fit
        self._parts = [] if fit.claim is None else [_part(p, graph, fit.claim) for p in fit.bound]
        self.claimed = self._parts[0].claimed if self._parts else graph
        self.weights = Weights(self.claimed).to(device)
        self._type = fit.net.input
        self.coupled = needs_clean_pass(graph)
        for part in self._parts:
            if self.coupled and part.record.lower is not None:
                raise _no_statistics(part)
        self._inner = pre_activations(graph)

    @cached_property
    def clean(self) -> fx.GraphModule:
        """(x) -> logits, in training form."""
        return lower_forward(self.graph, self.weights, training=True)

    @cached_property
    def rows(self) -> fx.GraphModule:
        """(x, label) -> the claim's rows at points: what attacks climb."""
        return lower_rows(self.claimed, self.weights)

    def run(self, loss: Sum, batch: Batch, values: Mapping[str, float]) -> Outputs:
        """The passes that the loss needs, at these values of the schedules."""
        if not (loss.needs_violation or loss.needs_attack or loss.needs_inner):
            return Outputs(logits=self.clean(batch.x))
        assert self.claim is not None
        eps = schedule_at(self.claim, values)
        if loss.needs_inner:
            eps = max(eps, LEAST_RADIUS)
        parts = drawn(self.claim.set, batch)
        boxes = [hull(part, self._type, batch.x, eps) for part in parts]
        if len(boxes) > 1:
            return self._over_members(boxes, loss, batch, values)
        return self._over_box(loss, batch, values, boxes[0])

    def _over_members(
        self, boxes: list[Box], loss: Sum, batch: Batch, values: Mapping[str, float]
    ) -> Outputs:
        """The batch once for each member of a union; of each row the worst bound counts."""
        count = len(batch.x)
        box = (torch.cat([lower for lower, _ in boxes]), torch.cat([upper for _, upper in boxes]))
        many = Batch(*(torch.cat([one] * len(boxes)) for one in batch))
        found = self._over_box(loss, many, values, box)
        violation = found.violation
        if violation is not None:
            violation = violation.view(len(boxes), count, -1).amax(0)
        first = (None if one is None else one[:count] for one in (found.logits, found.attacked))
        logits, attacked = first
        return Outputs(logits, violation, attacked, found.inner)

    def _over_box(self, loss: Sum, batch: Batch, values: Mapping[str, float], box: Box) -> Outputs:
        """The passes over one box around each datum."""
        mix = self._mix(values) if loss.needs_violation else []
        point = None
        if loss.needs_attack or any(part.record.attacks for _, part in mix):
            point = self._attacked(box, batch)
        logits, bounds, inner = self._bounded(loss, mix, box, batch, point)
        if loss.needs_logits and logits is None:
            logits = self.clean(batch.x)
        attacked = self.clean(point) if loss.needs_attack else None
        return Outputs(logits, _mixed(mix, bounds), attacked, inner)

    def _bounded(
        self,
        loss: Sum,
        mix: list[tuple[float, _Part]],
        box: Box,
        batch: Batch,
        point: torch.Tensor | None,
    ) -> tuple[torch.Tensor | None, list[torch.Tensor], Inner | None]:
        """Clean logits where an interval pass gives them as well, bounds part by part, and inner.

        Hidden bounds are those of the first interval pass; without one, of a pass for them alone.
        """
        logits, inner, bounds = None, None, []
        both = loss.needs_logits or self.coupled
        for _, part in mix:
            region = box
            if part.record.region is not None:
                region = part.record.region(part.arguments, *box, batch.x, point)
            if part.record.lower is not None:
                bounds.append(self._backward(part)(*region, batch.label))
                continue
            wanted = loss.needs_inner and inner is None
            if not wanted and (not both or logits is not None) and not self.coupled:
                bounds.append(self._interval(part)(*region, batch.label))
                continue
            logits, violation, *sides = self._joint(part, wanted)(batch.x, *region, batch.label)
            bounds.append(violation)
            inner = _inner(region, sides) if wanted else inner
        if loss.needs_inner and inner is None:
            logits, _, *sides = self._joint(self._parts[0], True)(batch.x, *box, batch.label)
            inner = _inner(box, sides)
        return logits, bounds, inner

    def _mix(self, values: Mapping[str, float]) -> list[tuple[float, _Part]]:
        """The parts whose weight is not 0 at this step."""
        found = []
        for part in self._parts:
            weight = loss_at(part.part.weight, values).constant
            if weight < 0:
                raise _negative(part, weight)
            if weight:
                found.append((weight, part))
        return found

    def _attacked(self, box: Box, batch: Batch) -> torch.Tensor:
        """The attack's point in each box."""
        attack = self._fit.attack
        assert attack is not None
        found: torch.Tensor = ATTACKS[attack.word].find(
            self.rows, *box, batch.x, batch.label, batch.keys, attack.arguments
        )
        return found

    def _interval(self, part: _Part) -> Callable[..., Any]:
        """(lower, upper, label) -> violation."""
        return _once(part, "bound", lambda: lower_violation(part.claimed, self.weights))

    def _joint(self, part: _Part, inner: bool) -> Callable[..., Any]:
        """(x, lower, upper, label) -> (logits, violation), and hidden bounds if asked for."""
        names = self._inner if inner else ()
        key = "inner" if inner else "both"
        return _once(part, key, lambda: lower_training(part.claimed, self.weights, names))

    def _backward(self, part: _Part) -> Callable[..., Any]:
        """(lower, upper, label) -> violation."""
        lower = part.record.lower
        assert lower is not None
        return _once(part, "backward", lambda: lower(part.claimed, self.weights, part.arguments))

    @property
    def made(self) -> frozenset[str]:
        """Which programs were made so far, by kind."""
        own = {"clean", "rows"} & set(vars(self))
        return frozenset(own.union(*(part.programs for part in self._parts)))


def drawn(given: InputSet, batch: Batch) -> tuple[InputSet, ...]:
    """The members of a union to train on: DRAWN of them at random, or all where they are few.

    Source: Chiang et al. 2020, arXiv:2003.06693 (some patches in each iteration).
    """
    parts = members(given)
    if len(parts) <= DRAWN:
        return parts
    order = uniform(derive(batch.keys[:1], MEMBERS), len(parts))[0].argsort()[:DRAWN]
    return tuple(parts[place] for place in order.tolist())


def schedule_at(claim: Claim, values: Mapping[str, float]) -> float:
    """The schedule in the claim's set, at these values (0 where its radii are all numbers)."""
    schedule = claim.set.schedule
    return 0.0 if schedule is None else values[schedule.name]


def _part(part: BoundPart, graph: Graph, claim: Claim) -> _Part:
    record = BOUNDS[part.method.word]
    return _Part(part, record, record.attach(graph, claim, part.method.arguments), {})


def _once(part: _Part, key: str, make: Callable[[], Any]) -> Callable[..., Any]:
    if key not in part.programs:
        part.programs[key] = make()
    found: Callable[..., Any] = part.programs[key]
    return found


def _inner(box: Box, sides: list[torch.Tensor]) -> Inner:
    """Hidden bounds out of the program's flat outputs: centre, radius, centre, ..."""
    layers = tuple(zip(sides[::2], sides[1::2], strict=True))
    return Inner((box[1] - box[0]) * 0.5, layers)


def _mixed(mix: list[tuple[float, _Part]], bounds: list[torch.Tensor]) -> torch.Tensor | None:
    """The weighted mean of the parts' bounds; of fused ones, of the sums that they are logs of.

    A row of a part that is not fused counts as log sum_k exp(row_k) beside fused ones.
    """
    if not bounds:
        return None
    if not any(part.arguments.get("fused") for _, part in mix):
        total = bounds[0] * mix[0][0] if mix[0][0] != 1.0 else bounds[0]
        for (weight, _), bound in zip(mix[1:], bounds[1:], strict=True):
            total = total + bound * weight
        return total
    logs = [
        (bound if part.arguments.get("fused") else torch.logsumexp(bound, 1, keepdim=True))
        + math.log(weight)
        for (weight, part), bound in zip(mix, bounds, strict=True)
    ]
    return torch.logsumexp(torch.cat(logs, dim=1), dim=1, keepdim=True)


def _negative(part: _Part, weight: float) -> TypeMistake:
    return TypeMistake(
        Diagnostic(
            NEGATIVE_WEIGHT,
            f"the weight of `{part.part.method.word}` is {weight:g} at some step",
            part.part.method.span,
            label="a negative weight makes no bound",
            fix="let its schedule stay in [0, 1]",
        )
    )


def _no_statistics(part: _Part) -> UnsupportedOperator:
    return UnsupportedOperator(
        Diagnostic(
            NO_CLEAN_STATISTICS,
            f"`{part.part.method.word}` cannot train networks with batch normalisation or dropout",
            part.part.method.span,
            label="it does not know the clean batch's statistics",
            fix="train with `bound = ibp`, or leave these layers out",
        )
    )
