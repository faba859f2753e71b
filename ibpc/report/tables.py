"""Tables and figures of a report, as elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report.markup import Child, tag
from ibpc.report.wording import SIGNS, WORDS, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Report, Task


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Child]],
    caption: str,
    numbers: Iterable[int] = (),
    marked: Iterable[int] = (),
) -> Element:
    """A table whose first column names its rows; `numbers` are columns set flush right.

    `marked`: rows that stand out.
    """
    right, strong = set(numbers), set(marked)
    heads = [
        tag("th", text, scope="col", class_="number" if column in right else None)
        for column, text in enumerate(head)
    ]
    body = [
        tag(
            "tr",
            [_cell(cell, column, column in right) for column, cell in enumerate(row)],
            class_="marked" if place in strong else None,
        )
        for place, row in enumerate(rows)
    ]
    whole = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", heads)),
        tag("tbody", body),
    )
    return tag("div", whole, class_="scroll")


def _cell(cell: Child, column: int, number: bool) -> Element:
    kind = "number" if number else None
    if column == 0:
        return tag("th", cell, scope="row", class_=kind)
    return tag("td", cell, class_=kind)


def rate(task: Task, report: Report, short: bool = False) -> Element:
    """A report's figure; its place in results.json stands in `data-figure`."""
    text = percent(report)
    shown = f"{SIGNS[report.meaning]}{text.removesuffix(' %') if short else text}"
    where = f"{task.title}/{report.name}"
    hint = f"{WORDS[report.meaning]}, of {task.examples:,} examples"
    return tag("data", shown, value=_value(report), data_figure=where, title=hint)


def _value(report: Report) -> str:
    """The exact figure, for whoever reads the page by program."""
    if report.rate is None:
        return f"{report.low!r} to {report.high!r}"
    return repr(report.rate)


def plot(name: str, svg: Element, caption: Child, data: Element | None = None) -> Element:
    """A drawing with its caption; it becomes plots/NAME.svg too. `data`: its numbers as a table."""
    shown = None
    if data is not None:
        shown = tag("details", tag("summary", "Numbers"), data)
    return tag("figure", tag("figcaption", caption), svg, shown, data_plot=name, class_="plot")


def section(name: str, title: str, *children: Child) -> Element:
    """A part of the page that the list at its top leads to."""
    heading = tag("h2", title, id=f"{name}-title")
    return tag("section", heading, *children, id=name, aria_labelledby=f"{name}-title")
