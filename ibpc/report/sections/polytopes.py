"""Adversarial polytopes and the boxes around them, over training: the paper's Figure 4.

Read from polytope.jsonl and bounds.jsonl, see `ibpc/training/logs/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.report import tables
from ibpc.report.charts import Cloud, Line, LineChart, cloud_chart, line_chart
from ibpc.report.markup import tag
from ibpc.report.sections.training import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Fit, Run

PANELS = 6
MOST = 1500
"""Points of a cloud that are drawn."""


def section(run: Run) -> Element | None:
    """For each network that kept them: some moments of training, and the tightness over time."""
    parts = [_network(name_of(run, fit), fit) for fit in run.fits if fit.polytopes or fit.widths]
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
    below = [plot for plot in (_tightness(fit), _layers(fit), _widths(fit)) if plot is not None]
    chosen = sorted({round(place * (len(looks) - 1) / (PANELS - 1)) for place in range(PANELS)})
    panels = [
        tables.plot(f"polytope-{fit.name}-{looks[place]['step']}", *_panel(looks[place]))
        for place in chosen
    ]
    grid = tag("div", panels, class_="three")
    return tag("div", tag("h3", name), grid, tag("div", below, class_="two"))


def _tightness(fit: Fit) -> Element | None:
    ratios = tuple((float(look["step"]), _ratio(look)) for look in fit.polytopes)
    title = "Tightness: width of the box over that of the polytope, mean over the logits."
    return _over_time(f"polytope-{fit.name}-tightness", title, "ratio", {"": ratios})


def _layers(fit: Fit) -> Element | None:
    """The same for every layer, where the log kept them."""
    ratios = _by_layer(fit.polytopes, _layer_ratio)
    title = "Tightness: width of the box over what the points reach, mean over each layer."
    return _over_time(f"polytope-{fit.name}-layers", title, "ratio", ratios)


def _widths(fit: Fit) -> Element | None:
    """Widths of the bounds over the examples' sets, layer by layer."""
    widths = _by_layer(fit.widths, lambda layer: float(layer["width"]))
    title = "Width of the interval bounds over the examples' sets, mean over each layer."
    return _over_time(f"bounds-{fit.name}", title, "width", widths)


Curves = dict[str, tuple[tuple[float, float], ...]]


def _by_layer(
    looks: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], float]
) -> Curves:
    """A curve over the steps for each layer."""
    found: dict[str, list[tuple[float, float]]] = {}
    for look in looks:
        for layer in look.get("layers", ()):
            found.setdefault(str(layer["name"]), []).append((float(look["step"]), value(layer)))
    return {name: tuple(points) for name, points in found.items()}


def _over_time(name: str, title: str, label: str, curves: Curves) -> Element | None:
    lines = tuple(
        Line(layer, points, place) for place, (layer, points) in enumerate(curves.items()) if points
    )
    if not lines:
        return None
    chart = LineChart(title, "step", label, lines, 560, 260, log=True)
    return tables.plot(name, line_chart(chart), title)


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


def _layer_ratio(layer: Mapping[str, Any]) -> float:
    sides = zip(layer["lower"], layer["upper"], layer["least"], layer["most"], strict=True)
    found = [(up - low) / (most - least) for low, up, least, most in sides if most > least]
    return float(sum(found)) / max(1, len(found))


def _ratios(
    lower: Sequence[float], upper: Sequence[float], samples: Sequence[Sequence[float]]
) -> Iterator[float]:
    for low, up, values in zip(lower, upper, zip(*samples, strict=True), strict=True):
        width = max(values) - min(values)
        if width > 0:
            yield (up - low) / width
