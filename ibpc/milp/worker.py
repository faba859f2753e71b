"""What runs inside a worker process: one pipe in, one pipe out, and a watch on itself.

Importing this file must stay cheap, and must not load numpy: the thread counts of its libraries
are set by the environment before it is first imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

OUT_OF_MEMORY = 77
"""Exit code of a worker that found itself over its memory limit."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def serve(pipe: Connection, target: str, context: Any, memory_mb: int, watch_s: float) -> None:
    """Answers jobs from the pipe until it closes.

    `target` is "module:function"; `function(context)` gives the handler of one job's payload.
    Each answer is ("done", value) or ("failed", exception).
    """
    for name in _THREADS:
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    _silence()
    threading.Thread(target=_watch, args=(os.getppid(), memory_mb, watch_s), daemon=True).start()
    handler = _handler(target, context)
    while True:
        try:
            payload = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_answer(handler, payload))


def _handler(target: str, context: Any) -> Any:
    module, function = target.split(":")
    return getattr(import_module(module), function)(context)


def _answer(handler: Any, payload: Any) -> tuple[str, Any]:
    try:
        return "done", handler(payload)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # whatever goes wrong costs this job, and is told to the driver
        return "failed", error


def _silence() -> None:
    """Points file descriptor 1 at nothing: CBC prints there whatever it is told."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _watch(parent: int, memory_mb: int, every_s: float) -> None:
    """Ends the process when its parent is gone or its memory limit is passed.

    A solver's C code runs without Python's lock, so this thread is heard while it works.
    """
    import resource

    scale = 1 if sys.platform == "darwin" else 1024
    while True:
        if os.getppid() != parent:
            os._exit(1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
        if memory_mb and peak > memory_mb * 2**20:
            os._exit(OUT_OF_MEMORY)
        time.sleep(every_s)
