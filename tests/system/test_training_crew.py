"""Two processes that train together do what one does with the same batch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ibpc.graph import load_onnx

SCRIPT = """
import sys
from pathlib import Path
from recipes import HERE, bounded, dots, paper_loss, term, tiny_fit
from ibpc.language import Invocation, LossExpr
from ibpc.progress import SilentProgress
from ibpc.training import train, trainer

trainer.METRICS_STEPS = 10
PGD = Invocation("pgd", {"steps": 2}, HERE)
RECIPES = {
    "ibp": {"average": Invocation("ema", {"decay": 0.9}, HERE), "clip_gradient": 0.5},
    "attacked": {"loss": LossExpr("+", (paper_loss(), term("xent", "attacked"))), "attack": PGD},
    "crown": {"bound": bounded("crown", fused=True)},
    "norm": {"norm": True},
    "odd": {"batch": 9},
    "long": {"steps": 10**6},
}
train(tiny_fit(**RECIPES[sys.argv[2]]), dots(), Path(sys.argv[1]), progress=SilentProgress())
"""


def start(root: Path, folder: Path, recipe: str, **crew: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(root), str(root / "tests" / "unit" / "training")])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), recipe],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **crew},
        stderr=subprocess.PIPE,
        text=True,
    )


def start_two(root: Path, folder: Path, recipe: str) -> list[subprocess.Popen[str]]:
    """Two gloo processes, as torchrun would start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    crew = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [start(root, folder, recipe, RANK=str(n), LOCAL_RANK=str(n), **crew) for n in range(2)]


def finish(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Exit codes, and what was told on stderr."""
    try:
        told = [process.communicate(timeout=600)[1] for process in processes]
        return [(p.returncode, text) for p, text in zip(processes, told, strict=True)]
    finally:
        for process in processes:
            process.kill()


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["ibp", "attacked", "crown"])
def test_two_processes_train_as_one(root: Path, tmp_path: Path, recipe: str) -> None:
    one = finish([start(root, tmp_path / "one", recipe)])
    two = finish(start_two(root, tmp_path / "two", recipe))
    assert [code for code, _ in (*one, *two)] == [0, 0, 0], two
    for ours, theirs in zip(lines(tmp_path / "one"), lines(tmp_path / "two"), strict=True):
        for name in ("loss", "train_error", "attack_error", "verified_error", "step"):
            assert theirs[name] == pytest.approx(ours[name], abs=2e-4), (name, ours["step"])
    alone, shared = (load_onnx(tmp_path / n / "model.onnx").constants for n in ("one", "two"))
    for name, array in alone.items():
        np.testing.assert_allclose(shared[name], array, atol=2e-3)
    assert json.loads((tmp_path / "two" / "fit.json").read_text())["processes"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "why"), [("norm", "batch normalisation"), ("odd", "no 2 equal")]
)
def test_what_cannot_be_shared_is_refused(
    root: Path, tmp_path: Path, recipe: str, why: str
) -> None:
    for code, told in finish(start_two(root, tmp_path, recipe)):
        assert code != 0
        assert why in told


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both_with_a_checkpoint(root: Path, tmp_path: Path) -> None:
    processes = start_two(root, tmp_path, "long")
    deadline = time.monotonic() + 240
    while not (tmp_path / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    processes[1].send_signal(signal.SIGTERM)
    finish(processes)
    assert (tmp_path / "checkpoint" / "latest.pt").exists()
    assert not (tmp_path / "model.onnx").exists()
