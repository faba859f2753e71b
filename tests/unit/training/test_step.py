"""Which passes a step runs, and that it is the step that the paper's loss asks for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from recipes import bounded, dots, tiny_fit

from ibpc.language.program import Fit, InputSet, Invocation, Symbol
from ibpc.passes import prepare
from ibpc.training import Stepper
from ibpc.training.batches import Batches
from ibpc.training.schedule import Plan
from ibpc.training.trainer import initial_graph


def stepper_for(fit: Fit) -> tuple[Stepper, Batches, Plan]:
    plan = Plan.of(fit, 64)
    stepper = Stepper(fit, prepare(initial_graph(fit), "training"), plan.curves)
    return stepper, Batches(dots(), plan, fit.seed, (), "cpu"), plan


def take(fit: Fit, values: dict[str, float]) -> tuple[Stepper, Any]:
    stepper, batches, _ = stepper_for(fit)
    return stepper, stepper.step(0, batches.at(0), {"lr": 0.1, **values})


def made(stepper: Stepper) -> set[str]:
    return set(stepper.programs.made)


def test_the_warm_up_is_a_plain_step() -> None:
    stepper, step = take(tiny_fit(), {"kappa": 1.0, "eps": 0.0})
    assert made(stepper) == {"clean"}
    assert step.violation is None
    assert step.spec is None


def test_in_between_both_passes_run_in_one_program() -> None:
    stepper, step = take(tiny_fit(), {"kappa": 0.5, "eps": 0.1})
    assert made(stepper) == {"both"}
    torch.testing.assert_close(step.loss, 0.5 * step.fit + 0.5 * step.spec)


def test_at_kappa_zero_the_clean_pass_is_left_out() -> None:
    stepper, step = take(tiny_fit(), {"kappa": 0.0, "eps": 0.1})
    assert made(stepper) == {"bound"}
    assert step.logits is None


def test_batch_norm_keeps_the_clean_pass_at_kappa_zero() -> None:
    stepper, step = take(tiny_fit(norm=True), {"kappa": 0.0, "eps": 0.1})
    assert made(stepper) == {"both"}
    assert step.fit is None


@pytest.mark.parametrize("kind", ["ball", "ball_2"])
def test_twice_the_schedule_is_the_schedule_with_twice_its_values(kind: str) -> None:
    base = tiny_fit()
    assert base.claim is not None
    doubled = replace(base.claim, set=InputSet(kind, Symbol("eps", Fraction(2))))
    plain = replace(base.claim, set=InputSet(kind, Symbol("eps")))
    _, one = take(replace(base, claim=doubled), {"kappa": 0.5, "eps": 0.05})
    _, other = take(replace(base, claim=plain), {"kappa": 0.5, "eps": 0.1})
    _, half = take(replace(base, claim=plain), {"kappa": 0.5, "eps": 0.05})
    torch.testing.assert_close(one.violation, other.violation, rtol=0, atol=0)
    assert (one.violation > half.violation).all()


def test_at_radius_zero_both_losses_agree() -> None:
    _, step = take(tiny_fit(), {"kappa": 0.5, "eps": 0.0})
    torch.testing.assert_close(step.spec, step.fit)


def test_elision_changes_the_bounds_and_never_for_the_worse() -> None:
    loose = tiny_fit(bound=bounded("ibp", elide=False))
    _, without = take(loose, {"kappa": 0.5, "eps": 0.1})
    _, with_it = take(tiny_fit(), {"kappa": 0.5, "eps": 0.1})
    torch.testing.assert_close(with_it.logits, without.logits)
    assert (with_it.violation <= without.violation + 1e-5).all()
    assert (with_it.violation < without.violation - 1e-3).any()


def test_a_step_is_that_of_a_hand_written_network() -> None:
    """One IBP step written out with torch alone: Eq. 6, 7, 10 and 12, unelided."""
    fit = tiny_fit(
        bound=bounded("ibp", elide=False),
        optimiser=Invocation("sgd", {}, tiny_fit().span),
    )
    stepper, batches, _ = stepper_for(fit)
    names = ("fc1.weight", "fc1.bias", "out.weight", "out.bias")
    w1, b1, w2, b2 = (
        stepper.weights.value(name).detach().clone().requires_grad_() for name in names
    )
    batch = batches.at(0)
    x, label = batch.x, batch.label
    loss = 0.75 * torch.nn.functional.cross_entropy(torch.relu(x @ w1.T + b1) @ w2.T + b2, label)
    lower, upper = (x - 0.1).clamp(0, 1), (x + 0.1).clamp(0, 1)
    mu, r = (lower + upper) / 2 @ w1.T + b1, (upper - lower) / 2 @ w1.abs().T
    lower, upper = torch.relu(mu - r), torch.relu(mu + r)
    mu, r = (lower + upper) / 2 @ w2.T + b2, (upper - lower) / 2 @ w2.abs().T
    true = torch.nn.functional.one_hot(label, 3).bool()
    worst = torch.where(true, mu - r, mu + r)
    loss = loss + 0.25 * torch.nn.functional.cross_entropy(worst, label)
    gradients = torch.autograd.grad(loss, (w1, b1, w2, b2))
    step = stepper.step(0, batch, {"lr": 0.1, "kappa": 0.75, "eps": 0.1})
    torch.testing.assert_close(step.loss, loss.detach())
    for name, old, gradient in zip(names, (w1, b1, w2, b2), gradients, strict=True):
        torch.testing.assert_close(
            stepper.weights.value(name).detach(), (old - 0.1 * gradient).detach()
        )


@pytest.mark.parametrize("word", ["hinge", "softplus"])
def test_losses_on_the_violation_train_too(word: str) -> None:
    from ibpc.language.program import LossExpr, LossTerm

    fit = tiny_fit(loss=LossExpr("term", term=LossTerm(word, "violation", {"margin": 1.0})))
    stepper, batches, _ = stepper_for(fit)
    values = {"lr": 0.01, "kappa": 0.5, "eps": 0.01}
    losses = [float(stepper.step(n, batches.at(n), values).loss) for n in range(150)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
