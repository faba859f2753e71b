"""One training step: the passes that the loss asks for, the gradients, the update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ibpc.data import datum_keys
from ibpc.training.averages import AVERAGES
from ibpc.training.crew import Crew
from ibpc.training.loss import check_loss, loss_at, value_of
from ibpc.training.optimisers import OPTIMISERS
from ibpc.training.passage import Batch
from ibpc.training.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.bounds import Weights
    from ibpc.graph import Graph
    from ibpc.language import Fit

ALONE = Crew()

_SIDES = {"logits": "fit", "attacked": "fit", "worst": "spec", "violation": "spec"}
"""Which sum of the metrics a term belongs to; regularisers belong to none."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step gave, on the device: nothing here waits for it.

    `logits`, `attacked` (batch, n) and `violation` (batch, rows), detached; None where that pass
    did not run. `fit` and `spec`: the sums of the terms over logits and over bounds, without
    coefficients.
    """

    loss: torch.Tensor
    fit: torch.Tensor | None
    spec: torch.Tensor | None
    logits: torch.Tensor | None
    violation: torch.Tensor | None
    attacked: torch.Tensor | None = None


class Stepper:
    """Trains a network step by step: `step(t, batch, values)`.

    `graph` is the network to start from, prepared for training; the weights live in `weights`. In a
    crew, `batch` is this process' share.
    """

    def __init__(
        self,
        fit: Fit,
        graph: Graph,
        curves: Mapping[str, Any],
        device: str = "cpu",
        crew: Crew = ALONE,
    ) -> None:
        check_loss(fit.loss, curves, fit.span)
        self._fit, self._crew = fit, crew
        self.programs = Programs(graph, fit, device)
        self.weights = self.programs.weights
        self._parameters = list(self.weights.parameters())
        self._matrices = [one for one in self._parameters if one.dim() > 1]
        self.optimiser = OPTIMISERS[fit.optimiser.word].make(
            list(self._parameters), fit.optimiser.arguments
        )
        self.average = _averaged(self.weights) if fit.average is not None else {}
        self._now = [dict(self.weights.state_dict())[name] for name in self.average]
        self._draws = any(node.op == "Dropout" for node in graph.nodes)

    def step(self, number: int, batch: Batch, values: Mapping[str, float]) -> Step:
        """Trains on one batch: gradients of the loss at `values`, then one update.

        `values`: each schedule's value.
        """
        if self._draws:
            torch.manual_seed(int(datum_keys(self._fit.seed, number, torch.arange(1))))
        loss = loss_at(self._fit.loss, values, self._fit.span)
        outputs = self.programs.run(loss, batch, values)
        total = torch.zeros((), device=batch.x.device)
        sums: dict[str, torch.Tensor] = {}
        for coefficient, term in loss.parts:
            value = value_of(term, outputs, batch, self._matrices)
            total = total + coefficient * value
            side = _SIDES.get(term.over)
            if side is not None:
                sums[side] = value.detach() + sums[side] if side in sums else value.detach()
        if loss.parts:
            self._update(number, total, values["lr"])
        return Step(
            loss=total.detach() + loss.constant,
            fit=sums.get("fit"),
            spec=sums.get("spec"),
            logits=_detached(outputs.logits),
            violation=_detached(outputs.violation),
            attacked=_detached(outputs.attacked),
        )

    def trained(self, graph: Graph) -> Graph:
        """`graph` with the trained weights: their average where the recipe asks for one."""
        if not self.average:
            return self.weights.graph(graph)
        now = {name: tensor.clone() for name, tensor in self.weights.state_dict().items()}
        try:
            self.weights.load_state_dict({**now, **self.average})
            return self.weights.graph(graph)
        finally:
            self.weights.load_state_dict(now)

    def _update(self, number: int, loss: torch.Tensor, lr: float) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._crew.mean([one.grad for one in self._parameters if one.grad is not None])
        if self._fit.clip_gradient is not None:
            torch.nn.utils.clip_grad_norm_(self._parameters, self._fit.clip_gradient)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        self.optimiser.step()
        average = self._fit.average
        if average is not None:
            merge = AVERAGES[average.word].merge
            merge(list(self.average.values()), self._now, number, average.arguments)


def _averaged(weights: Weights) -> dict[str, torch.Tensor]:
    """Copies of all floating-point weights and statistics, by name."""
    state = weights.state_dict()
    return {name: one.clone() for name, one in state.items() if one.is_floating_point()}


def _detached(tensor: torch.Tensor | None) -> torch.Tensor | None:
    return None if tensor is None else tensor.detach()
