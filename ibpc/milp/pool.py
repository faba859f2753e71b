"""A pool of spawned worker processes with one pipe each.

The standard pools do not fit: `multiprocessing.Pool` hangs for ever when a worker is killed, and
`ProcessPoolExecutor` loses the rest of its jobs. Here a job that overruns its limit is killed, one
whose worker dies is tried once more, and neither costs any other job.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ibpc.milp.worker import OUT_OF_MEMORY, serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

GRACE_S = 5.0
"""A job is killed this long after its own limit: solvers look at the clock now and then only."""

WATCH_S = 0.5
TRIES = 2


@dataclass(frozen=True)
class Job:
    """One thing to do: `payload` goes to the worker; `limit_s` is what the job may take there."""

    key: Any
    payload: Any
    limit_s: float


@dataclass(frozen=True)
class Reply:
    """What became of a job: its value, the exception that it raised, or how it was lost."""

    key: Any
    kind: Literal["done", "failed", "time-out", "crashed"]
    value: Any = None
    why: str = ""


class Pool(Protocol):
    """Whoever runs jobs: processes here, or a cluster."""

    def __enter__(self) -> Pool:
        """Ready to run."""

    def __exit__(self, *_: object) -> None:
        """Leaves nothing running."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Reply]:
        """A reply for each job."""


class WorkerPool:
    """Runs jobs in `workers` processes; a context manager that leaves none behind.

    `target` is "module:function"; in each worker `function(context)` is called once and gives the
    handler of a payload. `memory_mb` bounds each worker's resident memory (0: unbounded).
    """

    def __init__(
        self,
        target: str,
        context: Any,
        workers: int,
        memory_mb: int = 0,
        grace_s: float = GRACE_S,
    ) -> None:
        self._spawn = multiprocessing.get_context("spawn")
        self._arguments = (target, context, memory_mb, WATCH_S)
        self._workers = workers
        self._grace_s = grace_s
        self._idle: list[_Worker] = []
        self._busy: dict[Any, _Worker] = {}

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in (*self._idle, *self._busy.values()):
            worker.end()
        self._idle.clear()
        self._busy.clear()

    def run(self, jobs: Iterable[Job]) -> Iterator[Reply]:
        """A reply for each job, in the order in which they end; jobs are drawn as they start."""
        again: deque[tuple[Job, int]] = deque()
        source = iter(jobs)
        while True:
            while len(self._busy) < self._workers:
                job, tries = again.popleft() if again else (next(source, None), 1)
                if job is None:
                    break
                self._start(job, tries)
            if not self._busy:
                return
            for worker in self._ready():
                reply = self._collect(worker)
                if reply is not None:
                    yield reply
                else:
                    again.append((worker.job, worker.tries + 1))

    def _start(self, job: Job, tries: int) -> None:
        worker = self._idle.pop() if self._idle else _Worker(self._spawn, self._arguments)
        try:
            worker.take(job, tries, self._grace_s)
        except OSError:  # it died while idle: its pipe is closed, a fresh one takes the job
            worker.end()
            worker = _Worker(self._spawn, self._arguments)
            worker.take(job, tries, self._grace_s)
        self._busy[worker.pipe] = worker

    def _ready(self) -> list[_Worker]:
        """Busy workers that answered, died or are late; waits until there is one."""
        while True:
            now = time.monotonic()
            late = [worker for worker in self._busy.values() if worker.deadline <= now]
            until = min(worker.deadline for worker in self._busy.values())
            found = wait(list(self._busy), timeout=max(0.0, until - now))
            ready = [self._busy[pipe] for pipe in found]
            if ready or late:
                return ready + [worker for worker in late if worker not in ready]

    def _collect(self, worker: _Worker) -> Reply | None:
        """The reply of a ready worker, or None where its job is to be tried again."""
        del self._busy[worker.pipe]
        job = worker.job
        try:
            answered = worker.pipe.poll()
            kind, value = worker.pipe.recv() if answered else ("time-out", None)
        except (EOFError, OSError):
            code = worker.end()
            if code != OUT_OF_MEMORY and worker.tries < TRIES:
                return None
            return Reply(job.key, "crashed", why=_cause(code))
        if not answered:
            worker.end()
            why = f"killed after {job.limit_s + self._grace_s:.0f} s"
            return Reply(job.key, "time-out", why=why)
        self._idle.append(worker)
        if kind == "failed":
            return Reply(job.key, "failed", value, f"{type(value).__name__}: {value}")
        return Reply(job.key, "done", value)


class _Worker:
    """One process with its pipe and the job that it has in hand."""

    def __init__(self, spawn: Any, arguments: tuple[Any, ...]) -> None:
        self.pipe: Connection
        self.pipe, theirs = spawn.Pipe()
        self.process: BaseProcess = spawn.Process(
            target=serve, args=(theirs, *arguments), daemon=True
        )
        self.process.start()
        theirs.close()
        self.fresh = True

    def take(self, job: Job, tries: int, grace_s: float) -> None:
        """Sends the job; its deadline leaves a fresh process time to start."""
        self.job, self.tries = job, tries
        start_s = 30.0 if self.fresh else 0.0
        self.fresh = False
        self.deadline = time.monotonic() + job.limit_s + grace_s + start_s
        self.pipe.send(job.payload)

    def end(self) -> int:
        """Kills the process and gives its exit code."""
        if self.process.is_alive():
            self.process.join(0.05)  # one that is ending by itself tells why
        self.process.kill()
        self.process.join()
        self.pipe.close()
        return self.process.exitcode or 0


def _cause(code: int) -> str:
    if code == OUT_OF_MEMORY:
        return "the worker ran out of its memory limit"
    if code < 0:
        return f"the worker was killed by signal {-code}"
    return f"the worker ended with exit code {code}"
