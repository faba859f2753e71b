"""The files of a run under way: results after each task, the page as often as it is cheap."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ibpc.report.files import write_results
from ibpc.report.page import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.experiment import Trained, Verified

SHARE = 0.05
"""The part of a run's time that its page may take before the end."""


class RunReport:
    """Collects a run's results and keeps its files up to date."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._results: list[Verified | Trained] = []
        self._begun = time.monotonic()
        self._spent = 0.0

    def add(self, result: Verified | Trained) -> None:
        """Takes in one task's result."""
        self._results.append(result)
        write_results(self._folder, self._results)
        if self._spent <= SHARE * (time.monotonic() - self._begun):
            self._write()

    def finish(self) -> Path:
        """Writes the page of the whole run, and gives its path."""
        return self._write()

    def _write(self) -> Path:
        began = time.monotonic()
        page = write_report(self._folder)
        self._spent += time.monotonic() - began
        return page
