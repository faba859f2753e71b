"""Line charts and stacked bars as SVG: the few forms that a report needs.

Our own, because it is little: a plotting library would be the slowest import of a run, and could
not take its colours from the page (dark mode, print). Colours are classes, see chart.css.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ibpc.report.markup import tag
from ibpc.report.scales import Scale, linear, logarithmic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

COLOURS = 8
CHARACTER = 6.4
"""Width of a character of a label, roughly; text cannot be measured here."""

LINE = 18.0
LEFT, RIGHT = 46.0, 14.0

Look = Literal["line", "bold", "faded", "dashed", "points"]


@dataclass(frozen=True)
class Line:
    """One series; `colour` counts from 0, `look` tells lines apart beyond their colour."""

    label: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    look: Look = "line"


@dataclass(frozen=True)
class LineChart:
    """Series over a common x; `title` and `text` are what a screen reader says.

    `floor`: a value that the y axis shall reach down to. Lines without a label are not in the key.
    """

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    width: float = 420
    height: float = 230
    log: bool = False
    floor: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Part:
    """A piece of a bar: its size, its class in chart.css, and what it is."""

    size: float
    kind: str
    text: str


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart; `note` stands behind it."""

    label: str
    parts: tuple[Part, ...]
    note: str = ""


@dataclass(frozen=True)
class BarChart:
    """Horizontal stacked bars over one scale; `key`: classes with what they stand for."""

    title: str
    x_label: str
    bars: tuple[Bar, ...]
    key: tuple[tuple[str, str], ...]
    width: float = 720
    text: str = ""


@dataclass(frozen=True)
class Cloud:
    """Points in the plane with their centre, a box around them, and the diagonal where x = y."""

    title: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]
    box: tuple[tuple[float, float], tuple[float, float]]
    center: tuple[float, float]
    text: str = ""
    width: float = 360
    height: float = 300


def line_chart(chart: LineChart) -> Element:
    """Draws a line chart."""
    named = [line for line in chart.lines if line.label and line.points]
    entries = [(f"c{line.colour % COLOURS} {line.look}", line.label) for line in named]
    key, top = _key(entries, chart.width)
    top += LINE + 4
    bottom = chart.height - 2 * LINE - 2
    x, y = _axes(chart, top, bottom)
    return tag(
        "svg",
        tag("title", chart.title),
        tag("desc", chart.text or chart.title),
        key,
        tag("text", chart.y_label, class_="axis-label", x=4, y=top - 8),
        _grid(x, y, chart.x_label),
        [_line(line, x, y) for line in chart.lines],
        class_="chart",
        viewBox=f"0 0 {chart.width:g} {chart.height:g}",
        role="img",
        aria_label=chart.title,
    )


def bar_chart(chart: BarChart) -> Element:
    """Draws a bar chart; bars are as thick as a line of text and a half."""
    key, top = _key([(f"area {kind}", text) for kind, text in chart.key], chart.width)
    label = 12 + CHARACTER * max((len(bar.label) for bar in chart.bars), default=0)
    note = 12 + CHARACTER * max((len(bar.note) for bar in chart.bars), default=0)
    label = min(label, chart.width / 3)
    pitch = 30.0
    bottom = top + 8 + pitch * len(chart.bars)
    totals = [sum(part.size for part in bar.parts) for bar in chart.bars]
    whole = all(isinstance(part.size, int) for bar in chart.bars for part in bar.parts)
    count = min(5, max(1, int(max(totals, default=1)))) if whole else 5
    scale = linear([0.0, *totals], label, chart.width - max(note, RIGHT), count, to_tick=False)
    height = bottom + 2 * LINE + 6
    return tag(
        "svg",
        tag("title", chart.title),
        tag("desc", chart.text or chart.title),
        key,
        _ticks_below(scale, top + 4, bottom, chart.x_label),
        [_bar(bar, scale, top + 10 + pitch * row) for row, bar in enumerate(chart.bars)],
        class_="chart",
        viewBox=f"0 0 {chart.width:g} {height:g}",
        role="img",
        aria_label=chart.title,
    )


def cloud_chart(cloud: Cloud) -> Element:
    """Draws a cloud; its points are one path, since there may be thousands."""
    (left, low), (right, high) = cloud.box
    top, bottom = LINE + 4, cloud.height - 2 * LINE - 2
    x = linear([left, right, *(a for a, _ in cloud.points)], LEFT, cloud.width - RIGHT, 5)
    y = linear([low, high, *(b for _, b in cloud.points)], bottom, top, 5)
    dots = "".join(f"M{x.at(a):.1f} {y.at(b):.1f}h0" for a, b in cloud.points)
    ends = [max(x.low, y.low), min(x.high, y.high)]
    diagonal = " ".join(f"{x.at(end):.1f},{y.at(end):.1f}" for end in ends)
    line = tag("polyline", points=diagonal) if ends[0] < ends[1] else None
    a, b = cloud.center
    box = {"x": x.at(left), "y": y.at(high), "width": x.at(right) - x.at(left)}
    return tag(
        "svg",
        tag("title", cloud.title),
        tag("desc", cloud.text or cloud.title),
        tag("text", cloud.y_label, class_="axis-label", x=4, y=top - 8),
        _grid(x, y, cloud.x_label),
        tag("path", class_="samples", d=dots),
        tag("g", line, class_="c7 dashed"),
        tag("g", tag("circle", class_="dot", cx=x.at(a), cy=y.at(b), r=3.5), class_="c1"),
        tag("rect", class_="outline", height=y.at(low) - y.at(high), **box),
        class_="chart",
        viewBox=f"0 0 {cloud.width:g} {cloud.height:g}",
        role="img",
        aria_label=cloud.title,
    )


