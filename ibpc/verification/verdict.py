"""The three answers, with what stands behind each. Doubt is never turned into a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Evidence:
    """How a verdict came about: the method, and JSON-like facts (bounds, solver, tolerance)."""

    method: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Witness:
    """A float32 input whose replay with onnxruntime violates the claim, with zero tolerance.

    `point`: flat float32. `evidence` says which row, by how much, and who found it.
    """

    point: np.ndarray
    evidence: Evidence


@dataclass(frozen=True)
class Holds:
    """The claim holds for every input in the set."""

    evidence: Evidence
    kind = "holds"


@dataclass(frozen=True)
class Violated:
    """The claim fails at the witness."""

    witness: Witness
    kind = "violated"


@dataclass(frozen=True)
class Unknown:
    """Undecided, and why; `witness` is kept where rounding alone stood against it."""

    why: str
    evidence: Evidence | None = None
    witness: Witness | None = None
    kind = "unknown"


@dataclass(frozen=True)
class Found:
    """What a claim says to exist does: the witness shows it."""

    witness: Witness
    kind = "holds"


@dataclass(frozen=True)
class Excluded:
    """What a claim says to exist does not: its negation is proved."""

    evidence: Evidence
    kind = "violated"


Verdict = Holds | Violated | Unknown | Found | Excluded


@dataclass(frozen=True)
class Answer:
    """A stage's verdict on one datum; `proved` are rows that it showed to hold."""

    verdict: Verdict
    proved: tuple[int, ...] = ()
    seconds: float = 0.0


def turned(verdict: Verdict) -> Verdict:
    """The verdict on `exists x: p` from the one on its negation `forall x: not p`."""
    if isinstance(verdict, Holds):
        return Excluded(verdict.evidence)
    return Found(verdict.witness) if isinstance(verdict, Violated) else verdict


ROUNDING = "decided only by rounding"


def settle(holds: Holds, violated: Violated) -> Unknown:
    """What to say where a bound proves a claim and a replayed witness violates it.

    A bound speaks of real arithmetic on the stored weights, a witness of float32 execution.
    """
    evidence = Evidence(
        ROUNDING, {"bound": {"method": holds.evidence.method, **holds.evidence.facts}}
    )
    return Unknown(ROUNDING, evidence, violated.witness)
