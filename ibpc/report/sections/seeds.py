"""Means over seeds, where a sweep trains the same recipe with several."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ibpc.report import tables

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Run, Task


def section(run: Run) -> Element | None:
    """A row for each task that differs from others in its seed alone."""
    groups: dict[str, list[Task]] = defaultdict(list)
    for task in run.verified:
        groups[title(task)].append(task)
    if not any(len(members) > 1 for members in groups.values()):
        return None
    names = list(dict.fromkeys(one.name for task in run.verified for one in task.reports))
    rows = [
        (name, str(len(members)), *(_mean(members, report) for report in names))
        for name, members in groups.items()
    ]
    head = ("task", "seeds", *(f"{name}, %" for name in names))
    caption = "Mean over the seeds, with the least and the greatest of them."
    shown = tables.table(head, rows, caption, numbers=range(1, len(head)))
    return tables.section("seeds", "Over seeds", shown)


def title(task: Task) -> str:
    """A task's title without its seed."""
    return " ".join(word for word in task.title.split() if not word.startswith("seed="))


def _mean(tasks: list[Task], name: str) -> str:
    found = [
        100 * (report.high if report.rate is None else report.rate)
        for task in tasks
        for report in task.reports
        if report.name == name
    ]
    if not found:
        return "–"
    mean = sum(found) / len(found)
    return f"{mean:.2f} ({min(found):.2f} to {max(found):.2f})"
