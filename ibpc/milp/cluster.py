"""The worker pool's work on a Dask cluster: the same jobs and replies, other machines.

    dask scheduler
    dask worker tcp://HOST:8786 --nthreads 1 --nworkers -1      (on each machine, with this ibpc)
    ibpc run SPEC --cluster tcp://HOST:8786

A worker that dies in mid-task costs a retry: Dask gives the task to another one, and gives it up
after as many deaths as the scheduler's `allowed-failures` says (3). A worker whose task overruns
its limit is restarted by its nanny. Memory is bounded by the worker's own `--memory-limit`. Whoever
can reach the scheduler can run code on the workers: use Dask's TLS, or a network of your own.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
import time
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ibpc import __version__
from ibpc.errors import Diagnostic, FileMistake, SolverFailure
from ibpc.milp.pool import GRACE_S, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibpc.milp.pool import Job

CONNECT_S = 15.0
POLL_S = 1.0

START_S = 30.0
"""What a worker may take to import what a first task needs."""

PATIENCE_S = 60.0
"""How long a cluster may be without workers before the run stops."""

NO_CLUSTER = "E0757"
CLUSTER_FAILED = "E0758"


class ClusterPool:
    """Runs jobs on the cluster at `address`; a context manager with the interface of WorkerPool."""

    def __init__(self, target: str, context: Any, address: str, grace_s: float = GRACE_S) -> None:
        self._target, self._address, self._grace_s = target, address, grace_s
        self._client = connected(address)
        self._blob = pickle.dumps(context)
        self._key = hashlib.sha256(self._blob).hexdigest()
        self._busy: dict[Any, Job] = {}
        self._started: dict[Any, tuple[str, float]] = {}
        self._alone_since: float | None = None

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._busy:
            future.cancel()
        self._busy.clear()

    def run(self, jobs: Iterable[Job]) -> Iterator[Reply]:
        """A reply for each job, in the order in which they end; jobs are drawn as they start.

        Raises: SolverFailure (E0758) where the cluster is lost, or cannot run our code.
        """
        # The context is a task's result, not data put there: what a dead worker held of it is
        # made again on another.
        shared = self._client.submit(_context, self._blob, key=f"ibpc-context-{uuid4()}")
        source = iter(jobs)
        while True:
            for job in islice(source, max(0, self._room() - len(self._busy))):
                key = f"ibpc-job-{uuid4()}"
                arguments = (self._target, self._key, shared, job.payload)
                self._busy[self._client.submit(_answer, *arguments, key=key)] = job
            if not self._busy:
                return
            for future in self._done():
                yield self._reply(future)
            yield from self._overdue()

    def _room(self) -> int:
        """Threads of the cluster; at least one job waits for a worker to come."""
        threads = int(sum(self._asked(self._client.nthreads).values()))
        if threads:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > PATIENCE_S:
            raise self._failed(f"has had no worker for {PATIENCE_S:.0f} s")
        return max(1, threads)

    def _done(self) -> list[Any]:
        """Futures that have ended; waits a moment for the first."""
        dask: Any = import_module("distributed")
        try:
            with self._client.as_current():
                waiting = list(self._busy)
                found = dask.wait(waiting, timeout=POLL_S, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return []
        except OSError as error:
            raise self._failed(f"does not answer ({error})") from error
        return list(found.done)

    def _reply(self, future: Any) -> Reply:
        dask: Any = import_module("distributed")
        job = self._busy.pop(future)
        self._started.pop(future, None)
        if future.status == "finished":
            kind, value = future.result()
            if kind == "failed":
                return Reply(job.key, "failed", value, f"{type(value).__name__}: {value}")
            return Reply(job.key, "done", value)
        error = future.exception() if future.status == "error" else None
        if isinstance(error, dask.KilledWorker):
            return Reply(job.key, "crashed", why="every worker that took it died")
        raise self._failed(f"cannot run our code ({error or future.status})")

    def _overdue(self) -> Iterator[Reply]:
        """Replies for jobs that have been with one worker for too long."""
        now = time.monotonic()
        by_key = {future.key: future for future in self._busy}
        for worker, keys in self._asked(self._client.processing).items():
            for future in (by_key[key] for key in keys if key in by_key):
                if self._started.get(future, ("", 0.0))[0] != worker:
                    self._started[future] = (worker, now)
        for future, (worker, since) in list(self._started.items()):
            limit = self._busy[future].limit_s + self._grace_s + START_S
            if now - since > limit and not future.done():
                job = self._busy.pop(future)
                del self._started[future]
                future.cancel()
                self._restart(worker)
                yield Reply(job.key, "time-out", why=f"given up after {limit:.0f} s")

    def _restart(self, worker: str) -> None:
        """Kills a worker that is stuck; its nanny starts another, if it has one."""
        with suppress(ValueError, KeyError, OSError, TimeoutError):
            self._client.restart_workers([worker], timeout=CONNECT_S, raise_for_error=False)

    def _asked(self, question: Any) -> Any:
        """The scheduler's answer to a question of ours."""
        try:
            return question()
        except (OSError, TimeoutError) as error:
            raise self._failed(f"does not answer ({error})") from error

    def _failed(self, why: str) -> SolverFailure:
        fix = "look at its scheduler and workers; the same command resumes where it stopped"
        problem = f"the cluster at {self._address} {why}"
        return SolverFailure(Diagnostic(CLUSTER_FAILED, problem, fix=fix))


@cache
def connected(address: str) -> Any:
    """A client of the cluster, whose workers have been found to run this version of ibpc.

    Raises: FileMistake (E0757) where distributed is absent, nobody answers, or versions differ.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        problem, fix = "--cluster needs Dask's distributed", "pip install 'ibpc[cluster]'"
        raise FileMistake(Diagnostic(NO_CLUSTER, problem, fix=fix)) from None
    try:
        client = dask.Client(address, timeout=CONNECT_S, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE_S)
        versions = set(client.run(_version).values())
    except (OSError, TimeoutError, ValueError) as error:
        fix = "start `dask scheduler`, and `dask worker ADDRESS` on each machine"
        problem = f"there is no cluster with workers at {address}: {error}"
        raise FileMistake(Diagnostic(NO_CLUSTER, problem, fix=fix)) from error
    except Exception as error:  # whatever a worker says when it cannot load our code
        fix = f"install ibpc {__version__} where the workers run"
        problem = f"the workers at {address} cannot load ibpc: {error}"
        raise FileMistake(Diagnostic(NO_CLUSTER, problem, fix=fix)) from error
    if versions != {__version__}:
        problem = f"the workers at {address} run ibpc {', '.join(sorted(versions))}"
        fix = f"install ibpc {__version__} where they run"
        raise FileMistake(Diagnostic(NO_CLUSTER, problem, fix=fix))
    return client


# --- in a worker -----------------------------------------------------------------------------

_own = threading.local()


def _version() -> str:
    return __version__


def _context(blob: bytes) -> bytes:
    return blob


def _answer(target: str, key: str, blob: bytes, payload: Any) -> tuple[str, Any]:
    """What the target's handler says of a payload; each thread makes its handler once."""
    try:
        if getattr(_own, "key", None) != (target, key):
            module, function = target.split(":")
            _own.handler = getattr(import_module(module), function)(pickle.loads(blob))
            _own.key = (target, key)
        return "done", _own.handler(payload)
    except Exception as error:  # whatever goes wrong costs this job, and is told to the driver
        return "failed", error
