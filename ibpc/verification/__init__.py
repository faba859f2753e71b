"""Verdicts: each example of a report goes through the stages of its cascade until one decides it.

A verdict is `Holds(evidence)`, `Violated(witness)` or `Unknown(why)`. Stages are records with an
engine, one file each in `stages/`; the cascade asks them in the spec's order, only for what is
still open, and keeps every answer in the store, which other reports and later runs read.

Source: Gowal et al. 2019, section 4 (attack, then MIP with a time-out, then its LP relaxation;
what is left counts as attackable). We differ in asking cheap bounds first, and in that the store
keeps Unknown as Unknown: only the report's rate counts it as an error.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ibpc.verification.stages import STAGES

if TYPE_CHECKING:
    from ibpc.verification.archive import Archive, Recorded
    from ibpc.verification.cascade import (
        Standing,
        answers,
        claim_key,
        stage_question,
        stage_title,
        standing,
        verify_task,
    )
    from ibpc.verification.cells import Cell, cell_of
    from ibpc.verification.query import (
        Clock,
        Ended,
        QueryAnswer,
        QuerySettings,
        decide_query,
        process_started,
        run_guarded,
    )
    from ibpc.verification.result import Counterexample, Decision, ReportResult, TaskResult
    from ibpc.verification.store import Question, Store
    from ibpc.verification.subject import Case, Subject
    from ibpc.verification.suspicions import vacuity_warnings
    from ibpc.verification.verdict import (
        Answer,
        Evidence,
        Holds,
        Unknown,
        Verdict,
        Violated,
        Witness,
    )

__all__ = [
    "STAGES",
    "Answer",
    "Archive",
    "Case",
    "Cell",
    "Clock",
    "Counterexample",
    "Decision",
    "Ended",
    "Evidence",
    "Holds",
    "QueryAnswer",
    "QuerySettings",
    "Question",
    "Recorded",
    "ReportResult",
    "Standing",
    "Store",
    "Subject",
    "TaskResult",
    "Unknown",
    "Verdict",
    "Violated",
    "Witness",
    "answers",
    "cell_of",
    "claim_key",
    "decide_query",
    "process_started",
    "run_guarded",
    "stage_question",
    "stage_title",
    "standing",
    "vacuity_warnings",
    "verify_task",
]

_HOMES = {
    "Answer": "verdict",
    "Archive": "archive",
    "Case": "subject",
    "Cell": "cells",
    "Clock": "query.clock",
    "Counterexample": "result",
    "Decision": "result",
    "Ended": "query.guard",
    "Evidence": "verdict",
    "Holds": "verdict",
    "QueryAnswer": "query.answer",
    "QuerySettings": "query.engine",
    "Question": "store",
    "Recorded": "archive",
    "ReportResult": "result",
    "Standing": "cascade",
    "Store": "store",
    "Subject": "subject",
    "TaskResult": "result",
    "Unknown": "verdict",
    "Verdict": "verdict",
    "Violated": "verdict",
    "Witness": "verdict",
    "answers": "cascade",
    "cell_of": "cells",
    "claim_key": "cascade",
    "decide_query": "query.engine",
    "process_started": "query.clock",
    "run_guarded": "query.guard",
    "stage_question": "cascade",
    "stage_title": "cascade",
    "standing": "cascade",
    "vacuity_warnings": "suspicions",
    "verify_task": "cascade",
}


def __getattr__(name: str) -> Any:
    """Loads the engines only when they are asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ibpc.verification.{_HOMES[name]}"), name)
