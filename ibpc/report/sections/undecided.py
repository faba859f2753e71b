"""Examples that no stage decided, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.markup import tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Report, Run, Task

LISTED = 50


def section(run: Run) -> Element | None:
    """A table for each report that should have decided every example and did not."""
    found = [
        _listed(task, report)
        for task in run.verified
        for report in task.reports
        if report.unknown and report.kind == "verified"
    ]
    return tables.section("undecided", "Undecided examples", found) if found else None


def _listed(task: Task, report: Report) -> Element:
    indices = sorted(report.unknown, key=int)
    rows = [(index, report.unknown[index]) for index in indices[:LISTED]]
    caption = f"{task.title}: {report.name}, {len(indices):,} of {task.examples:,}"
    left = len(indices) - len(rows)
    more = tag("p", f"and {left:,} more in results.json", class_="note") if left else None
    return tag("div", tables.table(("example", "why"), rows, caption), more)
