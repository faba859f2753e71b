"""Which of the claim's rows a loss looks at: all, the most or least violated one, or random ones.

    all      every row
    most     the row with the largest bound
    least    of the rows that are violated (bound >= 0) the one with the smallest bound; where none
             is, the one with the largest
    random   `count` rows of each example, drawn with replacement

Source: the options of the ablation of Gowal et al. 2019, as their public code defines them
(deepmind/interval-bound-propagation, loss.py: "all", "most", "least", "random_n"). We differ in
drawing from the seed, the epoch and the datum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAWN = 2**34
"""The stream of random rows: far from those of attacks, augmentations and the order of data."""

ROW_SLOTS = (
    Slot(
        "rows",
        "word",
        default="all",
        choices=("all", "most", "least", "random"),
        doc="which of the claim's rows count",
    ),
    Slot("count", "int", default=1, low=1, doc="how many rows `rows = random` draws"),
)


def chosen_rows(rows: Any, keys: Any, arguments: Mapping[str, Any]) -> Any:
    """The rows that count.  Shapes: rows (batch, n), keys (batch,); gives (batch, chosen)."""
    import torch

    from ibpc.data import derive, integers

    word = arguments["rows"]
    if word == "most":
        return rows.amax(1, keepdim=True)
    if word == "least":
        smallest = torch.where(rows >= 0, rows, torch.inf).amin(1, keepdim=True)
        return torch.where(smallest.isfinite(), smallest, rows.amax(1, keepdim=True))
    if word == "random":
        drawn = integers(derive(keys, DRAWN), arguments["count"], rows.shape[1])
        return rows.gather(1, drawn)
    return rows
