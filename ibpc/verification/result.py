"""What a task came to: for each report its verdicts, counts and rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from ibpc.errors import Diagnostic
    from ibpc.verification.verdict import Verdict

REFUTING = frozenset({"observe", "refute"})
"""Roles that never prove a claim: what they leave open is not an error they found."""


@dataclass(frozen=True)
class Decision:
    """What a report says of one example: verdict, and the stage that gave it ("" where open).

    `reached`: the largest violation that attacks came to before, where they found no witness.
    `vacuous`: why the claim could not fail there, "" where it could.
    """

    index: int
    verdict: Verdict
    stage: str
    reached: float | None = None
    vacuous: str = ""


@dataclass(frozen=True)
class ReportResult:
    """One report over all examples.

    `low` and `high` are error rates: violated / n, and (violated + unknown) / n. `rate` is the
    figure to print, and `meaning` says what it is: "exact" where nothing is open, "at least" for
    reports that only attack, "at most" for bounds and where `else attackable` counts what is open
    as an error, and "between" (rate is None) for `else unknown` after an exact stage. `seconds`
    are those that this run waited, by stage; `work` adds up the answers' own times, whichever run
    and worker gave them. `roles` are those of the stages.
    """

    name: str
    decisions: tuple[Decision, ...]
    otherwise: str
    roles: tuple[str, ...]
    seconds: Mapping[str, float]
    work: Mapping[str, float] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[str, int]:
        """Examples by verdict: holds, violated, unknown."""
        found = Counter(decision.verdict.kind for decision in self.decisions)
        return {kind: found[kind] for kind in ("holds", "violated", "unknown")}

    @property
    def by_stage(self) -> Mapping[str, Mapping[str, int]]:
        """Decided examples by stage and verdict, stages in their order."""
        found = {stage: {"holds": 0, "violated": 0} for stage in self.seconds}
        for decision in self.decisions:
            if decision.stage:
                found[decision.stage][decision.verdict.kind] += 1
        return found

    @property
    def undecided(self) -> tuple[Decision, ...]:
        """Decisions that say Unknown, each with its reason."""
        return tuple(one for one in self.decisions if one.verdict.kind == "unknown")

    @property
    def vacuous(self) -> Mapping[int, str]:
        """Why the claim could not fail, of the examples that are decided by that alone."""
        decided = (one for one in self.decisions if one.vacuous and one.verdict.kind != "unknown")
        return {one.index: one.vacuous for one in decided}

    @property
    def low(self) -> float:
        """The share of examples with a witness."""
        return self.counts["violated"] / max(1, len(self.decisions))

    @property
    def high(self) -> float:
        """The share of examples that were not proved."""
        counts = self.counts
        return (counts["violated"] + counts["unknown"]) / max(1, len(self.decisions))

    @property
    def meaning(self) -> str:
        """exact, at least, at most or between."""
        if not self.counts["unknown"]:
            return "exact"
        if self.otherwise == "attackable":
            return "at most"
        if set(self.roles) <= REFUTING:
            return "at least"
        return "between" if "exact" in self.roles else "at most"

    @property
    def rate(self) -> float | None:
        """The error rate to print; None where only a range is known."""
        if self.meaning == "between":
            return None
        return self.low if self.meaning in ("exact", "at least") else self.high


@dataclass(frozen=True)
class Counterexample:
    """A datum that the network classifies rightly, and a point of its set where it does not.

    `datum`, `point`: float32 in the shape of the input. `prediction` is the class at the point,
    `violation` the claim's there, by the replay with onnxruntime. `stage` found it; `reached` is
    how far the attacks came before it (None: none was asked, or one found it). `attacked` is the
    point that they reached, still classified as `label`, where that was worth the time.
    """

    index: int
    label: int
    prediction: int
    stage: str
    violation: float
    reached: float | None
    datum: np.ndarray
    point: np.ndarray
    attacked: np.ndarray | None = None


@dataclass(frozen=True)
class TaskResult:
    """All reports of one verify block on one network.

    `network` is the sha256 of its bytes; `claim` the claim as the spec writes it, `claim_key` the
    hash under which the store keeps its verdicts. `shown` are some counterexamples to look at;
    `warnings` say what of the claim itself looks unlike what was meant.
    """

    title: str
    network: str
    claim: str
    claim_key: str
    examples: int
    reports: tuple[ReportResult, ...]
    seconds: float
    shown: tuple[Counterexample, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
