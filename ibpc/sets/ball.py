"""`ball(x0, eps)`: all x with |x - x0| <= eps in every coordinate (Eq. 3, infinity norm)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Entry, Slot
from ibpc.sets.record import SetForm, exact_radius, radius

if TYPE_CHECKING:
    from ibpc.language import InputSet


def around(given: InputSet, x: Any, eps: Any) -> tuple[Any, Any]:
    """[x - eps, x + eps].  Shapes: those of x; eps a number or a 0-dim tensor."""
    width = radius(given, eps)
    return x - width, x + width


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """[x - eps, x + eps] with the exact eps, each side rounded outward or inward."""
    from ibpc.rounding import add, down, up

    eps = (up if outward else down)(exact_radius(given))
    return add(x, -eps, upward=not outward), add(x, eps, upward=outward)


FORM = SetForm(
    kind="ball",
    entry=Entry(
        "ball",
        (
            Slot("center", "word", positional=True, doc="the datum in the middle"),
            Slot(
                "eps",
                "real",
                positional=True,
                low=0.0,
                doc="radius, in units of the declared input",
            ),
            Slot("norm", "word", default="inf", choices=("inf", "2", "1"), doc="which distance"),
        ),
        "all points within eps of the centre, inside the input's domain",
        "Gowal et al. 2019, Eq. 3",
    ),
    around=around,
    bounds=bounds,
)
