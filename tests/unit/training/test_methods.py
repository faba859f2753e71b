"""Bound methods and attacks against computations written out by hand, and against samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from recipes import HERE, bounded, deep_net, number, stepper_for, term, tiny_fit

from ibpc.data import derive, uniform
from ibpc.errors import TypeMistake, UnsupportedOperator
from ibpc.language.program import BoundPart, Fit, Invocation, LossExpr
from ibpc.training import Stepper
from ibpc.training.attacks.pgd import START

EPS = 0.06
VALUES = {"lr": 0.1, "eps": EPS, "kappa": 0.0}
SGD = Invocation("sgd", {}, HERE)
BETA = LossExpr("schedule", name="beta")


def deep_fit(bound: Any = None, **changes: Any) -> Fit:
    """The deep net with the worst case's cross-entropy alone."""
    bound = bounded("ibp") if bound is None else bound
    loss = changes.pop("loss", term("xent", "worst", rows="all"))
    return tiny_fit(net=deep_net(), bound=bound, loss=loss, optimiser=SGD, **changes)


def parameters(stepper: Stepper) -> list[torch.Tensor]:
    """Copies of W1, b1, W2, b2, W3, b3 to differentiate by hand, biases made unlike 0."""
    names = [f"{layer}.{part}" for layer in ("fc1", "fc2", "out") for part in ("weight", "bias")]
    generator = torch.Generator().manual_seed(1)
    for name in names[1::2]:
        own = stepper.weights.value(name)
        with torch.no_grad():
            own.copy_(0.2 * torch.randn(own.shape, generator=generator))
    return [stepper.weights.value(name).detach().clone().requires_grad_() for name in names]


def forward(x: torch.Tensor, w: list[torch.Tensor]) -> torch.Tensor:
    hidden = torch.relu(torch.relu(x @ w[0].T + w[1]) @ w[2].T + w[3])
    return hidden @ w[4].T + w[5]


def box_of(x: torch.Tensor, eps: float = EPS) -> tuple[torch.Tensor, torch.Tensor]:
    return (x - eps).clamp(0, 1), (x + eps).clamp(0, 1)


def claim_rows(label: torch.Tensor) -> torch.Tensor:
    """C of z[k] - z[y], k != y ascending.  Shape: (batch, 2, 3)."""
    eye = torch.eye(3)
    others = [[k for k in range(3) if k != y] for y in label.tolist()]
    return torch.stack([eye[others[i]] - eye[y].unsqueeze(0) for i, y in enumerate(label.tolist())])


