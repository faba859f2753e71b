"""A task's result as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.experiment import Trained

if TYPE_CHECKING:
    from ibpc.verification import ReportResult, TaskResult

HEAD = ("report", "error", "", "holds", "violated", "unknown", "decided by")

WORDS = {"exact": "exact", "at least": "lower bound", "at most": "upper bound", "between": "range"}


def console_table(result: TaskResult | Trained) -> str:
    """One line per report: its rate in percent, what the rate is, and who decided."""
    if isinstance(result, Trained):
        return f"{result.recipe}({result.net}) trained: {result.path}\n"
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
    return "\n".join(["", title, *claim, "", *lines, ""])


def _row(report: ReportResult) -> tuple[str, ...]:
    counts = report.counts
    decided = ", ".join(
        f"{stage.partition('(')[0]} {sum(by.values()):,}"
        for stage, by in report.by_stage.items()
        if sum(by.values())
    )
    numbers = (f"{counts[kind]:,}" for kind in ("holds", "violated", "unknown"))
    return (report.name, percent(report), WORDS[report.meaning], *numbers, decided)


def percent(report: ReportResult) -> str:
    """`2.23 %`, or `2.20 to 2.23 %` where only a range is known."""
    if report.rate is None:
        return f"{100 * report.low:.2f} to {100 * report.high:.2f} %"
    return f"{100 * report.rate:.2f} %"
