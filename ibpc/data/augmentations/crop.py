"""`crop(pad = 4)`: zeros around the image, then a random window of the image's size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.data.record import Augmentation
from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


def apply(arguments: Mapping[str, Any], images: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """out[c, i, j] = padded[c, i + di, j + dj] with di, dj uniform in 0 .. 2 pad."""
    import torch

    from ibpc.data.keyed_random import integers

    pad = int(arguments["pad"])
    padded = torch.nn.functional.pad(images, (pad, pad, pad, pad))
    moves = integers(keys, 2, below=2 * pad + 1)
    high, wide = images.shape[-2:]
    # All windows of all images as one view; the index picks one window of each.
    windows = padded.unfold(2, high, 1).unfold(3, wide, 1)
    batch = torch.arange(len(images), device=images.device)
    return windows[batch, :, moves[:, 0], moves[:, 1]]


AUGMENTATION = Augmentation(
    Entry(
        "crop",
        (Slot("pad", "int", default=4, low=1, doc="zeros added on each side"),),
        "pads with zeros, then takes a random window of the original size",
        source="the CIFAR-10 recipe of Gowal et al. 2019: pad to 40x40, random crop of 32x32",
    ),
    apply,
)
