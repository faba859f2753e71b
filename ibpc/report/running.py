"""The files of a run under way: results and page after each task, as often as that is cheap."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ibpc.report.files import write_results
from ibpc.report.page import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ibpc.experiment import Trained, Verified

SHARE = 0.05
"""The part of a run's time that its results, and its page, may each take before the end."""


class RunReport:
    """Collects a run's results and keeps its files up to date; a context manager.

    Both files hold all results, and are written as a whole: of thousands not after each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._results: list[Verified | Trained] = []
        self._written = 0
        self._begun = time.monotonic()
        self._spent = {"results": 0.0, "page": 0.0}

    def __enter__(self) -> RunReport:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever ended the run: no result is left out."""
        self._write_results()

    def add(self, result: Verified | Trained) -> None:
        """Takes in one task's result."""
        self._results.append(result)
        if self._cheap("results"):
            self._timed("results", self._write_results)
        if self._cheap("page"):
            self._timed("page", self.finish)

    def finish(self) -> Path:
        """Writes the page of all results, and gives its path."""
        self._write_results()
        return write_report(self._folder)

    def _write_results(self) -> None:
        """Writes what is not on disk yet."""
        if self._written < len(self._results):
            write_results(self._folder, self._results)
            self._written = len(self._results)

    def _cheap(self, what: str) -> bool:
        return self._spent[what] <= SHARE * (time.monotonic() - self._begun)

    def _timed(self, what: str, write: Callable[[], object]) -> None:
        began = time.monotonic()
        write()
        self._spent[what] += time.monotonic() - began
