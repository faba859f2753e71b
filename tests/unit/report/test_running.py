"""A run's files while it is under way: up to date where that is cheap, and whole in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ibpc.report import RunReport

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock that tests set; `written` says how many results each writing of the file had."""

    def __init__(self) -> None:
        self.now = 0.0
        self.written: list[int] = []

    def monotonic(self) -> float:
        return self.now

    def write(self, _: Path, results: list[Any]) -> None:
        self.written.append(len(results))
        self.now += 0.002


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("ibpc.report.running.time", found)
    monkeypatch.setattr("ibpc.report.running.write_results", found.write)
    monkeypatch.setattr("ibpc.report.running.write_report", lambda folder: folder / "report.html")
    return found


def test_thousands_of_results_are_not_written_after_each(tmp_path: Path, clock: Clock) -> None:
    with RunReport(tmp_path) as report:
        for number in range(2000):
            clock.now += 0.001
            report.add(number)  # type: ignore[arg-type]
        assert report.finish() == tmp_path / "report.html"
    assert clock.written[0] == 1
    assert clock.written[-1] == 2000
    assert len(clock.written) < 200  # a twentieth of the time


def test_few_results_are_written_after_each(tmp_path: Path, clock: Clock) -> None:
    with RunReport(tmp_path) as report:
        for number in range(3):
            clock.now += 0.1
            report.add(number)  # type: ignore[arg-type]
    assert clock.written == [1, 2, 3]


def test_what_ends_a_run_leaves_no_result_out(tmp_path: Path, clock: Clock) -> None:
    def run() -> None:
        with RunReport(tmp_path) as report:
            for number in range(500):
                report.add(number)  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert clock.written[-1] == 500
