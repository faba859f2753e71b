"""`ibpc run` from outside: trains, bounds, verifies; killed, it resumes to the same end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from page_reading import Page
from small_specs import DIGITS

if TYPE_CHECKING:
    from command import Ibpc

ROOT = Path(__file__).resolve().parents[2]


TIMES = ("seconds", "stage_seconds", "stage_work_seconds")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "tiny.ibp"
    path.write_text(DIGITS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a run that was never stopped."""
    out = tmp_path_factory.mktemp("whole")
    found = start(spec, out).wait(timeout=280)
    assert found == 0
    return only_folder(out)


def start(spec: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ibpc", "run", str(spec), "-o", str(out)]
    return subprocess.Popen(
        [*command, "--jobs", "1", "--threads", "1", "--device", "cpu"],
        cwd=out,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def only_folder(out: Path) -> Path:
    (folder,) = (path for path in out.iterdir() if path.is_dir())
    return folder


def outcome(folder: Path) -> tuple[bytes, Any]:
    """The trained file's bytes, and the results without times."""
    (model,) = folder.glob("fits/*/model.onnx")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for task in results["tasks"]:
        for part in (task, *task["reports"]):
            for name in TIMES:
                part.pop(name, None)
    return model.read_bytes(), results


def test_a_run_trains_and_decides_every_example(whole: Path) -> None:
    _, results = outcome(whole)
    (task,) = results["tasks"]
    test_error, ibp_bound, verified = (report for report in task["reports"])
    assert task["examples"] == 60
    assert test_error["rate"] < 0.4
    assert test_error["rate"] <= verified["rate"] <= ibp_bound["rate"]
    assert verified["unknown"] == 0
    assert verified["meaning"] == "exact"


def test_a_run_writes_what_is_needed_to_repeat_it(whole: Path) -> None:
    manifest = json.loads((whole / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["spec"] == "tiny.ibp"
    assert manifest["packages"]["torch"] != "absent"
    assert (whole / "spec" / "tiny.ibp").read_text(encoding="utf-8") == DIGITS
    header = (whole / "results.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("task,network,report,examples,rate")


def test_a_run_leaves_a_page_with_the_figures_of_its_results(whole: Path) -> None:
    page = Page((whole / "report.html").read_text(encoding="utf-8"))
    results = json.loads((whole / "results.json").read_text(encoding="utf-8"))
    (task,) = results["tasks"]
    wanted = {f"{task['task']}/{one['name']}": {repr(one["rate"])} for one in task["reports"]}
    assert page.figures == wanted
    assert page.problems == []
    assert page.external() == []
    assert {"verdicts.svg", "training-loss.svg"} <= {one.name for one in whole.glob("plots/*")}


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["metrics.jsonl", "verdicts.sqlite-wal"])
def test_killed_and_started_again_a_run_ends_the_same(
    spec: Path, whole: Path, tmp_path: Path, sign: str
) -> None:
    """Killed once in training (metrics appear), once among the verdicts (answers appear)."""
    process = start(spec, tmp_path)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        seen = list(tmp_path.glob(f"*/**/{sign}"))
        if seen and (sign == "metrics.jsonl" or list(tmp_path.glob("*/fits/*/model.onnx"))):
            time.sleep(0.3)
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    assert not list(tmp_path.glob("*/results.json"))

    assert start(spec, tmp_path).wait(timeout=280) == 0
    assert outcome(only_folder(tmp_path)) == outcome(whole)


def test_an_unknown_target_gets_a_suggestion(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("run", spec, "defautl")
    assert found.returncode == 1
    assert "did you mean `default`?" in found.stderr


def test_a_parameter_that_is_none_gets_a_suggestion(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("run", spec, "-p", "stebs=10")
    assert found.returncode == 1
    assert "did you mean `steps`?" in found.stderr
