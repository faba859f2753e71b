"""The cascade: each report's stages in order, each on what is still open, answers kept.

What a stage has been asked before, by another report or by a run that was interrupted, is read
from the store. Exact and relaxing stages hand on the rows that they proved.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ibpc.errors import NumericalDoubt
from ibpc.language import REQUIRED, Fit, canonical, identity, never_true_by_numbers
from ibpc.progress import SilentProgress
from ibpc.verification.cells import cell_of
from ibpc.verification.counterexamples import counterexamples
from ibpc.verification.result import Decision, ReportResult, TaskResult
from ibpc.verification.stages import ENGINES, STAGES
from ibpc.verification.store import Question
from ibpc.verification.subject import Case, Subject
from ibpc.verification.suspicions import PREMISE_IS_FALSE, suspicions
from ibpc.verification.vacuity import vacuous
from ibpc.verification.verdict import Answer, Holds, Unknown, Verdict, Violated, settle, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.errors import Diagnostic
    from ibpc.language import Claim, Invocation, Report, VerifyTask
    from ibpc.progress import Progress
    from ibpc.verification.store import Answers, Store
    from ibpc.verification.subject import Answered

EVIDENCE_VERSION = 1
"""Raised when a stage's answers change their meaning: older answers are then asked again."""

HANDING_ON = frozenset({"exact", "relax"})
"""Roles of stages that solve row by row, and so profit from rows proved before."""


def verify_task(
    task: VerifyTask,
    model: Path,
    examples: Examples | None,
    store: Store,
    jobs: int = 1,
    device: str = "cpu",
    progress: Progress | None = None,
    cluster: str | None = None,
    warn: Callable[[Diagnostic], None] | None = None,
) -> TaskResult:
    """Every report of a verify block, over every example.

    `model` is the ONNX file in the units of the spec. `examples` is None for a claim without
    data, which is then asked once. `jobs` counts worker processes; `device` is cpu, cuda or auto;
    `cluster` the address of a Dask scheduler whose workers solve instead. `warn` is told at once
    what looks unlike what was meant, but for what the checker has told.
    Raises IbpcError where the file, an operator or the store stands in the way.
    """
    began = time.monotonic()
    network = task.network.net if isinstance(task.network, Fit) else task.network
    data = model.read_bytes()
    subject = Subject(
        data, str(model), task.claim, network.input, examples, jobs, _device(device), cluster
    )
    run = _Run(subject, store, progress or SilentProgress(), task.title, vacuous(subject))
    warnings = suspicions(subject, run.vacuous)
    for one in warnings:
        told = one.code == PREMISE_IS_FALSE and never_true_by_numbers(task.claim, network.input)
        if warn is not None and not told:
            warn(one)
    reports = []
    for report in task.reports:
        reports.append(run.report(report))
        store.record(cell_of(task, report, run.found, run.digests), run.digests)
    settled = _concluded(reports, task.claim)
    return TaskResult(
        task.title,
        hashlib.sha256(data).hexdigest(),
        task.claim.text,
        run.claim,
        len(subject),
        settled,
        time.monotonic() - began,
        counterexamples(settled, subject, {one.name: one.stages for one in task.reports}),
        warnings,
    )


def claim_key(claim: Claim, subject: Subject) -> str:
    """The claim's content: its set, radius and rows over the input's type, without its names."""
    return hashlib.sha256(f"{identity(claim)} {identity(subject.kind)}".encode()).hexdigest()


def stage_title(stage: Invocation) -> str:
    """`pgd(steps=20)`: the stage as reports name it, with the options that are not the defaults."""
    usual = {slot.name: slot.default for slot in STAGES[stage.word].slots}
    options = ", ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in stage.arguments.items()
        if name in usual and usual[name] is not REQUIRED and value != usual[name]
    )
    return f"{stage.word}({options})" if options else stage.word


