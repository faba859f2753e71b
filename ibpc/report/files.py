"""results.json and results.csv: what a script or a spreadsheet reads of a run."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from ibpc.experiment import Trained
from ibpc.graph import save_bytes
from ibpc.verification import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ibpc.verification import ReportResult, TaskResult

COLUMNS = (
    "task", "network", "report", "examples", "rate", "meaning", "low", "high", "holds", "violated",
    "unknown",
)  # fmt: skip


def write_results(folder: Path, results: Sequence[TaskResult | Trained]) -> None:
    """Write both files, whole or not at all."""
    facts = [result_facts(result) for result in results]
    text = json.dumps({"tasks": facts}, indent=2, sort_keys=True) + "\n"
    save_bytes(folder / "results.json", text.encode())
    save_bytes(folder / "results.csv", _csv(facts).encode())


def result_facts(result: TaskResult | Trained) -> dict[str, Any]:
    """A result as data; rates are shares of one, times in seconds."""
    if isinstance(result, Trained):
        return {"task": result.recipe, "net": result.net, "model": result.path.name}
    return {
        "task": result.title,
        "claim": result.claim,
        "network": result.network,
        "examples": result.examples,
        "seconds": round(result.seconds, 3),
        "reports": [report_facts(report) for report in result.reports],
    }


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
        "by_stage": {stage: dict(by) for stage, by in report.by_stage.items()},
        "stage_seconds": {stage: round(time, 3) for stage, time in report.seconds.items()},
        "violated_examples": [one.index for one in decisions if one.verdict.kind == "violated"],
        "unknown_examples": {
            str(one.index): one.verdict.why for one in decisions if isinstance(one.verdict, Unknown)
        },
    }


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
