"""What a run leaves for scripts and spreadsheets, and for the report: JSON and CSV files.

results.json          every task with its reports; rates are shares of one, times in seconds
results.csv           one line per report
counterexamples.json  some counterexamples of each task, as pixels
"""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ibpc.experiment import Trained
from ibpc.graph import save_bytes
from ibpc.language import Fit, stands_over, trained_radius
from ibpc.verification import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from ibpc.errors import Diagnostic
    from ibpc.experiment import Verified
    from ibpc.language import Invocation, VerifyTask
    from ibpc.verification import Counterexample, ReportResult

COLUMNS = (
    "task", "network", "report", "examples", "rate", "meaning", "low", "high", "holds", "violated",
    "unknown",
)  # fmt: skip


def write_results(folder: Path, results: Sequence[Verified | Trained]) -> None:
    """Write the three files, each whole or not at all."""
    facts = [result_facts(result) for result in results]
    save_bytes(folder / "results.json", _json({"tasks": facts}))
    save_bytes(folder / "results.csv", _csv(facts).encode())
    shown = [
        {"task": done.result.title, "labels": _labels(done.task), "shown": _pictures(done)}
        for done in results
        if not isinstance(done, Trained) and done.result.shown
    ]
    save_bytes(folder / "counterexamples.json", _json({"tasks": shown}))


def result_facts(done: Verified | Trained) -> dict[str, Any]:
    """A task as data: what was asked, and what came of it."""
    if isinstance(done, Trained):
        name = done.fit.recipe
        place = {"model": done.path.name, "fit": done.path.parent.name}
        return {"task": name, **place, **_network_facts(done.fit)}
    result, task = done.result, done.task
    network = task.network
    eps = task.claim.set.eps
    return {
        "task": result.title,
        "verify": task.name,
        "claim": result.claim,
        "eps": _plain(eps) if isinstance(eps, Fraction) else None,
        "bindings": {name: _plain(value) for name, value in task.bindings.items()},
        "data": _data_facts(task),
        "fit": done.fit,
        "network": result.network,
        "examples": result.examples,
        "seconds": round(result.seconds, 3),
        "warnings": [warning_facts(one) for one in result.warnings],
        "reports": [report_facts(report) for report in result.reports],
        **(_network_facts(network) if isinstance(network, Fit) else {"net": network.name}),
    }


def warning_facts(one: Diagnostic) -> dict[str, str]:
    """A warning as data."""
    return {"code": one.code, "problem": one.problem, "notes": "; ".join(one.notes), "fix": one.fix}


def report_facts(report: ReportResult) -> dict[str, Any]:
    """One report as data, with the examples that are violated or undecided, by index."""
    decisions = report.decisions
    return {
        "name": report.name,
        "rate": report.rate,
        "meaning": report.meaning,
        "low": report.low,
        "high": report.high,
        **report.counts,
        "otherwise": report.otherwise,
        "roles": list(report.roles),
        "by_stage": {stage: dict(by) for stage, by in report.by_stage.items()},
        "stages": list(report.seconds),
        "stage_seconds": {stage: round(time, 3) for stage, time in report.seconds.items()},
        "stage_work_seconds": {stage: round(time, 3) for stage, time in report.work.items()},
        "violated_examples": [one.index for one in decisions if one.verdict.kind == "violated"],
        "unknown_examples": {
            str(one.index): one.verdict.why for one in decisions if isinstance(one.verdict, Unknown)
        },
        "vacuous_examples": {str(index): why for index, why in report.vacuous.items()},
    }


def _network_facts(fit: Fit) -> dict[str, Any]:
    """How a network was trained; `eps_train` is the largest radius that its schedule reaches."""
    eps = trained_radius(fit)
    return {
        "net": fit.net.name,
        "recipe": fit.recipe,
        "bound": _method(fit),
        "seed": fit.seed,
        "eps_train": None if eps is None else _plain(eps),
    }


def _method(fit: Fit) -> str | None:
    """What the loss trains against: bounds, an attack, a mix of these, or nothing (None)."""
    over = stands_over(fit.loss)
    bounds = [_invocation(part.method) for part in fit.bound]
    found = bounds if over & {"worst", "violation"} else []
    if "attacked" in over and fit.attack is not None:
        found = [*found, _invocation(fit.attack)]
    if len(found) > 1:
        return f"mix of {' and '.join(found)}"
    return found[0] if found else None


def _data_facts(task: VerifyTask) -> dict[str, Any] | None:
    """Where the examples come from."""
    if task.data is None:
        return None
    source = task.data.dataset.source
    part, first, only = task.data.part, task.data.first, task.data.only
    return {"source": _invocation(source), "part": part, "first": first, "only": only}


def _invocation(written: Invocation) -> str:
    """`builtin(name=mnist)`."""
    options = ", ".join(f"{name}={_plain(value)}" for name, value in written.arguments.items())
    return f"{written.word}({options})" if options else written.word


def _plain(value: Any) -> Any:
    """A number as text, exact: `8/255`, `3`; a float as it is."""
    return str(value) if isinstance(value, Fraction) else value


# --- counterexamples -------------------------------------------------------------------------


def _labels(task: VerifyTask) -> list[str] | None:
    """The names of the classes, where the spec gives them."""
    network = task.network.net if isinstance(task.network, Fit) else task.network
    return None if network.output.labels is None else list(network.output.labels)


def _pictures(done: Verified) -> list[dict[str, Any]]:
    return [_picture(one) for one in done.result.shown]


def _picture(one: Counterexample) -> dict[str, Any]:
    """Arrays as base64 of little-endian float32, in C order."""
    return {
        "index": one.index,
        "label": one.label,
        "prediction": one.prediction,
        "stage": one.stage,
        "violation": one.violation,
        "reached": one.reached,
        "shape": list(one.datum.shape),
        "datum": _coded(one.datum),
        "point": _coded(one.point),
        "attacked": None if one.attacked is None else _coded(one.attacked),
    }


def _coded(array: np.ndarray) -> str:
    return b64encode(array.astype("<f4").tobytes()).decode()


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()


def _csv(facts: Sequence[dict[str, Any]]) -> str:
    """One line per report."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for task in facts:
        for report in task.get("reports", ()):
            shared = {name: task[name] for name in ("task", "network", "examples")}
            writer.writerow({**report, **shared, "report": report["name"]})
    return text.getvalue()
