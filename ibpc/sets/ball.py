"""`ball(x0, eps)`: all x with |x - x0| <= eps in every coordinate (Eq. 3, infinity norm)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Entry, Slot
from ibpc.sets.record import SetForm

if TYPE_CHECKING:
    from ibpc.language import InputSet


def around(_: InputSet, x: Any, eps: Any) -> tuple[Any, Any]:
    """[x - eps, x + eps].  Shapes: those of x; eps a number or a 0-dim tensor."""
    return x - eps, x + eps


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """[x - eps, x + eps] with the exact eps, each side rounded outward or inward."""
    from fractions import Fraction

    from ibpc.errors import InternalError
    from ibpc.rounding import add, down, up

    if not isinstance(given.eps, Fraction | int):
        raise InternalError(f"the ball's radius is still `{given.eps}`: bind its schedule first")
    eps = (up if outward else down)(given.eps)
    return add(x, -eps, upward=not outward), add(x, eps, upward=outward)


FORM = SetForm(
    kind="ball",
    entry=Entry(
        "ball",
        (
            Slot("centre", "word", positional=True, doc="the datum in the middle"),
            Slot(
                "eps",
                "real",
                positional=True,
                low=0.0,
                doc="radius in the infinity norm, in units of the declared input",
            ),
        ),
        "all points within eps of the centre in every coordinate, inside the input's domain",
        "Gowal et al. 2019, Eq. 3",
    ),
    around=around,
    bounds=bounds,
)