@dataclass
class _Run:
    """One task under way."""

    subject: Subject
    store: Answers
    progress: Progress
    title: str
    vacuous: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from ibpc.graph import fingerprint

        # The network's content: operators and weights, whatever the file's names and notes.
        self.found = fingerprint(self.subject.data, self.subject.origin)
        self.network = self.found.key
        self.claim = claim_key(self.subject.claim, self.subject)
        self.digests = [self.subject.digest(index) for index in range(len(self.subject))]

    def report(self, report: Report) -> ReportResult:
        """One report: its stages in order, on what is still open."""
        count = len(self.subject)
        decided: dict[int, Decision] = {}
        verdicts: dict[int, Verdict] = {}
        proved: dict[int, tuple[int, ...]] = dict.fromkeys(range(count), ())
        reached: dict[int, float] = {}
        seconds: dict[str, float] = {}
        work: dict[str, float] = {}
        for stage in report.stages:
            role, title = STAGES[stage.word].role, _fresh(stage_title(stage), seconds)
            open_ = [index for index in range(count) if index not in decided]
            began = time.monotonic()
            for case, answer in self.ask(stage, open_, proved, f"{report.name}: {title}"):
                verdicts[case.index] = answer.verdict
                work[title] = work.get(title, 0.0) + answer.seconds
                _note_reached(reached, case.index, answer.verdict, role)
                if role in HANDING_ON:
                    proved[case.index] = answer.proved
                if _decides(answer.verdict, role, alone=len(report.stages) == 1):
                    decided[case.index] = self.decision(case.index, answer.verdict, title, reached)
            seconds[title] = time.monotonic() - began
        roles = tuple(STAGES[stage.word].role for stage in report.stages)
        decisions = tuple(
            decided.get(index) or Decision(index, _still_open(verdicts.get(index)), "")
            for index in range(count)
        )
        return ReportResult(report.name, decisions, report.otherwise, roles, seconds, work)

    def decision(
        self, index: int, verdict: Verdict, title: str, reached: Mapping[int, float]
    ) -> Decision:
        """What a stage decided; a proof says where the claim could not fail."""
        why = self.vacuous.get(index, "") if isinstance(verdict, Holds) else ""
        return Decision(index, verdict, title, reached.get(index), why)

    def ask(
        self,
        stage: Invocation,
        open_: list[int],
        proved: dict[int, tuple[int, ...]],
        title: str,
    ) -> Iterator[tuple[Case, Answer]]:
        """A stage's answers on the open examples, from the store where it has them."""
        cases = self.cases(stage, open_, proved)
        question = stage_question(stage, self.claim, self.network)
        known = self.store.get(question, [self.key(case) for case in cases])
        left = []
        for case in cases:
            if self.key(case) in known:
                yield case, known[self.key(case)]
            else:
                left.append(case)
        if not left:
            return
        done = len(cases) - len(left)
        self.progress.start(len(cases), title, done)
        try:
            for found in answers(stage, self.subject, left):
                for case, answer in found:
                    self.store.put(question, *self.key(case), answer)
                self.store.commit()
                done += len(found)
                self.progress.update(done)  # what is told is on disk
                yield from found
        finally:
            self.progress.finish()

    def cases(
        self, stage: Invocation, open_: list[int], proved: dict[int, tuple[int, ...]]
    ) -> list[Case]:
        """What a stage is asked of the open examples."""
        handed_on = STAGES[stage.word].role in HANDING_ON
        return [
            Case(index, self.subject.label(index), proved[index] if handed_on else ())
            for index in open_
        ]

    def key(self, case: Case) -> tuple[str, tuple[int, ...]]:
        return self.digests[case.index], case.proved


@dataclass
class _Reading(_Run):
    """The same cascades on stored answers alone; `missing` are examples that lack the next one."""

    missing: set[int] = field(default_factory=set)

    def ask(
        self,
        stage: Invocation,
        open_: list[int],
        proved: dict[int, tuple[int, ...]],
        title: str,
    ) -> Iterator[tuple[Case, Answer]]:
        """What the store has; an example without an answer goes no further."""
        del title
        left = [index for index in open_ if index not in self.missing]
        cases = self.cases(stage, left, proved)
        question = stage_question(stage, self.claim, self.network)
        known = self.store.get(question, [self.key(case) for case in cases])
        for case in cases:
            if self.key(case) in known:
                yield case, known[self.key(case)]
            else:
                self.missing.add(case.index)


@dataclass(frozen=True)
class Standing:
    """What stored answers say of one report, and the examples of which they say too little."""

    result: ReportResult
    missing: frozenset[int]


