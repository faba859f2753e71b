"""`box(name = [low .. high], ...)`: fixed bounds for every entry of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Entry, Slot
from ibpc.sets.record import SetForm

if TYPE_CHECKING:
    from ibpc.language import InputSet


def around(given: InputSet, x: Any, _: Any) -> tuple[Any, Any]:
    """[lower, upper], the same for every datum; only the shape of x counts."""
    from ibpc.sets.constants import like

    return like(given.lower, x), like(given.upper, x)


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """The exact bounds, each rounded outward or inward."""
    from ibpc.rounding import directed

    return (
        directed(given.lower, x.shape[1:], upward=not outward),
        directed(given.upper, x.shape[1:], upward=outward),
    )


FORM = SetForm(
    kind="box",
    entry=Entry(
        "box",
        (
            Slot("lower", "reals", doc="least value of each entry, in the input's units"),
            Slot("upper", "reals", doc="greatest value of each entry"),
        ),
        "fixed bounds for every entry, inside the input's domain",
    ),
    around=around,
    bounds=bounds,
)
