"""The trainer: what it writes, that it resumes exactly, and how it stops."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from recipes import HERE, bounded, curve, dots, paper_loss, term, tiny_fit

from ibpc.errors import FileMistake, NumericalDoubt
from ibpc.graph import load_onnx
from ibpc.language import Invocation, LossExpr
from ibpc.progress import SilentProgress
from ibpc.training import train, trainer


class Recorder(SilentProgress):
    """Keeps what it is told; at step `stop` it does `stop_by`."""

    def __init__(self, stop: int | None = None, stop_by: Any = None) -> None:
        self.starts: list[tuple[int, str, int]] = []
        self.notes: list[str] = []
        self._stop, self._stop_by = stop, stop_by

    def start(self, total: int, title: str, done: int = 0) -> None:
        self.starts.append((total, title, done))

    def update(self, step: int, **facts: float | None) -> None:
        if step == self._stop:
            self._stop_by()

    def note(self, text: str) -> None:
        self.notes.append(text)


class Crash(Exception):
    """Stands for whatever ends a process."""


def crash() -> None:
    raise Crash


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "metrics.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        line.pop("steps_per_s")
    return found


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "METRICS_STEPS", 7)


def test_training_leaves_a_network_with_how_it_was_made(tmp_path: Path) -> None:
    seen = Recorder()
    path = train(tiny_fit(), dots(), tmp_path, progress=seen)
    assert path == tmp_path / "model.onnx"
    assert seen.starts == [(60, "fit(tiny)", 0)]
    about = load_onnx(path).metadata
    assert about["ibpc.recipe"] == "fit"
    assert about["ibpc.steps"] == "60"
    facts = json.loads((tmp_path / "fit.json").read_text())
    assert (facts["device"], facts["threads"]) == ("cpu", 1)
    assert facts["seconds"] > 0
    assert sorted(item.name for item in tmp_path.iterdir()) == [
        "fit.json",
        "metrics.jsonl",
        "model.onnx",
    ]


def test_metrics_tell_losses_errors_and_schedules(tmp_path: Path) -> None:
    train(tiny_fit(), dots(), tmp_path, progress=Recorder())
    found = lines(tmp_path)
    assert [line["step"] for line in found] == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert found[0]["verified_error"] is None
    assert found[-1]["schedules"] == {"lr": 1e-3, "eps": 0.1, "kappa": 0.5}
    assert found[-1]["verified_error"] >= found[-1]["train_error"]


def test_training_learns(tmp_path: Path) -> None:
    fit = tiny_fit(steps=400, curves={"lr": curve(("hold", 1e-2, None))} | _gentle())
    train(fit, dots(), tmp_path, progress=Recorder())
    found = lines(tmp_path)
    assert found[0]["train_error"] > 0.4
    assert found[-1]["train_error"] < 0.15


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    data = [
        train(tiny_fit(seed=seed), dots(), tmp_path / name, progress=Recorder()).read_bytes()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert data[0] == data[1]
    assert data[0] != data[2]


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    train(tiny_fit(), dots(), tmp_path, progress=Recorder())
    before = (tmp_path / "model.onnx").stat().st_mtime_ns
    seen = Recorder()
    train(tiny_fit(), dots(), tmp_path, progress=seen)
    assert seen.starts == []
    assert (tmp_path / "model.onnx").stat().st_mtime_ns == before


def test_another_recipes_network_is_not_overwritten(tmp_path: Path) -> None:
    train(tiny_fit(), dots(), tmp_path, progress=Recorder())
    with pytest.raises(FileMistake, match="is not the network that this recipe trains"):
        train(tiny_fit(seed=1), dots(), tmp_path, progress=Recorder())


@pytest.mark.parametrize("norm", [False, True])
def test_a_crashed_training_resumes_exactly(tmp_path: Path, norm: bool) -> None:
    whole = train(tiny_fit(norm=norm), dots(), tmp_path / "whole", progress=Recorder())
    with pytest.raises(Crash):
        train(tiny_fit(norm=norm), dots(), tmp_path / "halves", progress=Recorder(28, crash))
    assert [line["step"] for line in lines(tmp_path / "halves")][-1] == 28
    seen = Recorder()
    halves = train(tiny_fit(norm=norm), dots(), tmp_path / "halves", progress=seen)
    assert seen.starts == [(60, "fit(tiny)", 20)]  # the end of the warm-up
    assert halves.read_bytes() == whole.read_bytes()
    assert lines(tmp_path / "halves") == lines(tmp_path / "whole")


PGD = Invocation("pgd", {"steps": 2}, HERE)
EVERYTHING = {
    "adversarial": {"loss": term("xent", "attacked"), "attack": PGD},
    "sabr": {"bound": bounded("sabr", share=0.5), "attack": PGD},
    "crown-ibp": {"bound": bounded("crown")},
    "fused": {"bound": bounded("crown", fused=True)},
    "wong": {"bound": bounded("wong")},
    "random rows": {"loss": term("hinge", "violation", rows="random", count=1)},
    "warm-up": {"loss": LossExpr("+", (term("tightness", "inner"), term("balance", "inner")))},
    "averaged": {
        "loss": LossExpr("+", (paper_loss(), term("l1", "weights"))),
        "average": Invocation("ema", {"decay": 0.9}, HERE),
        "clip_gradient": 0.5,
        "norm": True,
    },
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_method_resumes_exactly(tmp_path: Path, name: str) -> None:
    fit = tiny_fit(**EVERYTHING[name])
    whole = train(fit, dots(), tmp_path / "whole", progress=Recorder())
    with pytest.raises(Crash):
        train(fit, dots(), tmp_path / "halves", progress=Recorder(49, crash))
    seen = Recorder()
    halves = train(fit, dots(), tmp_path / "halves", progress=seen)
    assert seen.starts == [(60, "fit(tiny)", 40)]
    assert halves.read_bytes() == whole.read_bytes()
    assert lines(tmp_path / "halves") == lines(tmp_path / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_of_that_very_step(tmp_path: Path, number: int) -> None:
    whole = train(tiny_fit(), dots(), tmp_path / "whole", progress=Recorder())

    def terminate(*_: Any) -> None:
        raise Crash

    before = signal.signal(number, terminate)
    try:
        stop = Recorder(35, lambda: signal.raise_signal(number))
        with pytest.raises(Crash):
            train(tiny_fit(), dots(), tmp_path / "halves", progress=stop)
    finally:
        signal.signal(number, before)
    seen = Recorder()
    halves = train(tiny_fit(), dots(), tmp_path / "halves", progress=seen)
    assert seen.starts[0][2] == 35
    assert halves.read_bytes() == whole.read_bytes()
    assert lines(tmp_path / "halves") == lines(tmp_path / "whole")


def test_an_unfinished_training_of_another_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        train(tiny_fit(), dots(), tmp_path, progress=Recorder(28, crash))
    with pytest.raises(FileMistake, match="checkpoint of another recipe"):
        train(tiny_fit(seed=1), dots(), tmp_path, progress=Recorder())


def test_damaged_checkpoints_are_told_of_and_training_starts_afresh(tmp_path: Path) -> None:
    whole = train(tiny_fit(), dots(), tmp_path / "whole", progress=Recorder())
    with pytest.raises(Crash):
        train(tiny_fit(), dots(), tmp_path / "halves", progress=Recorder(28, crash))
    (tmp_path / "halves" / "checkpoint" / "latest.pt").write_bytes(b"nonsense")
    seen = Recorder()
    halves = train(tiny_fit(), dots(), tmp_path / "halves", progress=seen)
    assert seen.starts[0][2] == 0
    assert "damaged" in seen.notes[0]
    assert "starting afresh" in seen.notes[0]
    assert halves.read_bytes() == whole.read_bytes()
    assert lines(tmp_path / "halves") == lines(tmp_path / "whole")


def test_a_loss_that_is_no_number_stops_training(tmp_path: Path) -> None:
    wild = {"lr": curve(("hold", 1e38, None))} | _gentle()
    with pytest.raises(NumericalDoubt, match="no longer a finite number at step") as caught:
        train(tiny_fit(curves=wild), dots(), tmp_path, progress=Recorder())
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.at == tiny_fit().span
    assert "learning rate" in diagnostic.fix
    assert not (tmp_path / "model.onnx").exists()


def test_a_folder_that_cannot_be_written_is_a_located_mistake(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FileMistake):
        train(tiny_fit(), dots(), tmp_path / "taken" / "fit", progress=Recorder())


def test_the_thread_count_is_the_callers_again_afterwards(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    train(tiny_fit(), dots(), tmp_path, threads=2, progress=Recorder())
    assert torch.get_num_threads() == before
    assert json.loads((tmp_path / "fit.json").read_text())["threads"] == 2


def test_a_missing_device_is_a_mistake_with_a_way_out() -> None:
    if torch.cuda.is_available():
        assert trainer.device_for("auto") == "cuda"
        return
    assert trainer.device_for("auto") == "cpu"
    with pytest.raises(FileMistake, match="no CUDA device"):
        trainer.device_for("cuda")


def _gentle() -> dict[str, Any]:
    return {
        "eps": curve(("hold", 0.0, 100), ("linear", 0.01, 200)),
        "kappa": curve(("hold", 1.0, 100), ("linear", 0.5, 200)),
    }


def test_batch_norm_statistics_end_in_the_file(tmp_path: Path) -> None:
    path = train(tiny_fit(norm=True), dots(), tmp_path, progress=Recorder())
    constants = load_onnx(path).constants
    assert abs(constants["norm.mean"]).max() > 0.01
    assert abs(constants["norm.var"] - 1).max() > 0.01
