"""Certified fine-tuning: a network that torch trained and exported, trained on with bounds."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from ibpc.cli import main
from ibpc.graph import run_onnxruntime

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
ibp 1

from "gowal.ibp" import robust

type Image = real[1, 8, 8] in [0 .. 1]
type Digit = index[10]
type Logits = real[Digit]

data digits: (x: Image, y: Digit) {
    source = builtin(digits)
    train = 1437
    test = 360
}

net theirs: Image -> Logits = onnx("theirs.onnx") {
    input = (x - 1/4) / (1/2)
}

train tune(f: Image -> Logits) {
    data = digits.train
    spec = robust(f, x, y, eps)
    bound = ibp
    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    optimiser = adam
    batch = 50
    steps = 300
    seed = 0
    lr(t) = 1e-3
    eps(t) = 0 until 20, linear to 0.06 at 200
    kappa(t) = 1 until 20, linear to 1/2 at 200
}

verify table(f: Image -> Logits) {
    data = digits.test
    spec = robust(f, x, y, 0.05)
    report test_error = by forward(argmax(f(x)) == y)
    report ibp_bound = by ibp
}

run default {
    table(theirs)
    table(tune(theirs))
}
"""


def plainly_trained(folder: Path) -> torch.nn.Module:
    """A digits MLP as its owner trains it: cross-entropy alone, over normalised inputs."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    x, y = (torch.from_numpy(v) for v in load_digits(return_X_y=True))
    x = ((x / 16 - 0.25) / 0.5).float().reshape(-1, 1, 8, 8)[:1437]
    net = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 40), torch.nn.ReLU(), torch.nn.Linear(40, 10)
    )
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(150):
        part = torch.arange(step * 64, step * 64 + 64) % 1437
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x[part]), y[part]).backward()
        optimiser.step()
    export(net, folder)
    return net


def export(net: torch.nn.Module, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter
        torch.onnx.export(net, (torch.zeros(1, 1, 8, 8),), folder / "theirs.onnx", dynamo=False)


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(folder)
    shutil.copy(ROOT / "specs" / "gowal.ibp", folder)
    (folder / "spec.ibp").write_text(SPEC, encoding="utf-8")
    return main(["run", "spec.ibp", "-o", "out", "--jobs", "1"])


def test_fine_tuning_improves_the_bound_and_goes_back_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plainly_trained(tmp_path)
    assert run(tmp_path, monkeypatch) == 0
    (results,) = tmp_path.glob("out/**/results.json")
    before, after = (
        {report["name"]: report["high"] for report in task["reports"]}
        for task in json.loads(results.read_text())["tasks"]
    )
    assert before["ibp_bound"] > after["ibp_bound"] + 0.15
    assert after["test_error"] < before["test_error"] + 0.05
    (tuned,) = tmp_path.glob("out/**/tuned.onnx")
    theirs, ours = onnx.load(tmp_path / "theirs.onnx"), onnx.load(tuned)
    onnx.checker.check_model(ours)
    assert [node.SerializeToString() for node in ours.graph.node] == [
        node.SerializeToString() for node in theirs.graph.node
    ]
    pairs = list(zip(theirs.graph.initializer, ours.graph.initializer, strict=True))
    assert all(a.name == b.name and a.dims == b.dims for a, b in pairs)
    assert sum(a.raw_data != b.raw_data for a, b in pairs) == 4
    model = tuned.with_name("model.onnx").read_bytes()
    x = np.random.default_rng(0).random((1, 1, 8, 8), np.float32)
    (left,) = run_onnxruntime(
        tuned.read_bytes(), {theirs.graph.input[0].name: (x - 0.25) / 0.5}
    ).values()
    (right,) = run_onnxruntime(model, {theirs.graph.input[0].name: x}).values()
    np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4)


def test_a_network_without_weights_cannot_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export(
        torch.nn.Sequential(
            torch.nn.ReLU(),
            torch.nn.ZeroPad2d((0, 2, 0, 0)),
            torch.nn.MaxPool2d((8, 1)),
            torch.nn.Flatten(),
        ),
        tmp_path,
    )
    assert run(tmp_path, monkeypatch) == 1
    told = capsys.readouterr().err
    assert "error[E0841]: `" in told
    assert "theirs.onnx` has no weights that training could change" in told


def test_weights_that_are_computed_in_the_file_are_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plainly_trained(tmp_path)
    model = onnx.load(tmp_path / "theirs.onnx")
    (weight,) = [one for one in model.graph.initializer if list(one.dims) == [40, 64]]
    name, weight.name = weight.name, "stored"
    model.graph.node.insert(0, onnx.helper.make_node("Neg", ["stored"], [name]))
    onnx.save(model, tmp_path / "theirs.onnx")
    assert run(tmp_path, monkeypatch) == 1
    told = capsys.readouterr().err
    assert "error[E0842]: `" in told
    assert "theirs.onnx` does not hold the trained weights" in told
    assert not list(tmp_path.glob("out/**/model.onnx"))