def affine(lo: torch.Tensor, up: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> Any:
    """Eq. 6 with positive and negative parts of W."""
    plus, minus = w.clamp(min=0), w.clamp(max=0)
    return lo @ plus.T + up @ minus.T + b, up @ plus.T + lo @ minus.T + b


def chord(lo: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """Upper / (upper - lower) where open, else 1 or 0."""
    open_ = (lo < 0) & (up > 0)
    return torch.where(open_, up / torch.where(open_, up - lo, 1.0), (lo >= 0).float())


def backward(rows: torch.Tensor, box: Any, layers: Any, parallel: bool) -> torch.Tensor:
    """Upper bounds of rows (batch, n, units) over the last of `layers`, by CROWN written out.

    `layers`: (W, b, lower, upper) from the last to the first; bounds are of what W gives, None for
    the layer that the rows start at.
    """
    constant = torch.zeros(rows.shape[:2])
    for w, b, lo, up in layers:
        if lo is not None:
            slope, lo, up = chord(lo, up).unsqueeze(1), lo.unsqueeze(1), up.unsqueeze(1)
            open_ = (lo < 0) & (up > 0)
            below = slope if parallel else torch.where(open_, (up > -lo).float(), slope)
            plus, minus = rows.clamp(min=0), rows.clamp(max=0)
            constant = constant + (plus * torch.where(open_, -slope * lo, 0.0)).sum(2)
            rows = plus * slope + minus * below
        constant = constant + rows @ b
        rows = rows @ w
    center, radius = (box[0] + box[1]) / 2, (box[1] - box[0]) / 2
    return (
        constant + (rows * center.unsqueeze(1)).sum(2) + (rows.abs() * radius.unsqueeze(1)).sum(2)
    )


def crown_by_hand(
    x: torch.Tensor, label: torch.Tensor, w: list[torch.Tensor], parallel: bool, own: bool
) -> torch.Tensor:
    box = box_of(x)
    low1, up1 = affine(*box, w[0], w[1])
    low2, up2 = affine(low1.clamp(min=0), up1.clamp(min=0), w[2], w[3])
    if own:
        eye = torch.eye(5).expand(len(x), -1, -1)
        layers = ((w[2], w[3], None, None), (w[0], w[1], low1, up1))
        up2 = torch.minimum(up2, backward(eye, box, layers, parallel))
        low2 = torch.maximum(low2, -backward(-eye, box, layers, parallel))
    layers = ((w[4], w[5], None, None), (w[2], w[3], low2, up2), (w[0], w[1], low1, up1))
    return backward(claim_rows(label), box, layers, parallel)


def check(
    stepper: Stepper, batch: Any, w: list[torch.Tensor], loss: torch.Tensor, **values: float
) -> None:
    """The step's loss and its update are those of the loss that was written out."""
    gradients = torch.autograd.grad(loss, w)
    step = stepper.step(0, batch, {**VALUES, **values})
    torch.testing.assert_close(step.loss, loss.detach())
    names = [f"{layer}.{part}" for layer in ("fc1", "fc2", "out") for part in ("weight", "bias")]
    for name, old, gradient in zip(names, w, gradients, strict=True):
        torch.testing.assert_close(
            stepper.weights.value(name).detach(), (old - 0.1 * gradient).detach()
        )


def worst_loss(rows: torch.Tensor) -> torch.Tensor:
    return torch.log1p(rows.exp().sum(1)).mean()


@pytest.mark.parametrize(
    ("word", "arguments", "parallel", "own"),
    [
        ("crown", {"inner": "interval"}, False, False),
        ("crown", {"inner": "crown"}, False, True),
        ("wong", {}, True, True),
    ],
)
def test_backward_bounds_train_as_written_out(
    word: str, arguments: dict[str, Any], parallel: bool, own: bool
) -> None:
    stepper, batches = stepper_for(deep_fit(bounded(word, **arguments)))
    batch, w = batches.at(0), parameters(stepper)
    rows = crown_by_hand(batch.x, batch.label, w, parallel, own)
    check(stepper, batch, w, worst_loss(rows))


def test_wongs_bound_is_the_dual_networks() -> None:
    """Wong and Kolter 2018, algorithm 1, with x - eps and x + eps cut to the domain."""
    stepper, batches = stepper_for(deep_fit(bounded("wong")))
    batch, w = batches.at(0), parameters(stepper)
    low, up = box_of(batch.x)
    center, radius = (low + up) / 2, (up - low) / 2

    def dual(c: torch.Tensor, weights: Any, biases: Any, bounds: Any) -> torch.Tensor:
        """The lower bound J of c . z, c (batch, n, units)."""
        nu, total = -c, 0.0
        for k in reversed(range(len(weights))):
            total = total - nu @ biases[k]
            hat = nu @ weights[k]
            if k == 0:
                break
            lo, hi = (side.unsqueeze(1) for side in bounds[k - 1])
            open_ = (lo < 0) & (hi > 0)
            nu = chord(lo, hi) * hat
            total = total + torch.where(open_, lo * nu.clamp(min=0), 0.0).sum(2)
        size = (hat.abs() * radius.unsqueeze(1)).sum(2)
        return total - (hat * center.unsqueeze(1)).sum(2) - size

    weights, biases = w[0::2], w[1::2]
    first = affine(low, up, w[0], w[1])
    eye = torch.eye(5).expand(len(batch.x), -1, -1)
    second = affine(*(side.clamp(min=0) for side in first), w[2], w[3])
    lower = dual(eye, weights[:2], biases[:2], (first,))
    upper = -dual(-eye, weights[:2], biases[:2], (first,))
    second = (torch.maximum(second[0], lower), torch.minimum(second[1], upper))
    rows = -dual(-claim_rows(batch.label), weights, biases, (first, second))
    step = stepper.step(0, batch, VALUES)
    torch.testing.assert_close(step.violation, rows.detach())


@pytest.mark.parametrize(
    "bound",
    [bounded("crown"), bounded("crown", inner="crown"), bounded("wong")],
    ids=["crown-ibp", "crown", "wong"],
)
def test_backward_bounds_hold_at_samples(bound: tuple[BoundPart, ...]) -> None:
    stepper, batches = stepper_for(deep_fit(bound))
    batch, w = batches.at(0), parameters(stepper)
    step = stepper.step(0, batch, {**VALUES, "lr": 0.0})
    low, up = box_of(batch.x)
    for _ in range(300):
        x = low + (up - low) * torch.rand_like(low)
        rows = torch.einsum("bkn,bn->bk", claim_rows(batch.label), forward(x, w))
        assert (rows <= step.violation + 1e-5).all()


def test_a_fused_bound_is_that_of_the_sum_of_exponentials() -> None:
    stepper, batches = stepper_for(deep_fit(bounded("crown", fused=True)))
    batch, w = batches.at(0), parameters(stepper)
    box, rows = box_of(batch.x), claim_rows(batch.label)
    low1, up1 = affine(*box, w[0], w[1])
    low2, up2 = affine(low1.clamp(min=0), up1.clamp(min=0), w[2], w[3])
    low3, up3 = affine(low2.clamp(min=0), up2.clamp(min=0), w[4], w[5])
    sides = [
        torch.einsum("bkn,bn->bk", rows.clamp(min=0), one)
        + torch.einsum("bkn,bn->bk", rows.clamp(max=0), other)
        for one, other in ((low3, up3), (up3, low3))
    ]
    slope = (sides[1].exp() - sides[0].exp()) / (sides[1] - sides[0])
    fused = torch.einsum("bk,bkn->bn", slope, rows).unsqueeze(1)
    layers = ((w[4], w[5], None, None), (w[2], w[3], low2, up2), (w[0], w[1], low1, up1))
    total = backward(fused, box, layers, False).squeeze(1)
    total = total + (sides[0].exp() - slope * sides[0]).sum(1)
    for _ in range(300):
        x = box[0] + (box[1] - box[0]) * torch.rand_like(box[0])
        sampled = torch.einsum("bkn,bn->bk", rows, forward(x, w)).exp().sum(1)
        assert (sampled <= total + 1e-5).all()
    check(stepper, batch, w, torch.log1p(total).mean())


def mix(*parts: tuple[LossExpr, str, dict[str, Any]]) -> tuple[BoundPart, ...]:
    return tuple(BoundPart(weight, Invocation(word, given, HERE)) for weight, word, given in parts)


CROWN_IBP = mix(
    (BETA, "crown", {"inner": "interval"}),
    (LossExpr("-", (number(1), BETA)), "ibp", {"elide": True}),
)


def ibp_by_hand(x: torch.Tensor, label: torch.Tensor, w: list[torch.Tensor]) -> torch.Tensor:
    """Interval bounds, elided (Eq. 9)."""
    low, up = affine(*box_of(x), w[0], w[1])
    low, up = affine(low.clamp(min=0), up.clamp(min=0), w[2], w[3])
    low, up = low.clamp(min=0).unsqueeze(2), up.clamp(min=0).unsqueeze(2)
    rows = claim_rows(label)
    c = rows @ w[4]
    return (c.clamp(min=0) @ up + c.clamp(max=0) @ low).squeeze(2) + rows @ w[5]


def test_crown_ibp_mixes_both_bounds() -> None:
    stepper, batches = stepper_for(deep_fit(CROWN_IBP))
    batch, w = batches.at(0), parameters(stepper)
    crown = crown_by_hand(batch.x, batch.label, w, False, False)
    rows = 0.25 * crown + 0.75 * ibp_by_hand(batch.x, batch.label, w)
    check(stepper, batch, w, worst_loss(rows), beta=0.25)


def test_a_part_of_weight_zero_is_not_computed() -> None:
    stepper, batches = stepper_for(deep_fit(CROWN_IBP))
    stepper.step(0, batches.at(0), {**VALUES, "beta": 0.0})
    assert stepper.programs.made == {"bound"}
    stepper.step(1, batches.at(1), {**VALUES, "beta": 1.0})
    assert stepper.programs.made == {"bound", "backward"}


def test_fused_bounds_mix_as_sums_of_exponentials() -> None:
    fused = mix(
        (BETA, "crown", {"fused": True}),
        (LossExpr("-", (number(1), BETA)), "ibp", {"elide": True}),
    )
    stepper, batches = stepper_for(deep_fit(fused))
    batch, w = batches.at(0), parameters(stepper)
    alone, _ = stepper_for(deep_fit(bounded("crown", fused=True)))
    parameters(alone)
    crown = alone.step(0, batch, {**VALUES, "lr": 0.0}).violation.exp()
    interval = ibp_by_hand(batch.x, batch.label, w).exp().sum(1, keepdim=True)
    step = stepper.step(0, batch, {**VALUES, "beta": 0.25})
    torch.testing.assert_close(step.violation.exp(), 0.25 * crown + 0.75 * interval.detach())


def test_a_negative_weight_is_refused_where_it_occurs() -> None:
    stepper, batches = stepper_for(deep_fit(CROWN_IBP))
    with pytest.raises(TypeMistake, match=r"the weight of `ibp` is -0\.5"):
        stepper.step(0, batches.at(0), {**VALUES, "beta": 1.5})


def test_crown_refuses_batch_normalisation_with_a_way_out() -> None:
    with pytest.raises(UnsupportedOperator, match="batch normalisation") as caught:
        stepper_for(tiny_fit(norm=True, bound=bounded("crown")))
    assert "bound = ibp" in caught.value.diagnostics[0].fix


# --- attacks -----------------------------------------------------------------------------------


def attacked_by_hand(
    batch: Any, w: list[torch.Tensor], steps: int, size: float | None = None
) -> torch.Tensor:
    """PGD on the cross-entropy by signs, from the keyed start."""
    low, up = box_of(batch.x)
    x = low + (up - low) * uniform(derive(batch.keys, START), 2)
    for _ in range(steps):
        x = x.detach().requires_grad_()
        logits = forward(x, [one.detach() for one in w])
        loss = torch.nn.functional.cross_entropy(logits, batch.label, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        step = (up - low) / 2 * 2.5 / steps if size is None else size
        x = torch.minimum(torch.maximum(x + step * gradient.sign(), low), up)
    return x.detach()


def test_adversarial_training_is_the_loss_at_the_attacks_point() -> None:
    fit = deep_fit(loss=term("xent", "attacked"), attack=Invocation("pgd", {"steps": 7}, HERE))
    stepper, batches = stepper_for(fit)
    batch, w = batches.at(0), parameters(stepper)
    x = attacked_by_hand(batch, w, 7)
    loss = torch.nn.functional.cross_entropy(forward(x, w), batch.label)
    check(stepper, batch, w, loss)


def test_an_attack_does_more_harm_than_its_start() -> None:
    harm = {}
    for steps in (1, 7):
        attack = Invocation("pgd", {"steps": steps, "optimiser": "adam", "step_size": 0.1}, HERE)
        stepper, batches = stepper_for(deep_fit(loss=term("xent", "attacked"), attack=attack))
        parameters(stepper)
        harm[steps] = float(stepper.step(0, batches.at(0), VALUES).loss)
    clean, batches = stepper_for(deep_fit(loss=term("xent", "logits")))
    parameters(clean)
    assert harm[7] >= harm[1] > float(clean.step(0, batches.at(0), VALUES).loss)


def test_random_starts_follow_from_seed_epoch_and_datum() -> None:
    fit = deep_fit(loss=term("xent", "attacked"), attack=Invocation("pgd", {"steps": 1}, HERE))
    _, batches = stepper_for(fit)
    _, others = stepper_for(replace(fit, batch=5))
    ours = dict(zip(map(tuple, batches.at(0).x.tolist()), batches.at(0).keys.tolist(), strict=True))
    for x, key in zip(others.at(0).x.tolist(), others.at(0).keys.tolist(), strict=True):
        assert ours[tuple(x)] == key
    assert not set(ours.values()) & set(batches.at(6).keys.tolist())


def test_small_boxes_are_bounded_by_intervals() -> None:
    fit = deep_fit(
        bounded("sabr", share=0.4, elide=True), attack=Invocation("pgd", {"steps": 3}, HERE)
    )
    stepper, batches = stepper_for(fit)
    batch, w = batches.at(0), parameters(stepper)
    low, up = box_of(batch.x)
    point, tau = attacked_by_hand(batch, w, 3), 0.4 * (up - low) / 2
    center = torch.minimum(torch.maximum(point, low + tau), up - tau)
    lo, hi = affine(center - tau, center + tau, w[0], w[1])
    lo, hi = affine(lo.clamp(min=0), hi.clamp(min=0), w[2], w[3])
    c = claim_rows(batch.label) @ w[4]
    lo, hi = lo.clamp(min=0).unsqueeze(2), hi.clamp(min=0).unsqueeze(2)
    rows = (c.clamp(min=0) @ hi + c.clamp(max=0) @ lo).squeeze(2)
    check(stepper, batch, w, worst_loss(rows + claim_rows(batch.label) @ w[5]))


def test_a_mix_of_attack_and_interval_loss_is_their_sum() -> None:
    """MTL-IBP: alpha of the worst case, the rest at the attack's point."""
    parts = (
        LossExpr("*", (number("1/4"), term("xent", "worst", rows="all"))),
        LossExpr("*", (number("3/4"), term("xent", "attacked"))),
    )
    fit = deep_fit(loss=LossExpr("+", parts), attack=Invocation("pgd", {"steps": 4}, HERE))
    stepper, batches = stepper_for(fit)
    batch, w = batches.at(0), parameters(stepper)
    x = attacked_by_hand(batch, w, 4)
    attacked = torch.nn.functional.cross_entropy(forward(x, w), batch.label)
    interval = worst_loss(ibp_by_hand(batch.x, batch.label, w))
    check(stepper, batch, w, 0.25 * interval + 0.75 * attacked)
