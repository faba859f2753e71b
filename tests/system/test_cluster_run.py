"""`ibpc run --cluster`: the driver killed in the middle loses nothing that it had told of."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dask_cluster import LocalCluster
from small_specs import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

SPEC = (
    DIGITS.replace("then pgd(steps = 10, restarts = 2)\n", "")
    .replace("0.02)", "0.08)")
    .replace("first = 60", "first = 240")
)
"""Seconds of work for the MIP: no attack before it, a radius that leaves most examples open."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    started = LocalCluster(tmp_path_factory.mktemp("dask"))
    yield started
    started.end()


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    (folder / "tiny.ibp").write_text(SPEC, encoding="utf-8")
    command = [sys.executable, "-m", "ibpc", "run", "tiny.ibp", "--device", "cpu", *more]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def solved(folder: Path) -> dict[str, tuple[Any, ...]]:
    """The MIP's answers on disk, by datum."""
    (path,) = folder.glob("runs/*/verdicts.sqlite")
    with sqlite3.connect(path) as store:
        rows = store.execute(
            "SELECT datum, verdict, seconds FROM answers JOIN questions ON question = id"
            " WHERE stage LIKE '%mip%'"
        )
        found = {datum: tuple(rest) for datum, *rest in rows}
    store.close()
    return found


def verdicts(folder: Path) -> Any:
    (path,) = folder.glob("runs/*/results.json")
    (task,) = json.loads(path.read_text(encoding="utf-8"))["tasks"]
    return [(one["name"], one["rate"], one["violated_examples"]) for one in task["reports"]]


def test_a_killed_driver_loses_nothing_that_it_told(cluster: LocalCluster, tmp_path: Path) -> None:
    process = start(tmp_path, "--cluster", cluster.address)
    assert process.stderr is not None
    told = 0
    for line in process.stderr:
        found = re.search(r"mip\S*: (\d+)/(\d+)", line)
        if found and 0 < int(found[1]) < int(found[2]):
            told = int(found[1])
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait(timeout=30)
    process.stderr.close()
    if not told:
        pytest.fail("the run ended before it told of a first MIP answer")
    kept = solved(tmp_path)
    assert len(kept) >= told

    again = start(tmp_path, "--cluster", cluster.address)
    assert again.communicate(timeout=280)[1] is not None
    assert again.returncode == 0
    finished = solved(tmp_path)
    assert {datum: finished[datum] for datum in kept} == kept

    alone = tmp_path / "alone"
    alone.mkdir()
    here = start(alone, "--jobs", "1")
    here.communicate(timeout=280)
    assert verdicts(alone) == verdicts(tmp_path)
