"""`translate(pixels = 2)`: a random shift; the border's pixels are repeated where there are none.

Unlike `crop`, which brings in black: for pictures cut out of larger ones, as in SVHN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.data.record import Augmentation
from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


def apply(arguments: Mapping[str, Any], images: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """out[c, i, j] = x[c, clamp(i + di), clamp(j + dj)], di, dj uniform in -pixels .. pixels."""
    import torch

    from ibpc.data.keyed_random import integers

    reach = int(arguments["pixels"])
    moves = integers(keys, 2, below=2 * reach + 1) - reach
    batch, chan, high, wide = images.shape
    rows = (torch.arange(high, device=keys.device) + moves[:, :1]).clamp(0, high - 1)
    columns = (torch.arange(wide, device=keys.device) + moves[:, 1:]).clamp(0, wide - 1)
    moved = images.gather(2, rows.view(batch, 1, high, 1).expand(batch, chan, high, wide))
    return moved.gather(3, columns.view(batch, 1, 1, wide).expand(batch, chan, high, wide))


AUGMENTATION = Augmentation(
    Entry(
        "translate",
        (Slot("pixels", "int", low=1, doc="the largest shift in each direction"),),
        "shifts each image at random, repeating its border",
    ),
    apply,
)
