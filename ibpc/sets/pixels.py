"""`box(x0 - eps * m, x0 + eps * m)`: a width for each entry; where m is 0 the entry is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.sets.record import SetForm, exact_radius, radius

if TYPE_CHECKING:
    from ibpc.language import InputSet


def around(given: InputSet, x: Any, eps: Any) -> tuple[Any, Any]:
    """[x - eps lower, x + eps upper].  Shapes: those of x."""
    from ibpc.sets.constants import like

    width = radius(given, eps)
    return x - width * like(given.lower, x), x + width * like(given.upper, x)


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """[x - eps lower, x + eps upper] with exact widths, each side rounded outward or inward."""
    from ibpc.rounding import add, directed

    eps = exact_radius(given)
    down, up = (
        directed([eps * width for width in side], x.shape[1:], upward=outward)
        for side in (given.lower, given.upper)
    )
    return add(x, -down, upward=not outward), add(x, up, upward=outward)


FORM = SetForm(kind="pixels", entry=None, around=around, bounds=bounds)
