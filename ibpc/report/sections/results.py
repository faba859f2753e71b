"""What every task came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.markup import tag
from ibpc.report.wording import WORDS, counted, duration, number, vacuity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Report, Run, Task

IN_FULL = 3
"""Up to so many tasks stand in full; more are put into one table, with the details folded."""


def section(run: Run) -> Element | None:
    """One table per task, or one row per task for many."""
    tasks = run.verified
    if not tasks:
        return None
    if len(tasks) <= IN_FULL:
        return tables.section("results", "Results", [_in_full(task) for task in tasks])
    details = tag(
        "details",
        tag("summary", "Every report in full"),
        [_in_full(task) for task in tasks],
    )
    told = {(one["code"], task.claim): one for task in reversed(tasks) for one in task.warnings}
    return tables.section("results", "Results", *_told(told.values()), summary(tasks), details)


def summary(tasks: tuple[Task, ...]) -> Element:
    """A row per task, a column per report."""
    names = list(dict.fromkeys(report.name for task in tasks for report in task.reports))
    rows = []
    for task in tasks:
        found = {report.name: report for report in task.reports}
        cells = [tables.rate(task, found[n], short=True) if n in found else "–" for n in names]
        rows.append((task.title, f"{task.examples:,}", *cells))
    head = ("task", "examples", *(f"{name}, %" for name in names))
    caption = "Errors in percent. ≥: an attack's, a lower bound. ≤: from bounds, an upper bound."
    return tables.table(head, rows, caption, numbers=range(1, len(head)))


def _in_full(task: Task) -> Element:
    heading = tag("h3", task.title)
    eps = "" if task.eps is None else f"ε = {number(task.eps)}, "
    about = f"{eps}{counted(task.examples)}, {duration(task.seconds)} in the last run"
    claim = tag("pre", tag("code", task.claim), class_="claim")
    head = ("report", "error", "", "holds", "violated", "unknown", "decided by")
    rows = [_row(task, report) for report in task.reports]
    table = tables.table(head, rows, about, numbers=(1, 3, 4, 5))
    return tag("div", heading, *_told(task.warnings), claim, table, *_vacuous(task))


def _told(warnings: Iterable[Mapping[str, str]]) -> Iterator[Element]:
    """What of a claim itself looks unlike what was meant."""
    for one in warnings:
        words = ". ".join(filter(None, (one["problem"], one["notes"], one["fix"])))
        yield tag("p", f"Warning {one['code']}: {words}.", class_="state")


def _vacuous(task: Task) -> Iterator[Element]:
    for report in task.reports:
        text = vacuity(report.name, report.vacuous)
        if text:
            yield tag("p", text, class_="note")


def _row(task: Task, report: Report) -> tuple[Element | str, ...]:
    counts = (f"{report.counts[kind]:,}" for kind in ("holds", "violated", "unknown"))
    decided = ", ".join(
        f"{stage.title} {stage.holds + stage.violated:,}"
        for stage in report.stages
        if stage.holds + stage.violated
    )
    return (report.name, tables.rate(task, report), WORDS[report.meaning], *counts, decided)
