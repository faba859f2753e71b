"""What a query's engine answers: one of the competition's words, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.verification.query.judging import Found

Word = Literal["sat", "unsat", "unknown", "timeout"]


@dataclass(frozen=True)
class QueryAnswer:
    """sat: the unsafe set is reached, by `witness`; unsat: it is not, by `method`.

    `why` says what stood in the way of an unknown; `facts` are JSON-like.
    """

    word: Word
    method: str = ""
    why: str = ""
    witness: Found | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As JSON-like values."""
        found: dict[str, Any] = {"verdict": self.word, "method": self.method, "why": self.why}
        if self.witness is not None:
            found["inputs"] = [float(value) for value in self.witness.x]
            found["outputs"] = [float(value) for value in self.witness.y]
            found["nearest"] = self.witness.near
        return {**found, "facts": dict(self.facts)}
