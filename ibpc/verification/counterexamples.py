"""Some counterexamples of a task, with what a picture of them needs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ibpc.verification.result import Counterexample
from ibpc.verification.stages.pgd import attack as climb_again
from ibpc.verification.subject import Case
from ibpc.verification.verdict import Violated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ibpc.language import Invocation
    from ibpc.verification.result import Decision, ReportResult
    from ibpc.verification.subject import Subject

SHOWN = 12
"""How many are kept of each task."""

LOOKED_AT = 200
"""How many are looked at to choose from."""

FEW = 20
"""Tasks on so few examples show what their attacks reached as well; for more it takes too long."""


def counterexamples(
    reports: Iterable[ReportResult],
    subject: Subject,
    stages: Mapping[str, Sequence[Invocation]],
    count: int = SHOWN,
) -> tuple[Counterexample, ...]:
    """At most `count` of them, from the last report that has any; `stages` are those of each.

    Those of late stages come first (what attacks miss is worth a look), each label in its turn.
    Claims without data or labels have none: there is no class to mistake.
    """
    if subject.examples is None or not subject.claim.argmax:
        return ()
    for report in reversed(tuple(reports)):
        violated = [one for one in report.decisions if isinstance(one.verdict, Violated)]
        if violated and "observe" not in report.roles:
            order = {stage: place for place, stage in enumerate(report.seconds)}
            chosen = list(_in_turn(violated, subject, order))[:LOOKED_AT]
            shown = tuple(_shown(chosen, subject))[:count]
            attacks = [one for one in stages[report.name] if one.word == "pgd"]
            if attacks and len(subject) <= FEW:
                return tuple(_with_attack(one, attacks[-1], subject) for one in shown)
            return shown
    return ()


def _in_turn(
    decisions: list[Decision], subject: Subject, order: dict[str, int]
) -> Iterator[Decision]:
    """Late stages first; within a stage, one of each label before a second of any."""
    taken: dict[tuple[str, int], int] = defaultdict(int)
    ranks = {}
    for one in decisions:
        label = subject.label(one.index)
        ranks[one.index] = (-order.get(one.stage, -1), taken[one.stage, label], label)
        taken[one.stage, label] += 1
    yield from sorted(decisions, key=lambda one: ranks[one.index])


def _shown(decisions: list[Decision], subject: Subject) -> Iterator[Counterexample]:
    """Those whose datum is classified rightly."""
    data = subject.pixels([one.index for one in decisions])
    outputs = subject.replayer.outputs(data.reshape(len(data), -1))
    for one, datum, output in zip(decisions, data, outputs, strict=True):
        label = subject.label(one.index)
        if int(output.argmax()) != label or (output == output[label]).sum() > 1:
            continue
        assert isinstance(one.verdict, Violated)
        witness = one.verdict.witness
        found = witness.evidence.facts.get("output", ())
        if len(found) != len(output):
            found = subject.replayer.outputs(witness.point.reshape(1, -1))[0].tolist()
        yield Counterexample(
            one.index,
            label,
            max(range(len(found)), key=lambda k: found[k]),
            one.stage,
            float(witness.evidence.facts.get("violation", 0.0)),
            one.reached,
            datum,
            witness.point.reshape(datum.shape),
        )


def _with_attack(one: Counterexample, attack: Invocation, subject: Subject) -> Counterexample:
    """The same, with the point that the attack reached, if it missed this example.

    Its random starts follow from the datum, so it climbs to the same point again.
    """
    from ibpc.sets import settle

    if one.reached is None or len(subject.parts) != 1:
        return one
    ground = subject.ground([one.index], subject.parts[0])
    cases = [Case(one.index, one.label)]
    points, _ = climb_again(subject, attack.arguments, cases, [0], ground)
    settled = settle(ground, points[0].astype("f8"))
    if settled is None:
        return one
    output = subject.replayer.outputs(settled.point.reshape(1, -1))[0]
    if int(output.argmax()) != one.label:
        return one
    return replace(one, attacked=settled.point.reshape(one.datum.shape))
