"""Adversarial polytopes and the boxes around them, over training: the paper's Figure 4.

Read from polytope.jsonl, see `ibpc/training/logs/polytope.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.report import tables
from ibpc.report.charts import Cloud, Line, LineChart, cloud_chart, line_chart
from ibpc.report.markup import tag
from ibpc.report.sections.training import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Fit, Run

PANELS = 6
MOST = 1500
"""Points of a cloud that are drawn."""


def section(run: Run) -> Element | None:
    """For each network that kept them: some moments of training, and the tightness over time."""
    parts = [_network(name_of(run, fit), fit) for fit in run.fits if fit.polytopes]
    if not parts:
        return None
    note = tag(
        "p",
        "Grey: logits of points drawn from the example's ball, at the largest radius of training. "
        "Orange: those of the example itself. Green: the interval bounds of the same logits. Above "
        "the dashed line the example is classified wrongly.",
        class_="note",
    )
    return tables.section("polytopes", "The adversarial polytope and its box", note, parts)


def _network(name: str, fit: Fit) -> Element:
    looks = fit.polytopes
    chosen = sorted({round(place * (len(looks) - 1) / (PANELS - 1)) for place in range(PANELS)})
    panels = [
        tables.plot(f"polytope-{fit.name}-{looks[place]['step']}", *_panel(looks[place]))
        for place in chosen
    ]
    ratios = tuple((float(look["step"]), _ratio(look)) for look in looks)
    title = "Tightness: width of the box over that of the polytope, mean over the logits."
    chart = LineChart(title, "step", "ratio", (Line("", ratios),), 560, 260, log=True)
    over_time = tables.plot(f"polytope-{fit.name}-tightness", line_chart(chart), title)
    grid = tag("div", panels, class_="three")
    return tag("div", tag("h3", name), grid, tag("div", over_time, class_="two"))


def _panel(look: Mapping[str, Any]) -> tuple[Element, str]:
    """One moment, over two logits: the label's, and the one that may overtake it."""
    x, y = _axes(look)
    names = look.get("labels") or [f"z{k}" for k in range(len(look["center"]))]
    samples = look["samples"][:: max(1, len(look["samples"]) // MOST)]
    title = f"Step {look['step']:,}."
    cloud = Cloud(
        title,
        f"logit {names[x]} (true)",
        f"logit {names[y]}",
        tuple((point[x], point[y]) for point in samples),
        ((look["lower"][x], look["lower"][y]), (look["upper"][x], look["upper"][y])),
        (look["center"][x], look["center"][y]),
        f"{title} The box is {_ratio(look):.2f} times as wide as the polytope.",
    )
    return cloud_chart(cloud), title


def _axes(look: Mapping[str, Any]) -> tuple[int, int]:
    label = int(look["label"])
    others = [k for k in range(len(look["center"])) if k != label]
    return label, max(others, key=lambda k: float(look["upper"][k]))


def _ratio(look: Mapping[str, Any]) -> float:
    """The box's width over that of the samples; the samples' is a little less than the truth."""
    found = list(_ratios(look["lower"], look["upper"], look["samples"]))
    return sum(found) / max(1, len(found))


def _ratios(
    lower: Sequence[float], upper: Sequence[float], samples: Sequence[Sequence[float]]
) -> Iterator[float]:
    for low, up, values in zip(lower, upper, zip(*samples, strict=True), strict=True):
        width = max(values) - min(values)
        if width > 0:
            yield (up - low) / width
