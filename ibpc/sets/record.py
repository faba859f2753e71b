"""What an input set is: one record in one file, with its lowerings.

A set is given as exact bounds before the input type's domain cuts it; `hull`, `outer_box` and
`inner_box` (in `ibpc.sets`) do the cutting and the rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibpc.language import Entry


@dataclass(frozen=True, slots=True)
class SetForm:
    """One kind of input set.

    kind: as in `InputSet.kind`. entry: its word in the language, None where it has none.
    around(set, x, eps) -> (lower, upper): torch, for training and search.
    bounds(set, x, outward) -> (lower, upper): float64 arrays around the flat float64 datum x;
        `outward` rounds away from the set's inside, else into it. None on a side without a bound.
    exact: whether the box is the set, so that a bound over the box is one over the set.
    """

    kind: str
    entry: Entry | None
    around: Callable[[Any, Any, Any], tuple[Any, Any]]
    bounds: Callable[[Any, Any, bool], tuple[Any, Any]]
    exact: bool = True
