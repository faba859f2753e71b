"""A task's result as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.experiment import Trained
from ibpc.report.wording import WORDS, percent, vacuity

if TYPE_CHECKING:
    from ibpc.experiment import Verified
    from ibpc.verification import ReportResult

HEAD = ("report", "error", "", "holds", "violated", "unknown", "decided by")


def console_table(done: Verified | Trained) -> str:
    """One line per report: its rate in percent, what the rate is, and who decided."""
    if isinstance(done, Trained):
        return f"{done.fit.recipe}({done.fit.net.name}) trained: {done.path}\n"
    result = done.result
    rows = [HEAD, *(_row(report) for report in result.reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.rjust(width) if 3 <= column <= 5 or column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    counted = f"{result.examples:,} examples, {result.seconds:.1f} s"
    title = f"{result.title}  ({counted}, network {result.network[:12]})"
    claim = [f"    {line}" for line in result.claim.splitlines()]
    notes = [text for report in result.reports if (text := vacuity(report.name, report.vacuous))]
    return "\n".join(["", title, *claim, "", *lines, *notes, ""])


def _row(report: ReportResult) -> tuple[str, ...]:
    counts = report.counts
    decided = ", ".join(
        f"{stage.partition('(')[0]} {sum(by.values()):,}"
        for stage, by in report.by_stage.items()
        if sum(by.values())
    )
    numbers = (f"{counts[kind]:,}" for kind in ("holds", "violated", "unknown"))
    return (report.name, percent(report), WORDS[report.meaning], *numbers, decided)
