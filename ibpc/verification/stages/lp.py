"""lp: the MIP's linear relaxation, for what the MIP leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot, StageEntry
from ibpc.verification.solving import TIMEOUT, rows_solved
from ibpc.verification.stages.mip import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ibpc.verification.solving import Task, Tools
    from ibpc.verification.subject import Answered, Case, Subject
    from ibpc.verification.verdict import Answer

STAGE = StageEntry(
    "lp",
    (
        TIMEOUT,
        Slot("solver", "word", default="highs", choices=("cbc", "highs"), doc="who solves"),
    ),
    "the linear relaxation of the mixed-integer program, for the rows that no stage before proved",
    source="Ehlers 2017, arXiv:1705.01320; Gowal et al. 2019, section 4",
    role="relax",
    needs="milp",
)


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Holds where the relaxation bounds every open row below zero, else Unknown."""
    yield from rows_solved(subject, f"{__name__}:solver", arguments, cases)


def solver(tools: Tools) -> Callable[[Task], Answer]:
    """In a worker: the function that bounds one example's rows."""

    def solve(task: Task) -> Answer:
        from ibpc.milp import lp_bounds

        outcome = lp_bounds(
            tools.graph,
            task.label,
            *task.box,
            task.bounds,
            task.open_rows,
            task.timeout_s,
            tools.arguments["solver"],
            task.clauses,
            task.start,
        )
        return read(outcome, task, [])

    return solve
