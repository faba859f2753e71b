"""A page that sets runs side by side: what differs between them, and what came of it.

Runs are lettered. Their tasks are put into one run, each under its letter, so that the parts of a
run's page (charts over the radius, the paper's rows, stages) serve here too.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from ibpc.report import tables
from ibpc.report.facts import Run, read_run
from ibpc.report.markup import tag
from ibpc.report.page import save_page
from ibpc.report.sections import over_eps, paper, stages, training
from ibpc.report.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Fit, Report, Task
    from ibpc.report.markup import Child

CONTEXT = 2
"""Lines around a difference between specs."""


def write_comparison(folders: Sequence[Path], to: Path) -> Path:
    """Write the comparison of two run folders or more, and give its path.

    Raises: FileMistake (E0592) where one of them is no run folder.
    """
    runs = [(_letter(place), read_run(folder)) for place, folder in enumerate(folders)]
    joined = _joined(runs)
    makers = (paper.section, over_eps.section, stages.section)
    parts = [
        _results(runs),
        *(make(joined) for make in makers),
        _curves(runs),
        _differences(runs),
        _spec_differences(runs),
    ]
    sections = [part for part in parts if part is not None]
    return save_page(to, "comparison", [_header(runs), *sections])


def _letter(place: int) -> str:
    """A, B, ..., Z, A2, B2, ..."""
    round_, rest = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[rest] + (str(round_ + 1) if round_ else "")


def _joined(runs: Sequence[tuple[str, Run]]) -> Run:
    """All tasks as if of one run, under their letters."""
    tasks = tuple(
        replace(
            task,
            title=f"{letter}: {task.title}",
            net=f"{letter}: {task.net}",
            network=f"{letter}: {task.network}",
        )
        for letter, run in runs
        for task in run.tasks
    )
    return Run(runs[0][1].path, runs[0][1].manifest, tasks, (), {})


def _header(runs: Sequence[tuple[str, Run]]) -> Element:
    rows = [
        (letter, run.name, tag("code", run.path.name), f"{len(run.tasks)} of {run.planned}")
        for letter, run in runs
    ]
    shown = tables.table(("run", "spec and target", "folder", "tasks"), rows, "The runs")
    kicker = tag("p", "ibpc report", class_="kicker")
    return tag("header", kicker, tag("h1", f"Comparison of {len(runs)} runs"), shown)


# --- results ---------------------------------------------------------------------------------


def _results(runs: Sequence[tuple[str, Run]]) -> Element | None:
    """A row for each report of each task, a column for each run; the least error stands out."""
    found: dict[tuple[str, str], dict[str, tuple[Task, Report]]] = {}
    shared = _titles_are_shared(runs)
    for letter, run in runs:
        for place, task in enumerate(run.verified):
            title = task.title if shared else f"{task.verify} {place + 1}"
            for report in task.reports:
                own = replace(task, title=f"{letter}: {task.title}")
                found.setdefault((title, report.name), {})[letter] = (own, report)
    if not found:
        return None
    letters = [letter for letter, _ in runs]
    rows = [
        (title, name, *(_cell(figures, letter) for letter in letters))
        for (title, name), figures in found.items()
    ]
    head = ("task", "report", *(f"{letter}, %" for letter in letters))
    caption = "Errors in percent. ≥: at least, ≤: at most. Bold: the least, but of attacks."
    shown = tables.table(head, rows, caption, numbers=range(2, len(head)))
    return tables.section("results", "Results", shown)


def _titles_are_shared(runs: Sequence[tuple[str, Run]]) -> bool:
    """Whether tasks can be matched by their titles; else they are by their order."""
    first, *others = ({task.title for task in run.verified} for _, run in runs)
    return all(first & other for other in others)


def _cell(figures: dict[str, tuple[Task, Report]], letter: str) -> Child:
    if letter not in figures:
        return "–"
    rates = [report.high if report.rate is None else report.rate for _, report in figures.values()]
    task, report = figures[letter]
    shown = tables.rate(task, report, short=True)
    mine = report.high if report.rate is None else report.rate
    judged = all(one.meaning != "at least" for _, one in figures.values())
    return tag("strong", shown) if judged and len(set(rates)) > 1 and mine == min(rates) else shown


# --- curves ----------------------------------------------------------------------------------


def _curves(runs: Sequence[tuple[str, Run]]) -> Element | None:
    """Training curves, laid over each other."""
    fits: list[tuple[str, Fit]] = [
        (f"{letter}: {training.name_of(run, fit)}", fit)
        for letter, run in runs
        for fit in run.fits
        if fit.metrics
    ]
    charts = list(training.overlaid(fits[: training.OVERLAID], "training-"))
    if not charts:
        return None
    return tables.section("training", "Training", tag("div", charts, class_="two"))


# --- what differs ----------------------------------------------------------------------------


def _differences(runs: Sequence[tuple[str, Run]]) -> Element:
    """Parameters, seeds, versions and machines that are not the same in all runs."""
    facts = [dict(_facts(run)) for _, run in runs]
    names = dict.fromkeys(name for one in facts for name in one)
    rows = [
        (name, *values)
        for name in names
        if len(set(values := [str(one.get(name, "–")) for one in facts])) > 1
    ]
    head = ("", *(letter for letter, _ in runs))
    if not rows:
        said = "Parameters, seeds, versions and machine are the same in all of them."
        return tables.section("differences", "What differs", tag("p", said))
    shown = tables.table(head, rows, "Only what is not the same in all runs.")
    return tables.section("differences", "What differs", shown)


def _facts(run: Run) -> Iterator[tuple[str, Any]]:
    manifest = run.manifest
    for name, value in manifest.get("parameters", {}).items():
        yield f"parameter {name}", number(value)
    seeds = sorted({str(fit.about["ibpc.seed"]) for fit in run.fits if "ibpc.seed" in fit.about})
    yield "seeds", ", ".join(seeds)
    for name in ("target", "device", "threads", "ibpc", "python"):
        yield name, manifest.get(name, "–")
    for kind in ("packages", "machine"):
        for name, value in manifest.get(kind, {}).items():
            yield name, value


def _spec_differences(runs: Sequence[tuple[str, Run]]) -> Element | None:
    """The lines in which the specs differ from the first run's."""
    (first, base), *others = runs
    parts = []
    for letter, run in others:
        lines = list(_diff(base, run, first, letter))
        if lines:
            parts.append(tag("div", tag("h3", f"{first} to {letter}"), tag("pre", *lines)))
    return tables.section("spec-differences", "How the specs differ", parts) if parts else None


def _diff(base: Run, other: Run, first: str, letter: str) -> Iterator[Element]:
    """Files of one name are compared; so are the main files, whatever their names."""
    before, after = ([*run.texts] for run in (base, other))
    if before and after:
        before[0], after[0] = (("spec", one[0][1]) for one in (before, after))
    old, new = dict(before), dict(after)
    for name in dict.fromkeys((*old, *new)):
        pair = (old.get(name, "").splitlines(), new.get(name, "").splitlines())
        marks = (f"{first}/{name}", f"{letter}/{name}")
        for line in unified_diff(*pair, *marks, n=CONTEXT, lineterm=""):
            kind = {"+": "added", "-": "removed"}.get(line[:1])
            yield tag("span", f"{line}\n", class_=kind)
