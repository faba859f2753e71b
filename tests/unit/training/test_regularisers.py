"""Regularisers, choices of rows, clipping and averages, each against plain arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from recipes import HERE, number, stepper_for, term, tiny_fit

from ibpc.data import derive, integers
from ibpc.language.program import Fit, Invocation, LossExpr
from ibpc.training import AVERAGES, LOSSES, Stepper
from ibpc.training.inner import Inner, pre_activations
from ibpc.training.rows import DRAWN, chosen_rows

VALUES = {"lr": 0.1, "eps": 0.06, "kappa": 0.5}
SGD = Invocation("sgd", {}, HERE)
FIT = term("xent", "logits")


def plus(scale: str, regulariser: LossExpr) -> LossExpr:
    return LossExpr("+", (FIT, LossExpr("*", (number(scale), regulariser))))


def hidden_bounds(stepper: Stepper, x: torch.Tensor) -> tuple[np.ndarray, ...]:
    """Bounds before the relu of the tiny net, by numpy in float64: centre, radius; input radius."""
    w, b = (
        stepper.weights.value(f"fc1.{part}").detach().double().numpy()
        for part in ("weight", "bias")
    )
    points = x.double().numpy()
    low, up = np.clip(points - 0.06, 0, 1), np.clip(points + 0.06, 0, 1)
    center, radius = (low + up) / 2, (up - low) / 2
    return center @ w.T + b, radius @ np.abs(w).T, radius


def regularised(word: str, scale: str) -> tuple[float, Stepper, Any]:
    """The regulariser's part of the loss of one step, the stepper as it began, and the batch."""
    fit = tiny_fit(loss=plus(scale, term(word, "inner")), optimiser=SGD)
    stepper, batches = stepper_for(fit)
    with torch.no_grad():
        stepper.weights.value("fc1.weight").mul_(6.0)
        stepper.weights.value("fc1.bias").uniform_(-0.4, 0.4, generator=torch.Generator())
    plain, _ = stepper_for(tiny_fit(loss=FIT, optimiser=SGD))
    plain.weights.load_state_dict(stepper.weights.state_dict())
    values = {**VALUES, "lr": 0.0}
    batch = batches.at(0)
    both = stepper.step(0, batch, values).loss - plain.step(0, batch, values).loss
    return float(both), stepper, batch


def test_tightness_compares_hidden_widths_with_the_inputs() -> None:
    found, stepper, batch = regularised("tightness", "3")
    _, radius, first = hidden_bounds(stepper, batch.x)
    assert found == pytest.approx(3 * max(0, 0.5 - first.mean() / radius.mean()) / 0.5, abs=1e-5)
    assert found > 0.1


def test_balance_compares_active_and_inactive_units() -> None:
    found, stepper, batch = regularised("balance", "2")
    center, radius, _ = hidden_bounds(stepper, batch.x)
    on, off = center > radius, center < -radius
    assert on.any()
    assert off.any()
    spread = (center - center.mean()) ** 2
    ratios = [center[on].sum() / -center[off].sum(), spread[on].sum() / spread[off].sum()]
    wanted = sum(max(0, 0.5 - min(ratio, 1 / ratio)) for ratio in ratios) / 0.5
    assert found == pytest.approx(2 * wanted, abs=1e-5)


@pytest.mark.parametrize("word", ["balance", "tightness"])
def test_regularisers_have_the_gradient_that_differences_show(word: str) -> None:
    """Central differences of the regulariser itself, in float64, over centres and radii."""
    generator = torch.Generator().manual_seed(2)
    center = torch.randn(4, 5, generator=generator, dtype=torch.float64) + 0.6
    radius = torch.rand(4, 5, generator=generator, dtype=torch.float64) * 0.4
    form = LOSSES[word].forms["inner"]

    def value(c: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        return form(Inner(torch.full((4, 2), 0.05, dtype=torch.float64), ((c, r),)), None, {})

    assert float(value(center, radius)) > 0.05
    inputs = (center.requires_grad_(), radius.requires_grad_())
    assert torch.autograd.gradcheck(value, inputs, eps=1e-7, atol=1e-5)


def test_a_layer_without_inactive_units_is_not_balanced() -> None:
    inner = Inner(torch.ones(1, 1), ((torch.full((2, 3), 5.0), torch.ones(2, 3)),))
    assert float(LOSSES["balance"].forms["inner"](inner, None, {})) == 0.0


def test_at_radius_zero_tightness_is_finite_and_flat() -> None:
    center = torch.ones(2, 3, requires_grad=True)
    radius = torch.zeros(2, 3, requires_grad=True)
    loss = LOSSES["tightness"].forms["inner"](
        Inner(torch.zeros(2, 2), ((center, radius),)), None, {}
    )
    assert float(loss.detach()) == 1.0
    (gradient,) = torch.autograd.grad(loss, radius)
    assert torch.equal(gradient, torch.zeros(2, 3))


def test_tightness_shrinks_weights_already_while_the_schedule_is_at_radius_zero() -> None:
    """Its part of the gradient there is that at a small radius, where the ratio is the same."""
    changes = []
    for eps in (0.0, 1e-3):
        fit = tiny_fit(loss=LossExpr("*", (number(1), term("tightness", "inner"))), optimiser=SGD)
        stepper, batches = stepper_for(fit)
        weight = stepper.weights.value("fc1.weight")
        with torch.no_grad():
            weight.mul_(6.0)
        before = weight.detach().clone()
        stepper.step(0, batches.at(0), {**VALUES, "eps": eps})
        changes.append(weight.detach() - before)
    assert float(changes[0].abs().max()) > 1e-4
    torch.testing.assert_close(changes[0], changes[1], atol=1e-5, rtol=0.05)


@pytest.mark.parametrize("norm", [False, True])
def test_inner_bounds_are_those_before_each_activation(norm: bool) -> None:
    stepper, _ = stepper_for(tiny_fit(norm=norm))
    assert pre_activations(stepper.programs.graph) == ("norm" if norm else "fc1",)


def test_l1_is_the_sum_of_absolute_weights_without_biases() -> None:
    fit = tiny_fit(loss=plus("1/100", term("l1", "weights")), optimiser=SGD)
    stepper, batches = stepper_for(fit)
    before = {n: stepper.weights.value(n).detach().clone() for n in ("fc1.weight", "out.weight")}
    plain, _ = stepper_for(tiny_fit(loss=FIT, optimiser=SGD))
    batch = batches.at(0)
    loss, alone = stepper.step(0, batch, VALUES).loss, plain.step(0, batch, VALUES).loss
    size = sum(float(one.abs().sum()) for one in before.values())
    assert float(loss - alone) == pytest.approx(size / 100, rel=1e-4)
    for name, old in before.items():  # the update differs by lr times the sign over 100
        change = plain.weights.value(name).detach() - stepper.weights.value(name).detach()
        torch.testing.assert_close(change, 0.1 * old.sign() / 100, atol=1e-6, rtol=0)
    assert torch.equal(stepper.weights.value("out.bias"), plain.weights.value("out.bias"))


ROWS = torch.tensor([[1.0, -2.0, 3.0], [-1.0, -4.0, -2.0]])
KEYS = torch.tensor([11, 12])


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("all", ROWS.tolist()), ("most", [[3.0], [-1.0]]), ("least", [[1.0], [-1.0]])],
)
def test_rows_are_chosen_by_their_bounds(word: str, wanted: list[list[float]]) -> None:
    assert chosen_rows(ROWS, KEYS, {"rows": word, "count": 1}).tolist() == wanted


