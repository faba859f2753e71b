"""SIGINT and SIGTERM while training: first the checkpoint, then whatever the signal means."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Which signal asked to stop, if any."""

    def __init__(self) -> None:
        self.received: int | None = None

    def catch(self, number: int, _: Any) -> None:
        """The signal handler: only notes the signal."""
        self.received = number


@contextmanager
def noted_interrupts() -> Iterator[Interrupt]:
    """Within, signals are noted; afterwards a noted one is raised again, to do what it used to.

    Python lets only the main thread handle signals; elsewhere nothing is caught. A signal that is
    ignored (SIGINT of a job in the background) stays so.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    heeded = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt.catch) for number in heeded}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupt.received is not None:
        signal.raise_signal(interrupt.received)
