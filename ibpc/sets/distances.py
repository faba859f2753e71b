"""MILP variables for the distance of each entry from the datum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ibpc.sets.record import Ground


def absolute(ground: Ground, encoder: Any) -> tuple[Any, Any]:
    """The input x within its box, and d with d >= x - x0 and d >= x0 - x (forms of shape (n,)).

    The datum is a float32, so x - x0 brings no rounding of its own.
    """
    x, lower, upper = (part[0] for part in ground.flat())
    form = encoder.continuous(lower, upper)
    reach = np.nextafter(np.maximum(upper - x, x - lower), np.inf)
    away = encoder.continuous(np.zeros(len(x)), np.maximum(reach, 0.0))
    for sign in (1.0, -1.0):
        encoder.require(form.scaled(sign, -sign * x).minus(away), "<")
    return form, away
