"""What a task is told before its stages: that its claim cannot fail, or fails everywhere.

Both look like results, and mostly mean that another claim was meant. Verdicts stay what they are.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic
from ibpc.verification.nominal import NEARLY_ALL, at_nominal_points
from ibpc.verification.vacuity import EMPTY, FALSE
from ibpc.verification.vacuity import vacuous as vacuous_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibpc.verification.nominal import Nominal
    from ibpc.verification.subject import Subject

SET_IS_EMPTY = "W0611"
PREMISE_IS_FALSE = "W0612"
FAILS_NOMINALLY = "W0613"


def suspicions(subject: Subject, vacuous: Mapping[int, str]) -> tuple[Diagnostic, ...]:
    """The warnings of a task; `vacuous` says of which examples the claim cannot fail, and why."""
    found = [*_of_vacuity(subject, vacuous)]
    nominal = at_nominal_points(subject) if len(vacuous) < len(subject) else None
    if nominal is not None and nominal.suspicious:
        found.append(_of_polarity(subject, nominal))
    return tuple(found)


def vacuity_warnings(subject: Subject) -> tuple[Diagnostic, ...]:
    """That a claim cannot fail, where that is so; the network is not run."""
    return tuple(_of_vacuity(subject, vacuous_of(subject)))


def _of_vacuity(subject: Subject, vacuous: Mapping[int, str]) -> Iterator[Diagnostic]:
    """An empty set is always told; a false premise where it is false at every example."""
    counts, every = Counter(vacuous.values()), len(subject)
    where = "" if subject.examples is None else f" for {counts[EMPTY]:,} of {every:,} examples"
    if counts[EMPTY]:
        yield Diagnostic(
            SET_IS_EMPTY,
            f"the input set is empty{where}; any claim is vacuous there",
            subject.claim.span,
            "speaks of no input",
            "check the parts of the set against each other and against the input type's domain",
        )
    if counts[FALSE] and counts[FALSE] + counts[EMPTY] == every:
        where = "" if subject.examples is None else f", for none of {every:,} examples"
        yield Diagnostic(
            PREMISE_IS_FALSE,
            f"the claim's premise is never true{where}; the claim is vacuous",
            subject.claim.span,
            f"{'fails' if subject.claim.exists else 'holds'} whatever the network does",
            "compare the numbers of the premise with those of the set",
        )


def _of_polarity(subject: Subject, nominal: Nominal) -> Diagnostic:
    what = "random points of its set" if subject.examples is None else "data, left as they are"
    notes: tuple[str, ...] = ()
    fix = "look at the claim's numbers and signs, at the labels, and at the network's accuracy"
    if nominal.turned >= NEARLY_ALL * nominal.points:
        notes = (f"with its comparisons turned round it holds at {nominal.turned} of these",)
        fix = "state what must hold, never its negation: turn the comparisons round"
    return Diagnostic(
        FAILS_NOMINALLY,
        f"the claim already fails at {nominal.failed} of {nominal.points} {what}",
        subject.claim.span,
        "fails before anything is done to the input",
        fix,
        notes=notes,
    )
