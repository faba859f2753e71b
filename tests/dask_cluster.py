"""A Dask cluster on this machine, for the tests that need one: a scheduler and two workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


class LocalCluster:
    """Processes of their own, as a user would start them; `end` leaves none behind."""

    def __init__(self, folder: Path, *, failures: int = 3, workers: int = 2) -> None:
        pytest.importorskip("distributed", reason="needs Dask's distributed: extra `cluster`")
        paths = (ROOT, ROOT / "tests" / "unit" / "milp")
        self._env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(failures),
            "OMP_NUM_THREADS": "1",
        }
        self._folder, self._processes = folder, list[subprocess.Popen[bytes]]()
        self.address = f"tcp://127.0.0.1:{_free_port()}"
        port = self.address.rpartition(":")[2]
        self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self._start(
            "worker", self.address, "--nthreads", "1", "--nworkers", str(workers),
            "--host", "127.0.0.1", "--local-directory", str(folder), "--no-dashboard",
        )  # fmt: skip
        _wait_for(self.address, workers)

    def end(self) -> None:
        """Ends scheduler and workers."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, *words: str) -> None:
        with (self._folder / f"{words[0]}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
                    env=self._env,
                    cwd=self._folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client

    deadline = time.monotonic() + 120
    while True:
        try:
            with Client(address, timeout=5, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=100)
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
