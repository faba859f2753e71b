"""ibp: interval bounds of the claim's rows, in float64 with rounding covered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ibpc.language import StageEntry
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ibpc.verification.subject import Answered, Case, Subject

STAGE = StageEntry(
    "ibp",
    (),
    "interval bound propagation in float64, rounding covered",
    source="Gowal et al. 2019, Eq. 5 to 9",
    role="bound",
    needs="hull",
)

BATCH = 100


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Holds where every row's upper bound is <= 0 (strict claims: < 0), else Unknown."""
    for start in range(0, len(cases), BATCH):
        chunk = list(cases[start : start + BATCH])
        began = time.monotonic()
        bounds = subject.row_bounds(chunk)
        shown = subject.rows_that_hold(bounds)
        seconds = (time.monotonic() - began) / len(chunk)
        yield [
            (case, judge(own, held, seconds))
            for case, own, held in zip(chunk, bounds, shown, strict=True)
        ]


def judge(bounds: np.ndarray, held: np.ndarray, seconds: float) -> Answer:
    """The verdict that one example's bounds give."""
    import numpy as np

    proved = tuple(np.flatnonzero(held).tolist())
    if not np.isfinite(bounds).all():
        return Answer(Unknown("an interval bound is not finite"), proved, seconds)
    worst = float(bounds.max(initial=-np.inf)) if bounds.size else None
    evidence = Evidence("interval bounds, float64, rounding covered", {"bound": worst})
    if held.all():
        return Answer(Holds(evidence), proved, seconds)
    return Answer(Unknown("the interval bound is positive", evidence), proved, seconds)
