"""The log of an example's polytope: what it holds, and that it survives a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from recipes import HERE, dots, tiny_fit
from test_trainer import Crash, Recorder, crash

from ibpc.errors import TypeMistake
from ibpc.graph import load_onnx
from ibpc.language import Fit, Invocation
from ibpc.training import train, trainer

if TYPE_CHECKING:
    from pathlib import Path


def logged(**changes: Any) -> Fit:
    arguments = {"datum": 3, "samples": 50, "every": 25, **changes}
    return tiny_fit(logs=(Invocation("polytope", arguments, HERE),))


def lines(folder: Path, word: str = "polytope") -> list[dict[str, Any]]:
    text = (folder / f"{word}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_lines_stand_at_the_start_regularly_and_at_the_end(tmp_path: Path) -> None:
    train(logged(), dots(), tmp_path, progress=Recorder())
    assert [line["step"] for line in lines(tmp_path)] == [0, 25, 50, 60]


def test_samples_lie_in_the_box_which_is_the_interval_bound(tmp_path: Path) -> None:
    path = train(logged(), dots(), tmp_path, progress=Recorder())
    first, *_, last = lines(tmp_path)
    for line in (first, last):
        samples = np.array(line["samples"])
        assert samples.shape == (50, 3)
        assert (samples >= np.array(line["lower"]) - 1e-5).all()
        assert (samples <= np.array(line["upper"]) + 1e-5).all()
        assert line["eps"] == 0.1
        assert line["label"] == int(dots().labels[3])
    constants = load_onnx(path).constants
    x = dots().pixels([3]).astype(np.float64)
    low, up = np.clip(x - 0.1, 0, 1), np.clip(x + 0.1, 0, 1)
    for layer in ("fc1", "out"):
        w, b = constants[f"{layer}.weight"], constants[f"{layer}.bias"]
        center, radius = (low + up) / 2 @ w.T + b, (up - low) / 2 @ np.abs(w).T
        low, up = center - radius, center + radius
        if layer == "fc1":
            low, up = low.clip(min=0), up.clip(min=0)
    np.testing.assert_allclose(last["lower"], low[0], atol=1e-5)
    np.testing.assert_allclose(last["upper"], up[0], atol=1e-5)


def test_all_layers_have_their_bounds_and_what_the_points_reach(tmp_path: Path) -> None:
    path = train(logged(layers="all"), dots(), tmp_path, progress=Recorder())
    constants = load_onnx(path).constants
    (layer,) = lines(tmp_path)[-1]["layers"]
    assert layer["name"].startswith("fc1")
    lower, least, most, upper = (np.array(layer[k]) for k in ("lower", "least", "most", "upper"))
    assert (lower <= least + 1e-6).all()
    assert (least < most).all()
    assert (most <= upper + 1e-6).all()
    x = dots().pixels([3]).astype(np.float64)
    low, up = np.clip(x - 0.1, 0, 1), np.clip(x + 0.1, 0, 1)
    w, b = (constants[f"fc1.{part}"].astype(np.float64) for part in ("weight", "bias"))
    center, radius = (low + up) / 2 @ w.T + b, (up - low) / 2 @ np.abs(w).T
    np.testing.assert_allclose(lower, (center - radius)[0], atol=1e-5)
    np.testing.assert_allclose(upper, (center + radius)[0], atol=1e-5)


def test_two_logs_are_two_files_and_the_widths_are_those_of_the_boxes(tmp_path: Path) -> None:
    bounds = Invocation("bounds", {"method": "ibp", "examples": 5, "every": 20}, HERE)
    fit = logged()
    path = train(replace(fit, logs=(*fit.logs, bounds)), dots(), tmp_path, progress=Recorder())
    assert [line["step"] for line in lines(tmp_path)] == [0, 25, 50, 60]
    found = lines(tmp_path, "bounds")
    assert [line["step"] for line in found] == [0, 20, 40, 60]
    assert {(line["eps"], line["examples"]) for line in found} == {(0.1, 5)}
    constants = load_onnx(path).constants
    x = dots().pixels(list(range(5))).astype(np.float64)
    width = np.clip(x + 0.1, 0, 1) - np.clip(x - 0.1, 0, 1)
    first, last = (layer["width"] for layer in found[-1]["layers"])
    assert first == pytest.approx((width @ np.abs(constants["fc1.weight"]).T).mean(), rel=1e-5)
    assert last > 0


def test_a_log_changes_nothing_and_survives_a_crash(tmp_path: Path) -> None:
    plain = load_onnx(train(tiny_fit(), dots(), tmp_path / "plain", progress=Recorder()))
    whole = load_onnx(train(logged(), dots(), tmp_path / "whole", progress=Recorder()))
    for name, array in plain.constants.items():
        assert np.array_equal(array, whole.constants[name])
    with pytest.raises(Crash):
        train(logged(), dots(), tmp_path / "halves", progress=Recorder(49, crash))
    train(logged(), dots(), tmp_path / "halves", progress=Recorder())
    assert lines(tmp_path / "halves") == lines(tmp_path / "whole")


def test_an_example_that_is_not_there_is_a_located_mistake(tmp_path: Path) -> None:
    with pytest.raises(TypeMistake, match="example 64, of 64 counted from 0"):
        train(logged(datum=64), dots(), tmp_path, progress=Recorder())


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "METRICS_STEPS", 7)
