"""Which stage decided how many examples, and what that took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.charts import Bar, BarChart, Part, bar_chart
from ibpc.report.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Report, Run, Task

BARS = 40
SHADES = ("", " late", " later")
TIMES = 8
ORDER = ("holds", "violated", "unknown")
DECIDED = (("holds", "proved"), ("violated", "refuted"))
OBSERVED = (("holds", "right"), ("violated", "wrong"))


def section(run: Run) -> Element | None:
    """Two charts: examples by stage and verdict, and time by stage."""
    rows = list(_rows(run.verified))
    if not rows:
        return None
    figures = [_decided(rows), _spent(rows)]
    return tables.section("stages", "Who decided, and how long it took", figures)


def _rows(tasks: tuple[Task, ...]) -> Iterator[tuple[str, Task, Report]]:
    """The reports to draw: all of them, or each task's last one where there are many."""
    every = sum(len(task.reports) for task in tasks) <= BARS
    for task in tasks[:BARS]:
        for report in task.reports if every else task.reports[-1:]:
            name = report.name if len(tasks) == 1 else f"{task.title}: {report.name}"
            yield (name if every else task.title), task, report


def _decided(rows: list[tuple[str, Task, Report]]) -> Element:
    key: dict[str, str] = {}
    bars = []
    for name, _, report in rows:
        parts = []
        observed = set(report.roles) == {"observe"}
        for verdict, word in OBSERVED if observed else DECIDED:
            shades = iter(SHADES)
            for stage in report.stages:
                count = stage.holds if verdict == "holds" else stage.violated
                if not count:
                    continue
                kind = verdict + next(shades, SHADES[-1])
                parts.append(Part(count, kind, f"{word} by {stage.title}: {count:,}"))
                _note(key, kind, word, stage.title)
        unknown = report.counts["unknown"]
        if unknown:
            parts.append(Part(unknown, "unknown", f"unknown: {unknown:,}"))
            key["unknown"] = "unknown"
        bars.append(Bar(name, tuple(parts), _counts(report, observed)))
    told = "; ".join(f"{bar.label}: {', '.join(part.text for part in bar.parts)}" for bar in bars)
    order = sorted(key.items(), key=lambda one: (ORDER.index(one[0].split()[0]), one[0]))
    chart = BarChart("Verdicts by stage", "examples", tuple(bars), tuple(order), text=told)
    return tables.plot("verdicts", bar_chart(chart), "Verdicts, by the stage that gave them.")


def _counts(report: Report, observed: bool) -> str:
    """`326 proved, 34 refuted`."""
    words = dict(OBSERVED if observed else DECIDED)
    return ", ".join(
        f"{count:,} {words.get(kind, kind)}" for kind, count in report.counts.items() if count
    )


def _note(key: dict[str, str], kind: str, word: str, stage: str) -> None:
    """One entry of the key for each shade, naming every stage that it stands for."""
    entry = f"{word} by {stage.partition('(')[0]}"
    known = key.setdefault(kind, entry)
    if entry not in known.split(", "):
        key[kind] = f"{known}, {entry}"


def _spent(rows: list[tuple[str, Task, Report]]) -> Element:
    titles = list(dict.fromkeys(one.title for _, _, report in rows for one in report.stages))
    kinds = {title: f"t{place % TIMES}" for place, title in enumerate(titles)}
    bars = []
    for name, _, report in rows:
        spent = [(stage.title, max(stage.work, 0.0)) for stage in report.stages]
        parts = [Part(time, kinds[at], f"{at}: {duration(time)}") for at, time in spent]
        bars.append(Bar(name, tuple(parts), duration(sum(time for _, time in spent))))
    told = "; ".join(f"{bar.label}: {', '.join(part.text for part in bar.parts)}" for bar in bars)
    key = tuple((kind, title) for title, kind in kinds.items())
    chart = BarChart("Time by stage", "seconds", tuple(bars), key, text=told)
    caption = (
        "Time by stage, added up over examples, workers and resumed runs. Reports share answers: "
        "what one has asked, another reads from the store."
    )
    return tables.plot("times", bar_chart(chart), caption)
