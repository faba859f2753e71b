"""`free(x0, window(row, column, high, wide))`: the window's pixels are anything in the domain.

Its union over all places of the window is the adversarial patch.
Source: Chiang et al. 2020, "Certified Defenses for Adversarial Patches", arXiv:2003.06693.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Entry, Slot
from ibpc.sets.record import SetForm

if TYPE_CHECKING:
    from ibpc.language import InputSet


def around(given: InputSet, x: Any, _: Any) -> tuple[Any, Any]:
    """No bounds inside of the window, [x, x] elsewhere."""
    import torch

    lower, upper = x.clone(), x.clone()
    lower[_window(given)], upper[_window(given)] = -torch.inf, torch.inf
    return lower, upper


def bounds(given: InputSet, x: Any, _: bool) -> tuple[Any, Any]:
    """The same in numpy: nothing is rounded."""
    import numpy as np

    lower, upper = x.copy(), x.copy()
    lower[_window(given)], upper[_window(given)] = -np.inf, np.inf
    return lower, upper


def _window(given: InputSet) -> tuple[Any, ...]:
    """The index of the window's pixels in a batch, in all channels."""
    row, column, high, wide = given.option("window")
    return (..., slice(row, row + high), slice(column, column + wide))


FORM = SetForm(
    kind="free",
    entry=Entry(
        "free",
        (
            Slot("center", "word", positional=True, doc="the datum"),
            Slot("where", "word", positional=True, doc="`window(row, column, high, wide)`"),
        ),
        "the datum, the pixels of a window replaced by anything in the domain",
        "Chiang et al. 2020, arXiv:2003.06693",
    ),
    around=around,
    bounds=bounds,
)
