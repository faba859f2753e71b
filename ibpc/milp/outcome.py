"""What solving gave: for each row of the claim, proved, refuted or open, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

RowStatus = Literal["proved", "refuted", "open"]


@dataclass(frozen=True)
class RowOutcome:
    """One row `violation = C z + d` over the input box.

    `bound`: an upper bound on the row that the solver stands for (inf where it has none); proved
    rows have bound < 0. `value`: the largest violation that it found a point for (-inf if none).
    `point`: that point, flat float64, inside the box up to the solver's tolerance. `why`: what
    stood in the way of a row that stays open.
    """

    row: int
    status: RowStatus
    bound: float
    value: float = float("-inf")
    point: np.ndarray | None = None
    why: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """All rows asked for, in the order in which they were taken up."""

    rows: tuple[RowOutcome, ...]
    method: str
    solver: str
    tolerance: float
    seconds: float

    @property
    def status(self) -> RowStatus:
        """Refuted if a row is, proved if all rows are, else open."""
        found = {row.status for row in self.rows}
        if "refuted" in found:
            return "refuted"
        return "open" if "open" in found else "proved"

    @property
    def proved(self) -> tuple[int, ...]:
        """Rows shown to hold, ascending."""
        return tuple(sorted(row.row for row in self.rows if row.status == "proved"))

    @property
    def point(self) -> np.ndarray | None:
        """The point of the refuted row, if there is one."""
        for row in self.rows:
            if row.status == "refuted":
                return row.point
        return None

    @property
    def why(self) -> str:
        """What stood in the way of the first open row."""
        return next((row.why for row in self.rows if row.status == "open"), "")
