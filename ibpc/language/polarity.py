"""Claims that say the opposite of what stands beside them (W0614).

`z[y] - z[k] <= 0` for all k other than y is Eq. 3 (Gowal et al. 2019) with its sides exchanged: the
true class is nowhere the likeliest. Alone it may be meant so (of costs, say, of which the least
wins); beside a loss or a report by which the label's output is the largest it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Related

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.program import Claim, Row
    from ibpc.language.scopes import Scope

CLASSES = 64
"""Up to this many labels rows are looked at one by one."""


def check_polarity(claim: Claim, at: Span, beside: str, scope: Scope) -> None:
    """Warn where a claim says that the label loses, and `beside` says that it wins."""
    if not says_that_the_label_loses(claim):
        return
    problem = f"this claim says that the true class is the least likely, {beside} that it wins"
    fix = "state what must hold: `forall k != y: z[k] - z[y] <= 0`"
    related = (Related(claim.span, "the claim"),)
    scope.world.sink.warn("W0614", problem, at, "the wrong way round?", fix, related)


def says_that_the_label_loses(claim: Claim) -> bool:
    """Whether the rows of each label y are z[y] - z[k] <= 0 for all k != y, up to factors."""
    if claim.exists or claim.inputs or claim.clauses or not 1 < claim.size <= CLASSES:
        return False
    groups = claim.rows
    if len(groups) != claim.size:
        return False
    every = set(range(claim.size))
    return all(_losing_to(rows, y) == every - {y} for y, rows in enumerate(groups))


def _losing_to(rows: tuple[Row, ...], label: int) -> set[int]:
    """The classes that are at least as large as the label; none where rows say anything else."""
    others: set[int] = set()
    for row in rows:
        factors = dict(row.coefficients)
        own = factors.pop(label, 0)
        if row.constant or own <= 0 or list(factors.values()) != [-own]:
            return set()
        others |= set(factors)
    return others
