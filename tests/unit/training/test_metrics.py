"""Sums on the device and lines in a file."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from ibpc.training.metrics import MetricsFile, Window, tightness
from ibpc.training.step import Step

LABEL = torch.tensor([0, 1])


def step(loss: float, violation: list[list[float]] | None = None) -> Step:
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    spec = None if violation is None else torch.tensor(3.0)
    rows = None if violation is None else torch.tensor(violation)
    return Step(torch.tensor(loss), torch.tensor(loss), spec, logits, rows)


def test_means_count_only_the_steps_that_had_the_pass() -> None:
    window = Window("cpu", strict=False)
    window.add(0, step(1.0), LABEL)
    window.add(1, step(2.0, [[-1.0, 0.0], [-1.0, 0.5]]), LABEL)
    assert window.means() == {
        "loss": 1.5,
        "fit": 1.5,
        "spec": 3.0,
        "train_error": 0.5,
        "attack_error": None,
        "verified_error": 0.5,
    }


def test_tightness_is_the_bounds_distance_from_the_datum() -> None:
    found = tightness(step(1.0, [[0.5], [2.0]]), LABEL)
    assert found == {"bound": 1.25, "margin": 0.0, "gap": 1.25}
    assert set(tightness(step(1.0), LABEL).values()) == {None}


def test_a_tie_is_open_where_the_claim_is_strict() -> None:
    window = Window("cpu", strict=True)
    window.add(0, step(1.0, [[-1.0, 0.0], [-1.0, -0.5]]), LABEL)
    assert window.means()["verified_error"] == 0.5


def test_a_pass_that_never_ran_has_no_mean() -> None:
    window = Window("cpu", strict=False)
    window.add(0, step(1.0), LABEL)
    assert window.means()["verified_error"] is None


def test_the_first_loss_that_is_no_number_is_remembered() -> None:
    window = Window("cpu", strict=False)
    for number, loss in enumerate([1.0, float("inf"), float("nan"), 1.0]):
        window.add(number, step(loss), LABEL)
    assert window.first_bad() == 1


def test_a_restored_window_goes_on() -> None:
    window, other = Window("cpu", strict=False), Window("cpu", strict=False)
    window.add(0, step(1.0), LABEL)
    other.restore(window.state())
    for one in (window, other):
        one.add(1, step(4.0), LABEL)
    assert window.means() == other.means()


def test_lines_beyond_the_checkpoint_and_torn_ones_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"step": number}) for number in (10, 20, 30)]
    path.write_text("\n".join(lines) + '\n{"step": 4')
    MetricsFile(path, 20).append({"step": 30})
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [10, 20, 30]
