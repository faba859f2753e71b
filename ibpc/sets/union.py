"""`union(A, B, ...)`, `{ SET for i in range(n) }`: what is in one of the members.

Engines take the members one by one (`members`): a claim holds on the union where it holds on each.
The box around all of them is wide; training draws some members in each step instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Entry
from ibpc.sets.record import Exactness, Missing, SetForm

if TYPE_CHECKING:
    from ibpc.language import InputSet

APART = Missing("a union is taken apart: each member has its own")


def around(given: InputSet, x: Any, eps: Any) -> tuple[Any, Any]:
    """The least lower and the greatest upper bound of the members."""
    from ibpc.sets.boxes import form_of

    boxes = [form_of(part).around(part, x, eps) for part in given.parts]
    lower, upper = boxes[0]
    for other_lower, other_upper in boxes[1:]:
        lower, upper = lower.minimum(other_lower), upper.maximum(other_upper)
    return lower, upper


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """The same in float64, each side rounded as asked."""
    import numpy as np

    from ibpc.sets.boxes import form_of

    boxes = [form_of(part).bounds(part, x, outward) for part in given.parts]
    lowers, uppers = zip(*boxes, strict=True)
    lower = None if any(side is None for side in lowers) else _joined(np.minimum, lowers)
    upper = None if any(side is None for side in uppers) else _joined(np.maximum, uppers)
    return lower, upper


def _joined(rule: Any, sides: Any) -> Any:
    found = sides[0]
    for side in sides[1:]:
        found = rule(found, side)
    return found


FORM = SetForm(
    kind="union",
    entry=Entry("union", (), "what lies in one of the sets given"),
    around=around,
    bounds=bounds,
    maximum=APART,
    search=APART,
    encode=APART,
    exact=Exactness(hull=False),
)
