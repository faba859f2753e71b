"""Accuracy over the radius, for tasks that differ in it: the paper's Figure 3."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.charts import Line, LineChart, line_chart
from ibpc.report.markup import tag
from ibpc.report.paper import data_name, paper_rows
from ibpc.report.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Report, Run, Task

TITLES = {
    "test": "Accuracy without perturbation",
    "pgd": "Accuracy under attack (PGD): at most",
    "verified": "Verified accuracy",
    "ibp_bound": "Accuracy proved by interval bounds: at least",
}

Points = tuple[tuple[float, float], ...]


def section(run: Run) -> Element | None:
    """A chart for each kind of figure that stands at two radii or more."""
    figures = list(charts(run.verified))
    if not figures:
        return None
    note = "Where an architecture has several networks, they are faded and their best is bold."
    told = tag("p", note, class_="note")
    grid = tag("div", figures, class_="two")
    return tables.section("over-eps", "Accuracy over the radius", told, grid)


def charts(tasks: Sequence[Task], prefix: str = "") -> Iterator[Element]:
    """The charts; `prefix` goes before the names of their files."""
    for kind, title in TITLES.items():
        curves = _curves(tasks, kind)
        if kind == "test" or max((len(points) for points in curves.values()), default=0) < 2:
            continue
        paper = _of_paper(tasks, kind)
        lines = [*_lines(curves)]
        if paper:
            lines.append(Line("IBP in the paper", paper, 7, "points"))
        chart = LineChart(title, "ε", "accuracy, %", tuple(lines), 560, 340, text=_told(curves))
        name = f"{prefix}{kind.replace('_', '-')}-over-eps"
        yield tables.plot(name, line_chart(chart), f"{title}.", _numbers(curves, title))


def _curves(tasks: Sequence[Task], kind: str) -> Mapping[tuple[str, str], Points]:
    """Points (eps, accuracy in percent) by architecture with recipe, and network."""
    found: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    for task in tasks:
        report = next((one for one in task.reports if one.kind == kind), None)
        if report is not None and task.eps is not None:
            key = (kind_name(task, tasks), network_name(task, tasks))
            found[key][float(task.eps)] = _accuracy(report)
    return {key: tuple(sorted(points.items())) for key, points in found.items()}


def network_name(task: Task, tasks: Sequence[Task]) -> str:
    """A network by what tells it from the others of these tasks."""
    words = [kind_name(task, tasks)]
    if task.eps_train is not None:
        words.append(f"ε_train {number(task.eps_train)}")
    if task.seed:
        words.append(f"seed {task.seed}")
    return ", ".join(words)


def kind_name(task: Task, tasks: Sequence[Task]) -> str:
    """Its architecture, and its recipe where there are several."""
    name = task.net or task.network[:8]
    several = len({one.recipe for one in tasks}) > 1
    return f"{name} by {task.recipe}" if several and task.recipe else name


def _accuracy(report: Report) -> float:
    """In percent; where only a range of errors is known, the accuracy that is certain."""
    return 100 - 100 * (report.high if report.rate is None else report.rate)


def _lines(curves: Mapping[tuple[str, str], Points]) -> Iterator[Line]:
    """Each network's line; where an architecture has several, they fade and their best is bold."""
    members: dict[str, list[tuple[str, Points]]] = defaultdict(list)
    for (net, name), points in curves.items():
        members[net].append((name, points))
    alone = len(members) == 1
    for colour, (net, networks) in enumerate(members.items()):
        if len(networks) == 1 or alone:
            for place, (name, points) in enumerate(networks):
                yield Line(name, points, colour + place)
            continue
        for _, points in networks:
            yield Line("", points, colour, "faded")
        best: dict[float, float] = {}
        for _, points in networks:
            for eps, value in points:
                best[eps] = max(value, best.get(eps, value))
        yield Line(f"{net}, best", tuple(sorted(best.items())), colour, "bold")


def _of_paper(tasks: Sequence[Task], kind: str) -> Points:
    """The paper's IBP figures on the same data, within the radii of the tasks."""
    data = {data_name(task) for task in tasks if task.part == "test"}
    largest = max((task.eps for task in tasks if task.eps is not None), default=None)
    return tuple(
        (float(row.eps), 100 - figure)
        for row in paper_rows()
        if row.data in data and row.kind == "ibp" and largest is not None and row.eps <= largest
        for figure in (row.figures[kind],)
        if figure is not None
    )


def _numbers(curves: Mapping[tuple[str, str], Points], title: str) -> Element:
    radii = sorted({eps for points in curves.values() for eps, _ in points})
    rows = []
    for (_, name), points in curves.items():
        known = dict(points)
        rows.append((name, *(f"{known[eps]:.2f}" if eps in known else "–" for eps in radii)))
    head = ("network", *(f"ε = {eps:.4g}" for eps in radii))
    return tables.table(head, rows, f"{title}, %", numbers=range(1, len(head)))


def _told(curves: Mapping[tuple[str, str], Points]) -> str:
    return "; ".join(
        f"{name}: from {points[0][1]:.1f} % at {points[0][0]:.3g} to {points[-1][1]:.1f} % at "
        f"{points[-1][0]:.3g}"
        for (_, name), points in curves.items()
    )