def standing(task: VerifyTask, subject: Subject, store: Answers) -> list[Standing]:
    """Each report of a task as far as its answers are stored; nothing is computed."""
    run = _Reading(subject, store, SilentProgress(), task.title, vacuous(subject))
    results, missing = [], []
    for report in task.reports:
        run.missing = set()
        results.append(run.report(report))
        missing.append(frozenset(run.missing))
    return list(map(Standing, _concluded(results, task.claim), missing))


def stage_question(stage: Invocation, claim: str, network: str) -> Question:
    """The question that a stage puts to each datum, of a claim and a network by their keys."""
    if STAGES[stage.word].role == "observe":  # it looks at the datum alone, whatever the claim
        claim = ""
    arguments = dict(stage.arguments)
    limit_s = float(arguments.pop("timeout", math.inf))
    what = {
        "stage": stage.word,
        "arguments": json.loads(canonical(arguments)),
        "version": EVIDENCE_VERSION,
    }
    return Question(claim, network, json.dumps(what, sort_keys=True), limit_s)


def answers(stage: Invocation, subject: Subject, cases: list[Case]) -> Iterator[Answered]:
    """The stage's answers, as they become known.

    Where a batch is in numerical doubt, only the doubtful are Unknown.
    """
    engine, left = ENGINES[stage.word], {case.index: case for case in cases}
    try:
        for found in engine(subject, stage.arguments, cases):
            for case, _ in found:
                del left[case.index]
            yield found
    except NumericalDoubt:
        for case in left.values():
            try:
                yield from engine(subject, stage.arguments, [case])
            except NumericalDoubt as doubt:
                why = "; ".join(one.problem for one in doubt.diagnostics)
                yield [(case, Answer(Unknown(why), case.proved))]


def _decides(verdict: Verdict, role: str, alone: bool) -> bool:
    """Whether a verdict ends an example's way; a true observation proves nothing of the claim."""
    if isinstance(verdict, Holds):
        return role != "observe" or alone
    return isinstance(verdict, Violated)


def _note_reached(reached: dict[int, float], index: int, verdict: Verdict, role: str) -> None:
    """Keeps how far an attack came that found no witness."""
    if role != "refute" or not isinstance(verdict, Unknown) or verdict.evidence is None:
        return
    best = verdict.evidence.facts.get("violation")
    if best is not None:
        reached[index] = max(float(best), reached.get(index, float(best)))


def _still_open(verdict: Verdict | None) -> Unknown:
    """What to say of an example that no stage decided: the last stage's reason."""
    if isinstance(verdict, Unknown):
        return verdict
    return Unknown("no stage speaks of the claim")


def _settled(reports: list[ReportResult]) -> Iterator[ReportResult]:
    """The reports, with Unknown where one proves what another refutes with a replayed witness."""
    claimed = [report for report in reports if "observe" not in report.roles]
    holds: dict[int, Holds] = {}
    violated: dict[int, Violated] = {}
    for report in claimed:
        for one in report.decisions:
            if isinstance(one.verdict, Holds):
                holds[one.index] = one.verdict
            elif isinstance(one.verdict, Violated):
                violated[one.index] = one.verdict
    doubted = {index: settle(holds[index], violated[index]) for index in holds.keys() & violated}
    for report in reports:
        if report not in claimed or not doubted:
            yield report
            continue
        yield replace(
            report,
            decisions=tuple(
                Decision(one.index, doubted[one.index], "") if one.index in doubted else one
                for one in report.decisions
            ),
        )


def _concluded(reports: list[ReportResult], claim: Claim) -> tuple[ReportResult, ...]:
    """The settled reports; of a claim that something exists, from those of its negation."""
    settled = tuple(_settled(reports))
    if not claim.exists:
        return settled
    return tuple(report if "observe" in report.roles else _turned(report) for report in settled)


def _turned(report: ReportResult) -> ReportResult:
    decisions = (replace(one, verdict=turned(one.verdict)) for one in report.decisions)
    return replace(report, decisions=tuple(decisions))


def _fresh(title: str, taken: dict[str, float]) -> str:
    """The title, numbered where a cascade asks the same stage twice."""
    number, name = 1, title
    while name in taken:
        number += 1
        name = f"{title} #{number}"
    return name


def _device(device: str) -> str:
    """`auto` is cuda where there is one."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
