"""A training process that is killed outright, and started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
from pathlib import Path
from recipes import dots, tiny_fit
from ibpc.progress import SilentProgress
from ibpc.training import train, trainer

trainer.METRICS_STEPS = 10
kill_at = int(sys.argv[2])

class Killer(SilentProgress):
    def update(self, step, **facts):
        if step == kill_at:
            os.kill(os.getpid(), 9)

train(tiny_fit(steps=120), dots(), Path(sys.argv[1]), progress=Killer())
"""


def run(root: Path, folder: Path, kill_at: int) -> int:
    paths = os.pathsep.join([str(root), str(root / "tests" / "unit" / "training")])
    command = [sys.executable, "-c", SCRIPT, str(folder), str(kill_at)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False).returncode


def test_a_killed_training_ends_in_the_weights_of_one_that_was_not(
    root: Path, tmp_path: Path
) -> None:
    assert run(root, tmp_path / "whole", 0) == 0
    assert run(root, tmp_path / "killed", 70) == -9
    assert not (tmp_path / "killed" / "model.onnx").exists()
    assert run(root, tmp_path / "killed", 0) == 0
    whole, killed = (tmp_path / name for name in ("whole", "killed"))
    assert (killed / "model.onnx").read_bytes() == (whole / "model.onnx").read_bytes()
    steps = [
        json.loads(line)["step"] for line in (killed / "metrics.jsonl").read_text().splitlines()
    ]
    assert steps == list(range(10, 130, 10))
