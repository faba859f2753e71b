"""The worker pool: limits that hold, and losses that stay with one job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ibpc.milp import Job, Reply, WorkerPool

TARGET = f"{__name__.rpartition('.')[0]}.jobs_for_tests:double".lstrip(".")


def run(jobs: list[Job], workers: int = 2, **options: float) -> dict[object, Reply]:
    with WorkerPool(TARGET, 3, workers, **options) as pool:  # type: ignore[arg-type]
        return {reply.key: reply for reply in pool.run(jobs)}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_every_job_gets_its_reply() -> None:
    replies = run([Job(n, n, 10.0) for n in range(20)])
    assert {key: reply.value for key, reply in replies.items()} == {n: 3 * n for n in range(20)}


def test_a_worker_that_is_killed_costs_no_job(tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    jobs = [Job("killed", ("die once", mark), 10.0), *(Job(n, n, 10.0) for n in range(6))]
    replies = run(jobs)
    assert replies["killed"].value == "survived"
    assert all(replies[n].value == 3 * n for n in range(6))


def test_a_job_that_kills_its_worker_again_is_given_up_and_costs_only_itself() -> None:
    replies = run([Job("bad", ("die", None), 10.0), *(Job(n, n, 10.0) for n in range(4))])
    assert replies["bad"].kind == "crashed"
    assert "exit code 3" in replies["bad"].why
    assert all(replies[n].value == 3 * n for n in range(4))


def test_a_job_that_overruns_its_limit_is_killed() -> None:
    with WorkerPool(TARGET, 3, 1, grace_s=0.2) as pool:
        assert [reply.value for reply in pool.run([Job("warm", 1, 5.0)])] == [3]
        began = time.monotonic()
        jobs = [Job("slow", ("sleep", 60), 0.3), Job("next", 2, 5.0)]
        replies = {reply.key: reply for reply in pool.run(jobs)}
    assert time.monotonic() - began < 10
    assert replies["slow"].kind == "time-out"
    assert replies["next"].value == 6


def test_an_exception_comes_back_as_it_is() -> None:
    reply = run([Job("bad", ("fail", "no such thing"), 10.0)])["bad"]
    assert reply.kind == "failed"
    assert isinstance(reply.value, ValueError)


def test_a_worker_over_its_memory_limit_ends() -> None:
    reply = run([Job("big", ("eat", 3000), 60.0)], workers=1, memory_mb=150)["big"]
    assert reply.kind == "crashed"
    assert "memory" in reply.why


def test_what_solvers_print_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([Job("loud", ("print", None), 10.0)])["loud"].value == "printed"
    assert "noise" not in capfd.readouterr().out


def test_a_worker_starts_without_torch() -> None:
    modules = run([Job("modules", ("modules", None), 10.0)])["modules"].value
    assert "torch" not in modules
    assert "numpy" not in modules


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    folder = Path(__file__).parent
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            from ibpc.milp import Job, WorkerPool
            if __name__ == "__main__":
                with WorkerPool("jobs_for_tests:double", 3, 1) as pool:
                    for _ in pool.run([Job(0, 1, 5.0)]):
                        print(pool._idle[0].process.pid, flush=True)
                    list(pool.run([Job(1, ("sleep", 60), 60.0)]))
            """
        )
    )
    paths = os.pathsep.join([str(folder), *(path for path in sys.path if path)])
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _lives(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
