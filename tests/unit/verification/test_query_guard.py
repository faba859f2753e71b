from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ibpc.errors import Diagnostic, ModelMistake
from ibpc.verification import process_started, run_guarded


def test_the_result_of_the_work_comes_back() -> None:
    ended = run_guarded(lambda: {"answer": 42}, time.monotonic() + 30)
    assert (ended.kind, ended.value) == ("done", {"answer": 42})


def test_work_that_takes_too_long_is_ended_on_time() -> None:
    started = time.monotonic()
    ended = run_guarded(lambda: time.sleep(60) or {}, started + 0.5)
    assert ended.kind == "timeout"
    assert time.monotonic() - started < 1.5


def test_a_crash_is_told_and_not_suffered() -> None:
    ended = run_guarded(lambda: os.kill(os.getpid(), signal.SIGKILL) or {}, time.monotonic() + 30)
    assert ended.kind == "crashed"


def test_a_mistake_of_the_users_keeps_its_text() -> None:
    def work() -> dict[str, object]:
        raise ModelMistake(Diagnostic("E0801", "this is no network"))

    ended = run_guarded(work, time.monotonic() + 30)
    assert ended.kind == "mistake"
    assert "error[E0801]: this is no network" in ended.text


def test_what_the_work_prints_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    run_guarded(lambda: os.write(1, b"a solver speaks\n") and {}, time.monotonic() + 30)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "a solver speaks\n")


def test_too_much_memory_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ibpc.verification.query.guard.SHARE", 1e-9)
    ended = run_guarded(lambda: time.sleep(60) or {}, time.monotonic() + 30)
    assert ended.kind == "memory"


def test_the_child_dies_with_its_parent() -> None:
    script = (
        "import os, time\n"
        "from ibpc.verification import run_guarded\n"
        "def work():\n"
        "    os.write(2, (str(os.getpid()) + '\\n').encode())\n"
        "    time.sleep(60)\n"
        "run_guarded(work, time.monotonic() + 60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert parent.stderr is not None
    child = int(parent.stderr.readline())
    parent.kill()
    parent.wait()
    parent.stderr.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and _alive(child):
        time.sleep(0.05)
    assert not _alive(child)


def test_the_process_started_before_this_test() -> None:
    age = time.monotonic() - process_started()
    assert 0 < age < 24 * 3600


def _alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
