"""Looking at stored evidence again, without a new search.

A witness is replayed with onnxruntime on the network's bytes; a proof by bounds is computed once
more; an observation is made once more. What a solver's search has proved leaves nothing that could
be checked apart from searching again, and is counted as such.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, FileMistake
from ibpc.experiment import stores
from ibpc.integrity.codes import DISAGREES
from ibpc.integrity.standing import Look, Situation, subject_of
from ibpc.language import VerifyTask
from ibpc.verification import (
    STAGES,
    Archive,
    Case,
    Holds,
    Violated,
    answers,
    claim_key,
    stage_question,
    stage_title,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ibpc.language import Invocation, Target
    from ibpc.verification import Answer, Subject

WHY_NOT = {
    "exact": "proofs rest on a solver's search, which leaves no certificate",
    "relax": "proofs rest on a solver's arithmetic, which leaves no certificate",
}
"""Why proofs of stages with this role are not rechecked."""

BATCH = 100
TOLD = 20
"""Disagreements of one stage that are told one by one."""


@dataclass
class StageRecheck:
    """What came of one stage's stored answers on one task.

    `witnesses`, `bounds`, `observations`: how many agreed. `left_out`: proofs not looked at, and
    `why` not.
    """

    task: str
    stage: str
    witnesses: int = 0
    bounds: int = 0
    observations: int = 0
    left_out: int = 0
    why: str = ""
    disagreements: list[Diagnostic] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Decided answers that there were."""
        found = self.witnesses + self.bounds + self.observations
        return found + self.left_out + len(self.disagreements)


@dataclass
class Recheck:
    """All stages of a target, and the tasks that could not be looked at, each with the reason."""

    stages: list[StageRecheck] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    @property
    def disagreements(self) -> list[Diagnostic]:
        """Everything that did not come out as it was stored."""
        return [found for stage in self.stages for found in stage.disagreements]


def recheck(target: Target, root: Path, data_dir: Path, only: Path | None = None) -> Recheck:
    """Look again at all stored evidence of a target's claims; `only`: of one run's store.

    Raises: FileMistake (E0531) where a store cannot be read.
    """
    found = Recheck()
    paths = stores(root) if only is None else [only]
    with Archive(paths) as archive:
        if archive.unread:
            raise _unreadable(archive.unread[0])
        look = Look(Situation(root, data_dir, archive))
        for task in target.tasks:
            if isinstance(task, VerifyTask):
                _recheck_task(task, look, archive, found)
    return found


def _recheck_task(task: VerifyTask, look: Look, archive: Archive, found: Recheck) -> None:
    examples = None if task.data is None else look.examples(task.data)
    if isinstance(examples, str):
        found.unseen.append(f"{task.title}: {examples}")
        return
    data, trouble = look.network(task.network)
    if data is None:
        found.unseen.append(f"{task.title}: {trouble or 'its network is not trained'}")
        return
    from ibpc.graph import fingerprint

    subject = subject_of(task, data, examples)
    keys = (claim_key(task.claim, subject), fingerprint(data, task.title).key)
    places: dict[str, list[int]] = {}
    for index in range(len(subject)):
        places.setdefault(subject.digest(index), []).append(index)
    for stage in _stages(task):
        try:
            known = archive.all_answers(stage_question(stage, *keys))
        except sqlite3.Error as error:
            raise _unreadable(str(error)) from error
        stored = [
            (Case(places[datum][0], subject.label(places[datum][0]), proved), answer)
            for (datum, proved), answer in known.items()
            if datum in places
        ]
        result = StageRecheck(task.title, stage_title(stage))
        _recheck_stage(stage, subject, sorted(stored, key=lambda pair: pair[0].index), result)
        if result.seen:
            found.stages.append(result)


def _stages(task: VerifyTask) -> Iterable[Invocation]:
    """The stages that any report of the task asks, each once."""
    return {
        stage_question(stage, "", "").stage: stage  # under whatever time limit
        for report in task.reports
        for stage in report.stages
    }.values()


def _recheck_stage(
    stage: Invocation,
    subject: Subject,
    stored: Sequence[tuple[Case, Answer]],
    result: StageRecheck,
) -> None:
    """Every decided answer of one stage, by what its evidence is."""
    role = STAGES[stage.word].role
    if role == "observe":
        decided = [pair for pair in stored if not _is_unknown(pair[1])]
        _observe_again(stage, subject, decided, result)
        return
    witnesses = [pair for pair in stored if isinstance(pair[1].verdict, Violated)]
    for case, answer in witnesses:
        _replay(subject, case, answer, result)
    proofs = [pair for pair in stored if isinstance(pair[1].verdict, Holds)]
    by_bounds = [pair for pair in proofs if role == "bound"]
    _bound_again(stage, subject, by_bounds, result)
    result.left_out = len(proofs) - len(by_bounds)
    result.why = WHY_NOT.get(role, "there is no way to look at this kind of proof again")


def _is_unknown(answer: Answer) -> bool:
    return not isinstance(answer.verdict, Holds | Violated)


def _replay(subject: Subject, case: Case, answer: Answer, result: StageRecheck) -> None:
    """A stored witness on the network's bytes: inside its set, and violating the claim."""
    assert isinstance(answer.verdict, Violated)
    from ibpc.sets import held

    stored = answer.verdict.witness
    for part in subject.parts:
        inside = held(subject.ground([case.index], part), stored.point, stored.evidence.facts)
        if subject.replayer.judge(inside, case.label, "recheck") is not None:
            result.witnesses += 1
            return
    problem = f"the stored witness of example {case.index} does not violate the claim"
    _disagree(result, problem, "or it lies outside its set; the stored verdict is wrong")


def _bound_again(
    stage: Invocation,
    subject: Subject,
    stored: Sequence[tuple[Case, Answer]],
    result: StageRecheck,
) -> None:
    """Proofs by bounds: the same bounds, computed once more."""
    for start in range(0, len(stored), BATCH):
        cases = [case for case, _ in stored[start : start + BATCH]]
        for case, answer in chain.from_iterable(answers(stage, subject, cases)):
            if isinstance(answer.verdict, Holds):
                result.bounds += 1
                continue
            problem = f"the bound of example {case.index} does not prove the claim"
            _disagree(result, problem, f"computed again: {getattr(answer.verdict, 'why', '')}")


def _observe_again(
    stage: Invocation,
    subject: Subject,
    stored: Sequence[tuple[Case, Answer]],
    result: StageRecheck,
) -> None:
    """What the network says of the data themselves."""
    before = {case.index: answer.verdict.kind for case, answer in stored}
    again = answers(stage, subject, [case for case, _ in stored])
    for case, answer in chain.from_iterable(again):
        if answer.verdict.kind == before[case.index]:
            result.observations += 1
            continue
        problem = f"example {case.index} comes out as `{answer.verdict.kind}`"
        _disagree(result, problem, f"stored: `{before[case.index]}`")


def _disagree(result: StageRecheck, problem: str, note: str) -> None:
    head = f"{result.task}, {result.stage}: {problem}"
    fix = "move the run folder away and run again; then please report how it came about"
    result.disagreements.append(Diagnostic(DISAGREES, head, fix=fix, notes=(note,)))


def _unreadable(why: str) -> FileMistake:
    fix = "name a run whose store is whole, or move the broken one away"
    return FileMistake(Diagnostic("E0531", f"a verdict store cannot be read: {why}", fix=fix))