def test_random_rows_follow_from_keys() -> None:
    found = chosen_rows(ROWS, KEYS, {"rows": "random", "count": 5})
    drawn = integers(derive(KEYS, DRAWN), 5, 3)
    assert found.tolist() == [[ROWS[i, k] for k in drawn[i]] for i in range(2)]
    many = chosen_rows(ROWS, KEYS, {"rows": "random", "count": 300})
    assert set(many[0].tolist()) == set(ROWS[0].tolist())


def test_a_loss_over_some_rows_is_the_loss_of_these() -> None:
    arguments = {"margin": 1.0, "rows": "most", "count": 1}
    loss = LossExpr("term", term=term("hinge", "violation", **arguments).term)
    stepper, batches = stepper_for(tiny_fit(loss=loss))
    step = stepper.step(0, batches.at(0), VALUES)
    torch.testing.assert_close(step.loss, step.violation.amax(1).clamp(min=-1.0).mean())


def test_gradients_are_clipped_to_their_norm() -> None:
    free, batches = stepper_for(tiny_fit(loss=FIT, optimiser=SGD))
    cut, _ = stepper_for(tiny_fit(loss=FIT, optimiser=SGD, clip_gradient=0.01))
    start = [one.detach().clone() for one in free.weights.parameters()]
    changes = []
    for stepper in (free, cut):
        stepper.step(0, batches.at(0), VALUES)
        now = stepper.weights.parameters()
        changes.append([n.detach() - s for n, s in zip(now, start, strict=True)])
    norms = [math.sqrt(sum(float(c.square().sum()) for c in change)) for change in changes]
    assert norms[0] > 0.01
    assert norms[1] == pytest.approx(0.1 * 0.01, rel=1e-3)
    for one, other in zip(*changes, strict=True):
        torch.testing.assert_close(other, one * (norms[1] / norms[0]))


def averaging(**changes: Any) -> Fit:
    average = Invocation("ema", {"decay": 0.75, "start": 2}, HERE)
    return tiny_fit(optimiser=SGD, loss=FIT, average=average, **changes)


def test_the_average_is_the_recursion_written_out() -> None:
    stepper, batches = stepper_for(averaging())
    wanted: dict[str, torch.Tensor] = {}
    for number_ in range(6):
        stepper.step(number_, batches.at(number_), VALUES)
        for name, now in stepper.weights.state_dict().items():
            old = wanted.get(name, now)
            wanted[name] = 0.75 * old + 0.25 * now if number_ >= 2 else now.clone()
    for name, tensor in stepper.average.items():
        torch.testing.assert_close(tensor, wanted[name])


def test_the_trained_network_is_the_average_and_training_goes_on_from_the_weights() -> None:
    stepper, batches = stepper_for(averaging(norm=True))
    for number_ in range(6):
        stepper.step(number_, batches.at(number_), VALUES)
    before = {name: one.clone() for name, one in stepper.weights.state_dict().items()}
    graph = stepper.trained(stepper.programs.graph)
    name = stepper.weights.attribute("fc1.weight")
    assert np.array_equal(graph.constants["fc1.weight"], stepper.average[name].numpy())
    assert not np.array_equal(graph.constants["fc1.weight"], before[name].numpy())
    assert all(torch.equal(before[n], one) for n, one in stepper.weights.state_dict().items())


def test_an_average_without_memory_is_the_last_weights() -> None:
    average, now = [torch.zeros(3)], [torch.tensor([1.0, 2.0, 3.0])]
    AVERAGES["ema"].merge(average, now, 5, {"decay": 0.0, "start": 0})
    assert torch.equal(average[0], now[0])
