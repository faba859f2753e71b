"""Training over time: schedules, loss, errors, and how far the bounds are from the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.charts import Line, LineChart, line_chart
from ibpc.report.markup import tag
from ibpc.report.sections.over_eps import network_name
from ibpc.report.series import series, thinned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Fit, Run

APART = 2
"""Up to so many networks have their own charts; more are laid over each other."""

OVERLAID = 8


def section(run: Run) -> Element | None:
    """Small charts over the training step."""
    fits = [(name_of(run, fit), fit) for fit in run.fits if fit.metrics]
    if not fits:
        return None
    if len(fits) <= APART:
        parts = [_alone(name, fit, len(fits) == 1) for name, fit in fits]
    else:
        parts = [tag("div", list(overlaid(fits[:OVERLAID])), class_="two")]
        if len(fits) > OVERLAID:
            left = len(fits) - OVERLAID
            parts.append(tag("p", f"{left} more in fits/*/metrics.jsonl", class_="note"))
    return tables.section("training", "Training", parts)


def overlaid(fits: Sequence[tuple[str, Fit]], prefix: str = "") -> Iterator[Element]:
    """One chart for each quantity, a line for each network."""
    wanted = (
        ("loss", "Loss", "mean", False, 1),
        ("train_error", "Error on training examples", "%", False, 100),
        ("verified_error", "Not proved by the bounds, at the step's radius", "%", False, 100),
        ("schedules.eps", "Radius ε", "ε", False, 1),
        ("schedules.kappa", "Weight κ of the fit", "κ", False, 1),
        ("schedules.lr", "Learning rate", "lr", True, 1),
    )
    for key, title, unit, log, factor in wanted:
        lines = tuple(
            Line(name, thinned(series(fit.metrics, key, factor)), place)
            for place, (name, fit) in enumerate(fits)
        )
        if any(len(line.points) > 1 for line in lines):
            name = f"{prefix}{key.rpartition('.')[2].replace('_', '-')}"
            low = None if log else 0.0
            chart = LineChart(title, "step", unit, lines, 560, 300, log, low)
            yield tables.plot(name, line_chart(chart), f"{title}.")


def name_of(run: Run, fit: Fit) -> str:
    """A trained network by what tells it from others of its run."""
    task = next((one for one in run.tasks if one.fit == fit.name), None)
    return fit.name if task is None else network_name(task, run.tasks)


def _alone(name: str, fit: Fit, only: bool) -> Element:
    prefix = "training" if only else f"training-{fit.name}"
    charts = [
        tables.plot(f"{prefix}-{stem}", line_chart(chart), caption)
        for stem, caption, chart in _charts(fit)
        if chart.lines
    ]
    return tag("div", tag("h3", name), tag("div", charts, class_="three"))


def _charts(fit: Fit) -> Iterator[tuple[str, str, LineChart]]:
    """The charts of one network, with their files' names and captions."""

    def lines(*wanted: tuple[str, str], factor: float = 1) -> tuple[Line, ...]:
        found = [
            Line(label, thinned(series(fit.metrics, key, factor)), place)
            for place, (key, label) in enumerate(wanted)
        ]
        return tuple(line for line in found if len(line.points) > 1)

    schedules = {name for line in fit.metrics for name in line.get("schedules", ())}
    named = {"eps": ("ε", "Radius ε."), "kappa": ("κ", "Weight κ of the fit in the loss.")}
    for key in sorted(schedules - {"lr"}, key=lambda one: (one not in named, one)):
        unit, caption = named.get(key, (key, f"Schedule {key}."))
        yield key, caption, _chart(caption, unit, lines((f"schedules.{key}", "")))
    caption = "Learning rate."
    yield "lr", caption, _chart(caption, "lr", lines(("schedules.lr", "")), log=True)
    losses = lines(("loss", "total"), ("fit", "on logits"), ("spec", "on bounds"))
    caption = "Loss, and its parts without their weights (Eq. 12)."
    yield "loss", caption, _chart(caption, "mean", losses)
    wanted = (
        ("train_error", "misclassified"),
        ("attack_error", "wrong under attack"),
        ("verified_error", "not proved"),
    )
    errors = lines(*wanted, factor=100)
    caption = "Errors on training examples, at the step's radius."
    yield "errors", caption, _chart(caption, "%", errors)
    bounds = lines(("bound", "upper bound"), ("margin", "at the datum"))
    caption = "Largest violation: bound, and value at the datum."
    yield "bounds", caption, _chart(caption, "mean", bounds, floor=None)
    gap = lines(("gap", ""), factor=1)
    caption = "Tightness: the bound less the value at the datum."
    yield "tightness", caption, _chart(caption, "logits", gap)
    caption = "Training steps per second."
    yield "speed", caption, _chart(caption, "steps per second", lines(("steps_per_s", "")))


def _chart(
    title: str, unit: str, lines: tuple[Line, ...], log: bool = False, floor: float | None = 0.0
) -> LineChart:
    return LineChart(title, "step", unit, lines, 360, 220, log, None if log else floor)