def _axes(chart: LineChart, top: float, bottom: float) -> tuple[Scale, Scale]:
    xs = [x for line in chart.lines for x, _ in line.points]
    ys = [y for line in chart.lines for _, y in line.points]
    if chart.floor is not None:
        ys.append(chart.floor)
    across = linear(xs, LEFT, chart.width - RIGHT, 6 if chart.width > 500 else 5)
    if chart.log and any(y > 0 for y in ys):
        return across, logarithmic(ys, bottom, top)
    return across, linear(ys, bottom, top, 5 if chart.height > 300 else 4)


def _grid(x: Scale, y: Scale, x_label: str) -> Element:
    """Grid lines, the numbers on both axes, and the name of the lower one."""
    rows: list[Element] = []
    for tick, text in zip(y.ticks, y.labels, strict=True):
        place = y.at(tick)
        rows.append(tag("line", class_="grid", x1=x.start, x2=x.end, y1=place, y2=place))
        rows.append(tag("text", text, class_="tick left", x=x.start - 6, y=place + 4))
    return tag("g", rows, _ticks_below(x, y.end, y.start, x_label, lines=False))


def _ticks_below(x: Scale, top: float, bottom: float, label: str, lines: bool = True) -> Element:
    marks: list[Element] = []
    for tick, text in zip(x.ticks, x.labels, strict=True):
        place = x.at(tick)
        start = top if lines else bottom
        end = bottom + (0 if lines else 4)
        marks.append(tag("line", class_="grid", x1=place, x2=place, y1=start, y2=end))
        marks.append(tag("text", text, class_="tick", x=place, y=bottom + 16))
    middle = (x.start + x.end) / 2
    name = tag("text", label, class_="axis-label middle", x=middle, y=bottom + 16 + LINE)
    return tag("g", marks, name)


def _line(line: Line, x: Scale, y: Scale) -> Element | None:
    """The series as a path; single points and `points` as marks that tell their values."""
    points = [(x.at(a), y.at(b)) for a, b in line.points if not y.log or b > 0]
    if not points:
        return None
    kind = f"c{line.colour % COLOURS} {line.look}"
    marks: list[Element] = []
    if line.look == "points" or (line.look in ("line", "bold") and len(points) <= 30):
        for (a, b), place in zip(line.points, points, strict=False):
            told = tag("title", f"{line.label}: {b:.4g} at {a:.4g}")
            radius = 4.5 if line.look == "points" else 3
            marks.append(tag("circle", told, class_="dot", cx=place[0], cy=place[1], r=radius))
    path = None
    if line.look != "points":
        steps = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        path = tag("polyline", tag("title", line.label), points=steps)
    return tag("g", path, marks, class_=kind)


def _bar(bar: Bar, scale: Scale, top: float) -> Element:
    label = tag("text", bar.label, class_="bar-label", x=4, y=top + 14)
    pieces: list[Element] = []
    done = 0.0
    for part in bar.parts:
        start, end = scale.at(done), scale.at(done + part.size)
        done += part.size
        if part.size > 0:
            box = {"x": start, "y": top, "width": max(end - start, 0.8), "height": 20}
            pieces.append(tag("rect", tag("title", part.text), class_=f"area {part.kind}", **box))
    note = tag("text", bar.note, class_="bar-note", x=scale.at(done) + 6, y=top + 14)
    return tag("g", label, pieces, note)


def _key(entries: list[tuple[str, str]], width: float) -> tuple[Element | None, float]:
    """The key above a chart, and where it ends."""
    if not entries:
        return None, 0.0
    placed = list(_placed(entries, width))
    signs = [
        tag("g", _sign(kind, x, y), tag("text", text, class_="key", x=x + 24, y=y + 4))
        for kind, text, x, y in placed
    ]
    return tag("g", signs), placed[-1][3] + LINE / 2


def _placed(
    entries: list[tuple[str, str]], width: float
) -> Iterator[tuple[str, str, float, float]]:
    x, y = 4.0, LINE / 2 + 1
    for kind, text in entries:
        needed = 24 + CHARACTER * len(text) + 16
        if x > 4.0 and x + needed - 16 > width:
            x, y = 4.0, y + LINE
        yield kind, text, x, y
        x += needed


def _sign(kind: str, x: float, y: float) -> Element:
    if kind.startswith("area"):
        return tag("rect", class_=kind, x=x, y=y - 6, width=16, height=12)
    if kind.endswith("points"):
        return tag("g", tag("circle", class_="dot", cx=x + 8, cy=y, r=4.5), class_=kind)
    return tag("g", tag("polyline", points=f"{x:g},{y:g} {x + 18:g},{y:g}"), class_=kind)
