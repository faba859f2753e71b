"""How long work shows that it goes on: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

PAUSE_S = 20.0
"""Seconds between two lines where there is no terminal."""

FIRST_S = 3.0
"""Seconds until the first one."""


class Progress(Protocol):
    """Somebody who is told how far a piece of work is."""

    def start(self, total: int, title: str, done: int = 0) -> None:
        """The work has `total` steps, `done` of which an earlier run did."""

    def update(self, step: int, **facts: float | None) -> None:
        """`step` steps are done; facts are shares (`..._error`) and other numbers."""

    def note(self, text: str) -> None:
        """Something worth telling in words."""

    def finish(self) -> None:
        """The work is over, done or not."""


class SilentProgress:
    """Tells nobody."""

    def start(self, total: int, title: str, done: int = 0) -> None:
        """Nothing."""

    def update(self, step: int, **facts: float | None) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


class BarProgress:
    """A bar with time left, speed and the latest facts, on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm[Any] | None = None

    def start(self, total: int, title: str, done: int = 0) -> None:
        """Draws the bar."""
        from tqdm import tqdm

        self._bar = tqdm(
            total=total, initial=done, desc=title, file=self._stream, dynamic_ncols=True, unit=""
        )

    def update(self, step: int, **facts: float | None) -> None:
        """Moves the bar."""
        if self._bar is None:
            return
        self._bar.set_postfix_str(_phrase(facts), refresh=False)
        self._bar.update(step - self._bar.n)

    def note(self, text: str) -> None:
        """Writes a line above the bar."""
        from tqdm import tqdm

        tqdm.write(text, file=self._stream)

    def finish(self) -> None:
        """Leaves the bar as it is and goes to the next line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class LineProgress:
    """A line every `pause_s` seconds: for log files and pipes."""

    def __init__(self, stream: TextIO, pause_s: float = PAUSE_S) -> None:
        self._stream, self._pause_s = stream, pause_s
        self._title, self._total = "", 0
        self._begun = self._told = time.monotonic()
        self._first = 0

    def start(self, total: int, title: str, done: int = 0) -> None:
        """Writes what goes on; what begins is told with the first line, soon."""
        self._title, self._total, self._first = title, total, done
        self._begun = time.monotonic()
        self._told = self._begun - self._pause_s + min(self._pause_s, FIRST_S)
        if done:
            self.note(f"{title}: {done} of {total} done before")

    def update(self, step: int, **facts: float | None) -> None:
        """Writes a line if the last one is old enough, or the work is done."""
        now = time.monotonic()
        over = step >= self._total
        if now - self._told < self._pause_s and not over:
            return
        self._told = now
        spent = now - self._begun
        speed = (step - self._first) / max(spent, 1e-9)
        time_s = spent if over or not speed else (self._total - step) / speed
        word = "in all" if over else "left"
        phrase = _phrase(facts)
        tail = f"  {phrase}" if phrase else ""
        times = f"{speed:.1f}/s, {_duration(time_s)} {word}"
        self.note(f"{self._title}: {step}/{self._total}  {times}{tail}")

    def note(self, text: str) -> None:
        """Writes the line."""
        print(text, file=self._stream, flush=True)

    def finish(self) -> None:
        """Nothing more to say."""


def progress_on(stream: TextIO) -> Progress:
    """The progress that suits a stream: a bar on a terminal, lines elsewhere."""
    return BarProgress(stream) if stream.isatty() else LineProgress(stream)


def _phrase(facts: dict[str, float | None]) -> str:
    """`train error 1.2%  verified error 5.3%  eps 0.1`."""
    words = []
    for name, value in facts.items():
        if value is None:
            continue
        share = name.endswith("error")
        text = f"{100 * value:.1f}%" if share else f"{value:.3g}"
        words.append(f"{name.replace('_', ' ')} {text}")
    return "  ".join(words)


def _duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.4 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
