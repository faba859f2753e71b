"""mip: exact, by mixed-integer programming, one example at a time in worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot, StageEntry
from ibpc.verification.solving import TIMEOUT, rows_solved
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown, Violated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

    from ibpc.milp import Outcome
    from ibpc.verification.solving import Task, Tools
    from ibpc.verification.subject import Answered, Case, Subject
    from ibpc.verification.verdict import Witness

STAGE = StageEntry(
    "mip",
    (
        TIMEOUT,
        Slot(
            "solver",
            "word",
            default="cbc",
            choices=("cbc", "highs"),
            doc="who solves, through python-mip",
        ),
    ),
    "exact: one mixed-integer program for each row that interval bounds leave open, ended as soon"
    " as its sign is known",
    source="Tjeng et al. 2019, arXiv:1711.07356; Gowal et al. 2019, section 4",
    role="exact",
    needs="milp",
)


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Holds, Violated with a replayed witness, or Unknown (time-out, rounding)."""
    yield from rows_solved(subject, f"{__name__}:solver", arguments, cases)


def solver(tools: Tools) -> Callable[[Task], Answer]:
    """In a worker: the function that decides one example."""

    def solve(task: Task) -> Answer:
        from ibpc.milp import prove_or_refute

        found: list[Witness] = []

        def confirm(point: np.ndarray) -> bool:
            witness = tools.replay(point, task, "mip")
            if witness is not None:
                found.append(witness)
            return witness is not None

        outcome = prove_or_refute(
            tools.graph,
            task.label,
            *task.box,
            task.bounds,
            task.open_rows,
            task.timeout_s,
            tools.arguments["solver"],
            confirm,
            clauses=task.clauses,
            start=task.start,
        )
        return read(outcome, task, found)

    return solve


def read(outcome: Outcome, task: Task, found: list[Witness]) -> Answer:
    """The verdict behind a solver's outcome; `found` holds the replayed witnesses."""
    proved = tuple(sorted({*task.proved, *outcome.proved}))
    if found:
        return Answer(Violated(found[-1]), proved, outcome.seconds)
    finite = [row.bound for row in outcome.rows if row.status == "proved"]
    facts = {
        "solver": outcome.solver,
        "tolerance": outcome.tolerance,
        "rows": [row.row for row in outcome.rows],
        "bound": max(finite, default=None),
        "seconds": round(outcome.seconds, 3),
    }
    if not task.exact:
        facts["set"] = "encoded from outside"
    evidence = Evidence(outcome.method, facts)
    if outcome.status == "proved":
        return Answer(Holds(evidence), proved, outcome.seconds)
    why = outcome.why
    if not task.exact and "time-out" not in why:
        why = "what the solver found lies outside of the set, which is encoded from outside"
    return Answer(Unknown(why, evidence), proved, outcome.seconds)
