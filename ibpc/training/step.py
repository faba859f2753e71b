"""One training step: which passes it needs, the loss, the gradients, the update.

    kappa = 1          the clean program alone: a plain training step
    0 < kappa < 1      both passes in one program, which share the weights
    kappa = 0          the interval program alone, unless some layer needs both passes
                       (BatchNormalization takes its statistics from the clean one)

Source: Gowal et al. 2019, Eq. 12; which pass runs follows from the coefficients (`loss_at`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from ibpc.bounds import Weights, lower_forward, lower_training, lower_violation, needs_clean_pass
from ibpc.data import datum_keys
from ibpc.sets import hull
from ibpc.training.loss import check_loss, loss_at, value_of
from ibpc.training.methods import BOUNDS
from ibpc.training.optimisers import OPTIMISERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import fx

    from ibpc.graph import Graph
    from ibpc.language import Claim, Fit
    from ibpc.training.loss import Sum


@dataclass(frozen=True, slots=True)
class Step:
    """What one step gave, on the device: nothing here waits for it.

    `logits` (batch, n) and `violation` (batch, rows), detached; None where that pass did not run.
    `fit` and `spec`: the sums of the terms over logits and over bounds, without coefficients.
    """

    loss: torch.Tensor
    fit: torch.Tensor | None
    spec: torch.Tensor | None
    logits: torch.Tensor | None
    violation: torch.Tensor | None


class Programs:
    """The programs of one network and its claim, over the same weights; each made when needed."""

    def __init__(self, graph: Graph, fit: Fit, device: str) -> None:
        """`graph` has passed `prepare(graph, "training")`; its claim is appended here."""
        self.graph, self.claim = graph, fit.claim
        self.claimed = graph
        if fit.claim is not None:
            method = BOUNDS[fit.bound.word]
            self.claimed = method.attach(graph, fit.claim, fit.bound.arguments)
        self.weights = Weights(self.claimed).to(device)
        self._type = fit.net.input
        self.coupled = needs_clean_pass(graph)

    @cached_property
    def clean(self) -> fx.GraphModule:
        """(x) -> logits, in training form."""
        return lower_forward(self.graph, self.weights, training=True)

    @cached_property
    def both(self) -> fx.GraphModule:
        """(x, lower, upper, label) -> (logits, violation)."""
        return lower_training(self.claimed, self.weights)

    @cached_property
    def bound(self) -> fx.GraphModule:
        """(lower, upper, label) -> violation."""
        return lower_violation(self.claimed, self.weights)

    def run(
        self, loss: Sum, x: torch.Tensor, label: torch.Tensor, values: Mapping[str, float]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Logits and violation, None for what the loss does not need."""
        if not loss.needs_violation:
            return self.clean(x), None
        assert self.claim is not None
        lower, upper = hull(self.claim.set, self._type, x, radius(self.claim, values))
        if loss.needs_logits or self.coupled:
            logits, violation = self.both(x, lower, upper, label)
            return logits, violation
        return None, self.bound(lower, upper, label)


class Stepper:
    """Trains a network step by step: `step(t, x, label)`.

    `graph` is the network to start from, prepared for training; the weights live in `weights`.
    """

    def __init__(
        self, fit: Fit, graph: Graph, curves: Mapping[str, Any], device: str = "cpu"
    ) -> None:
        check_loss(fit.loss, curves, fit.span)
        self._fit = fit
        self.programs = Programs(graph, fit, device)
        self.weights = self.programs.weights
        self.optimiser = OPTIMISERS[fit.optimiser.word].make(
            list(self.weights.parameters()), fit.optimiser.arguments
        )
        self._draws = any(node.op == "Dropout" for node in graph.nodes)

    def step(
        self, number: int, x: torch.Tensor, label: torch.Tensor, values: Mapping[str, float]
    ) -> Step:
        """Trains on one batch: gradients of the loss at `values`, then one update.

        Shapes: x (batch, *shape) float32, label (batch,) int64. `values`: each schedule's value.
        """
        if self._draws:
            torch.manual_seed(int(datum_keys(self._fit.seed, number, torch.arange(1))))
        loss = loss_at(self._fit.loss, values, self._fit.span)
        logits, violation = self.programs.run(loss, x, label, values)
        total = torch.zeros((), device=x.device)
        sums: dict[str, torch.Tensor] = {}
        for coefficient, term in loss.parts:
            value = value_of(term, logits, violation, label)
            total = total + coefficient * value
            side = "fit" if term.over == "logits" else "spec"
            sums[side] = value.detach() + sums[side] if side in sums else value.detach()
        if loss.parts:
            self._update(total, values["lr"])
        return Step(
            loss=total.detach() + loss.constant,
            fit=sums.get("fit"),
            spec=sums.get("spec"),
            logits=None if logits is None else logits.detach(),
            violation=None if violation is None else violation.detach(),
        )

    def _update(self, loss: torch.Tensor, lr: float) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        self.optimiser.step()


def radius(claim: Claim, values: Mapping[str, float]) -> float:
    """The radius of the claim's ball at these values of the schedules (0 where it has none)."""
    from ibpc.language import Symbol

    eps = claim.set.eps
    if isinstance(eps, Symbol):
        return values[eps.name]
    return 0.0 if eps is None else float(eps)
