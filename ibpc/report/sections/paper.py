"""Our figures beside the paper's, wherever a task is one of its experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.markup import tag
from ibpc.report.paper import KINDS, beside, data_name, method_kind
from ibpc.report.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Report, Run, Task
    from ibpc.report.markup import Child
    from ibpc.report.paper import PaperRow

NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10", "svhn": "SVHN", "imagenet64": "ImageNet-64"}


def section(run: Run) -> Element | None:
    """A table per data set and radius."""
    parts = list(experiments(run.verified))
    if not parts:
        return None
    note = tag(
        "p",
        "Paper: Gowal et al., ICCV 2019. Its PGD takes 200 steps and 10 restarts; its verified "
        "error is that of MIP with a time-out of 10 minutes, then LP, and what both leave open "
        "counts as an error. All of it is over the complete test set.",
        class_="note",
    )
    return tables.section("paper", "Beside the paper", parts, note)


def experiments(tasks: Sequence[Task]) -> Iterator[Element]:
    """The tables of all experiments among the tasks."""
    groups: dict[tuple[str, object], list[Task]] = {}
    for task in tasks:
        if beside(task):
            groups.setdefault((data_name(task), task.eps), []).append(task)
    for (data, eps), members in groups.items():
        yield _experiment(f"{NAMES[data]}, ε = {number(eps)}", members)


def _experiment(title: str, tasks: list[Task]) -> Element:
    ours = _joined(tasks)
    same = {method_kind(task) for task, _ in ours} - {""}
    theirs = sorted(beside(tasks[0]), key=lambda row: row.kind not in same)
    rows = [_ours(*one) for one in ours]
    marked = range(len(rows))
    for row in theirs:
        rows.append(_theirs(row))
        if row.kind in same and len(ours) == 1:
            rows.append(_difference(row, ours[0][1]))
    head = ("method", *(f"{name}, %" for name in KINDS.values()), "source")
    shown = tables.table(head, rows, "Errors in percent.", numbers=range(1, 5), marked=marked)
    return tag("div", tag("h3", title), shown)


def _joined(tasks: list[Task]) -> list[tuple[Task, dict[str, tuple[Task, Report]]]]:
    """Tasks of one network stand in one row: one may attack, another verify."""
    found: dict[str, tuple[Task, dict[str, tuple[Task, Report]]]] = {}
    for task in tasks:
        figures = found.setdefault(task.network, (task, {}))[1]
        for report in task.reports:
            kept = figures.get(report.kind)
            if kept is None or task.examples > kept[0].examples:
                figures[report.kind] = (task, report)
    return list(found.values())


def _ours(task: Task, figures: dict[str, tuple[Task, Report]]) -> tuple[Child, ...]:
    name = f"{task.net} by {task.recipe} (ours)" if task.recipe else f"{task.net} (ours)"
    if task.eps_train is not None:
        name += f", ε_train {number(task.eps_train)}"
    if task.seed:
        name += f", seed {task.seed}"
    most = max(one.examples for one, _ in figures.values())
    cells: list[Child] = []
    for kind in KINDS:
        if kind not in figures:
            cells.append("–")
            continue
        owner, report = figures[kind]
        few = owner.examples < most
        note = tag("small", f" of {owner.examples:,}") if few else None
        cells.append([tables.rate(owner, report, short=True), note])
    return (name, *cells, f"{most:,} examples")


def _theirs(row: PaperRow) -> tuple[Child, ...]:
    """A row of the paper."""
    figures = ("–" if figure is None else f"{figure:.2f}" for figure in row.figures.values())
    return (row.name, *figures, f"{row.source}; {row.note}" if row.note else row.source)


def _difference(row: PaperRow, ours: dict[str, tuple[Task, Report]]) -> tuple[Child, ...]:
    """How far we are from a row of the paper, in points."""
    cells: list[Child] = []
    for kind, figure in row.figures.items():
        mine = ours[kind][1] if kind in ours else None
        if mine is None or mine.rate is None or figure is None:
            cells.append("")
            continue
        points = round(100 * mine.rate - figure, 2)
        judged = "better" if points <= 0 else "worse"
        if mine.meaning == "at least":  # what an attack finds less of need not be there less
            judged = "quiet"
        cells.append(tag("span", f"{points:+.2f}", class_=judged))
    return (tag("span", "ours less the paper's, in points", class_="quiet"), *cells, "")
