"""split: the engine of `ibpc verify` on each example: attack, bounds, branch and bound, MIP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ibpc.language import Slot, StageEntry
from ibpc.verification.solving import TIMEOUT
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown, Violated, Witness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ibpc.verification.query import QueryAnswer
    from ibpc.verification.subject import Answered, Case, Subject

STAGE = StageEntry(
    "split",
    (
        Slot(
            "bound",
            "word",
            default="crown",
            choices=("crown",),
            positional=True,
            doc="what bounds a part of the input set, or of the network's cases",
        ),
        TIMEOUT,
        Slot("seed", "int", default=0, low=0, doc="another seed, other attack points"),
    ),
    "branch and bound over the input box or the network's units, chosen by how many inputs vary",
    source="Wang et al. 2021, arXiv:2103.06624 (beta-CROWN); as `ibpc verify` does it",
    role="exact",
    needs="query",
)


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Holds, Violated with a replayed witness, or Unknown (time-out, rounding)."""
    for case in cases:
        began = time.monotonic()
        answer = _asked(subject, arguments, case)
        yield [(case, judge(answer, time.monotonic() - began, case.proved))]


def _asked(subject: Subject, arguments: Mapping[str, Any], case: Case) -> QueryAnswer:
    """The engine's answer on the unsafe set of one example."""
    from ibpc.exchange import claim_property
    from ibpc.verification.query import Clock, QuerySettings, decide_query

    x = subject.pixels([case.index]).reshape(-1)
    wanted = claim_property(subject.claim, subject.kind, x.tolist(), case.label)
    settings = QuerySettings(
        subject.device, subject.jobs, int(arguments["seed"]), lambda _: None, cross_check=False
    )
    now = time.monotonic()
    clock = Clock(now, now + float(arguments["timeout"]))
    return decide_query(subject.data, subject.origin, wanted, settings, clock)


def judge(answer: QueryAnswer, seconds: float, proved: tuple[int, ...]) -> Answer:
    """The verdict behind the engine's word."""
    facts = {**answer.facts, "method": answer.method}
    if answer.word == "unsat":
        evidence = Evidence("branch and bound, float64, rounding covered", facts)
        return Answer(Holds(evidence), proved, seconds)
    if answer.word == "sat" and answer.witness is not None:
        found = answer.witness
        told: dict[str, Any] = {
            "by": f"split: {found.by}",
            "output": [float(value) for value in found.y[:64]],
        }
        if found.near:
            told["note"] = "a coordinate's set holds no float32; the nearest is used"
        evidence = Evidence("replayed with onnxruntime", told)
        return Answer(Violated(Witness(found.x, evidence)), proved, seconds)
    why = "time-out" if answer.word == "timeout" else answer.why
    return Answer(Unknown(why, Evidence("branch and bound", facts)), proved, seconds)
