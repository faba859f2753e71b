"""Time since the process began: limits count what a user waits, imports included."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

_IMPORTED = time.monotonic()
_BEFORE_IMPORT = 0.1
"""Seconds that an interpreter took to get here, where the system does not say."""


def process_started() -> float:
    """When this process was started, on the clock of `time.monotonic`."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        age = since_boot - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return _IMPORTED - _BEFORE_IMPORT
    now = time.monotonic()
    # Inside some containers the boot time is another: an age that cannot be is not believed.
    known = now - _IMPORTED
    return now - age if known <= age <= known + 60 else _IMPORTED - _BEFORE_IMPORT


@dataclass(frozen=True)
class Clock:
    """A deadline; `started` and `deadline` on the clock of `time.monotonic`."""

    started: float
    deadline: float

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds until the deadline, negative beyond it."""
        return self.deadline - time.monotonic()

    def at_most(self, seconds: float) -> Clock:
        """The same clock with a deadline so many seconds from now, if that is earlier."""
        return Clock(self.started, min(self.deadline, time.monotonic() + seconds))
