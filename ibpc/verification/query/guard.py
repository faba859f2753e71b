"""Work in a child process that can be ended at any moment: time, memory and crashes are bounded.

The parent imports nothing heavy, so that it can act on time whatever the child's libraries do. The
child dies with its parent: it holds one end of a pipe that closes when the parent is gone.
"""

from __future__ import annotations

import json
import os
import select
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from ibpc.errors import IbpcError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLL = 0.1
"""Seconds between two looks at the child's memory."""

SHARE = 0.8
"""Of the memory that is free at the start, so much may be used."""


@dataclass(frozen=True)
class Ended:
    """How the work ended: its result, a mistake of the user's, or why there is none."""

    kind: Literal["done", "mistake", "bug", "timeout", "memory", "crashed"]
    value: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


def run_guarded(work: Callable[[], Mapping[str, Any]], deadline: float) -> Ended:
    """What `work()` returns (JSON-like), or why it did not; never later than the deadline.

    `deadline`: on the clock of `time.monotonic`.
    """
    if not hasattr(os, "fork"):
        return _ended(_done(work))
    results, report = os.pipe()
    notes, speak = os.pipe()
    alive, hold = os.pipe()
    child = os.fork()
    if child == 0:
        for end in (results, notes, hold):
            os.close(end)
        _be_the_child(work, report, speak, alive)
    for end in (report, speak, alive):
        os.close(end)
    with suppress(OSError):  # the child does it too; whoever comes first
        os.setpgid(child, child)
    try:
        return _wait(child, results, notes, deadline)
    finally:
        with suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        with suppress(OSError):
            os.waitpid(child, os.WNOHANG)  # to free its memory may take it seconds
        for end in (results, notes, hold):
            os.close(end)


def _wait(child: int, results: int, notes: int, deadline: float) -> Ended:
    """The child's message; what it says on stderr is handed on meanwhile.

    The child has no file of ours: one that dies slowly would keep whoever reads them waiting.
    """
    limit = _free_memory() * SHARE
    data = b""
    sources = [results, notes]
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select(sources, [], [], min(POLL, left))
        if notes in ready and not _handed_on(notes):
            sources.remove(notes)
        if results in ready:
            part = os.read(results, 2**20)
            if not part:
                return _ended(data)
            data += part
        if _memory_of(child) > limit:
            return Ended("memory", text=f"more than {limit / 2**30:.1f} GiB of memory were needed")
    return Ended("timeout")


def _handed_on(notes: int) -> bool:
    """Copy to stderr what is there; whether there may be more."""
    part = os.read(notes, 2**16)
    with suppress(OSError):
        os.write(2, part)
    return bool(part)


def _ended(data: bytes) -> Ended:
    """The child's message; an incomplete one is a crash."""
    try:
        message = json.loads(data)
    except ValueError:
        return Ended("crashed", text="the process that computed it died")
    return Ended(message["kind"], message.get("value", {}), message.get("text", ""))


def _be_the_child(
    work: Callable[[], Mapping[str, Any]], report: int, speak: int, alive: int
) -> NoReturn:
    with suppress(OSError):
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends us
    threading.Thread(target=_die_with, args=(alive,), daemon=True).start()
    os.dup2(speak, 2)
    os.dup2(speak, 1)  # solvers print where only the verdict may stand
    data = _done(work)
    with suppress(OSError):
        while data:
            data = data[os.write(report, data) :]
    os._exit(0)


def _done(work: Callable[[], Mapping[str, Any]]) -> bytes:
    """The message that the work ends with."""
    message: dict[str, Any]
    try:
        message = {"kind": "done", "value": work()}
    except IbpcError as error:
        message = {"kind": "mistake", "text": str(error)}
    except MemoryError:
        message = {"kind": "memory", "text": "the memory did not suffice"}
    except Exception as error:
        if isinstance(error, RuntimeError) and "memory" in str(error):  # torch's way to say it
            return json.dumps({"kind": "memory", "text": str(error)[:200]}).encode()
        if os.environ.get("IBPC_TRACEBACK"):
            import traceback

            traceback.print_exc()
        message = {"kind": "bug", "text": f"{type(error).__name__}: {error}"}
    return json.dumps(message).encode()


def _die_with(alive: int) -> None:
    """Ends this process and those it started once the parent's end of the pipe is closed."""
    with suppress(OSError):
        os.read(alive, 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _free_memory() -> float:
    """Bytes that may be taken; infinite where the system does not say."""
    with suppress(OSError, ValueError), open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024.0
    return float("inf")


def _memory_of(process: int) -> float:
    """Bytes that a process holds; 0 where the system does not say."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * float(os.sysconf("SC_PAGESIZE"))
    except (OSError, ValueError, IndexError):
        return 0.0
