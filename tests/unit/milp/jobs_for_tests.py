"""What the pool's workers run in its tests."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def double(context: int) -> Callable[[Any], Any]:
    """Answers a number with its product with `context`; words make the worker misbehave."""

    def answer(payload: Any) -> Any:
        if isinstance(payload, int):
            return payload * context
        word, detail = payload
        return DEEDS[word](detail)

    return answer


def _die_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def _fail(problem: str) -> None:
    raise ValueError(problem)


def _print(_: Any) -> str:
    os.write(1, b"noise of a solver\n")
    return "printed"


def _eat(megabytes: int) -> None:
    kept = []
    for _ in range(megabytes):
        kept.append(bytearray(os.urandom(2**20)))
        time.sleep(0.01)


DEEDS: Mapping[str, Callable[[Any], Any]] = {
    "die": lambda _: os._exit(3),
    "die once": _die_once,
    "eat": _eat,
    "fail": _fail,
    "modules": lambda _: sorted(sys.modules),
    "print": _print,
    "sleep": time.sleep,
}
