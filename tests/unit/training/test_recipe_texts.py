"""Methods as spec text: what the checker makes of it, and what it refuses where and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import IbpcError
from ibpc.language import Fit, check_file

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """ibp 1

type Point = real[2] in [0 .. 1]
enum Sign { neg, pos }

data toy: (x: Point, y: Sign) {
    source = scatter(n = 13, positives = 5, separation = 0.08, seed = 1)
}

net mlp: Point -> real[Sign] {
    fc 4 act = relu
    out
}

spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

train fit(f: Point -> real[Sign]) {
    data = toy
    spec = robust(f, x, y, 0.08)
    steps = 10
SETTINGS
}

run default {
    fit(mlp)
}
"""


def fit_of(folder: Path, *settings: str) -> Fit:
    path = folder / "spec.ibp"
    text = SPEC.replace("SETTINGS", "\n".join(f"    {line}" for line in settings))
    path.write_text(text, encoding="utf-8")
    (task,) = check_file(str(path), vocabulary(), {}).targets["default"].tasks
    assert isinstance(task, Fit)
    return task


def refused(folder: Path, *settings: str) -> str:
    with pytest.raises(IbpcError) as caught:
        fit_of(folder, *settings)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.at is not None
    return f"{diagnostic.code} {diagnostic.problem}: {diagnostic.fix}"


def test_without_an_attack_in_the_loss_there_is_none(tmp_path: Path) -> None:
    fit = fit_of(tmp_path)
    assert (fit.attack, fit.average, fit.clip_gradient) == (None, None, None)


def test_adversarial_training_has_a_default_attack(tmp_path: Path) -> None:
    attack = fit_of(tmp_path, "loss = xent(attacked(spec), y)").attack
    assert attack is not None
    assert (attack.word, attack.arguments["steps"], attack.arguments["optimiser"]) == (
        "pgd",
        7,
        "sign",
    )


def test_an_attack_is_set_by_its_options(tmp_path: Path) -> None:
    lines = (
        "attack = pgd(steps = 20, optimiser = adam, step_size = 0.1, objective = margin)",
        "loss = 1/4 * xent(worst(spec), y) + 3/4 * xent(attacked(spec), y)",
    )
    attack = fit_of(tmp_path, *lines).attack
    assert attack is not None
    assert dict(attack.arguments) == {
        "steps": 20,
        "step_size": 0.1,
        "optimiser": "adam",
        "objective": "margin",
        "start": "random",
    }


def test_small_boxes_bring_their_attack(tmp_path: Path) -> None:
    assert fit_of(tmp_path, "bound = sabr(share = 0.2)").attack is not None


def test_mixed_bounds_keep_their_weights(tmp_path: Path) -> None:
    lines = (
        "bound = beta * crown(fused = true) + (1 - beta) * ibp",
        "beta(t) = 1 until 2, linear to 0 at 5",
    )
    parts = fit_of(tmp_path, *lines).bound
    assert [part.method.word for part in parts] == ["crown", "ibp"]
    assert [part.weight.operator for part in parts] == ["schedule", "-"]


def test_bounds_mix_in_any_grouping(tmp_path: Path) -> None:
    parts = fit_of(tmp_path, "bound = 1/2 * (ibp * 1/2 + 1/2 * crown) + 0.5 * wong").bound
    assert [part.method.word for part in parts] == ["ibp", "crown", "wong"]


def test_regularisers_average_and_clipping_are_read(tmp_path: Path) -> None:
    fit = fit_of(
        tmp_path,
        "loss = xent(worst(spec), y) + weight * (tightness(inner(spec)) + balance(inner(spec)))"
        " + 1e-6 * l1(weights(f))",
        "weight(t) = 1/2 until 1, linear to 0 at 5",
        "clip_gradient = 10",
        "average = ema(decay = 0.99)",
    )
    assert fit.clip_gradient == 10.0
    assert fit.average is not None
    assert fit.average.arguments == {"decay": 0.99, "start": 0}
    assert "weight" in fit.curves


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (("bound = ibp + crown",), "E0611 the weights of mixed bounds sum to 1"),
        (("bound = 1/2 * ibp",), "E0611 the weights of mixed bounds sum to 1"),
        (
            ("bound = beta * ibp + beta * crown", "beta = 1/2"),
            "E0611 the weights of mixed bounds sum to 1",
        ),
        (("bound = ibp - crown",), "E0611 bounds have no `-`"),
        (("bound = ibp * crown",), "E0611 two bounds are multiplied"),
        (("bound = crwn",), "E0106 unknown bound `crwn`: did you mean `crown`?"),
        (("attack = pgd",), "E0104 the attack is used by nothing: name it in the loss"),
        (("attack = fgsm", "loss = xent(attacked(spec), y)"), "E0106 unknown attack `fgsm`"),
        (("loss = xent(attacked(spec))",), "E0210 `xent` needs the label"),
        (("loss = hinge(attacked(spec), y)",), "E0630 `hinge` does not stand over attacked"),
        (("loss = xent(atacked(spec), y)",), "did you mean `attacked`?"),
        (("loss = xent(f(x), y) + l1(weights(spec))",), "write `weights(f)`"),
        (("loss = xent(f(x), y) + l1(f)",), "E0606 a loss stands over outputs or bounds"),
        (("loss = hinge(violation(spec), rows = worst)",), "E0106 unknown word `worst`"),
        (
            ("bound = crown(fused = true)", "loss = hinge(violation(spec))"),
            "E0612 a fused bound bounds the cross-entropy alone",
        ),
        (("clip_gradient = 0",), "E0304 no gradient has a norm below 0"),
        (("clip_gradient = -1",), "E0304"),
        (("average = swa",), "E0106 unknown average `swa`"),
        (
            ("beta = 1/2", "loss = xent(f(x), y)", "bound = beta * ibp + (1 - beta) * crown"),
            "E0104 the schedule `beta` is used by nothing",
        ),
    ],
)
def test_what_means_nothing_is_refused(
    settings: tuple[str, ...], wanted: str, tmp_path: Path
) -> None:
    assert wanted in refused(tmp_path, *settings)
