"""`flip(horizontal)`: each image is mirrored or left alone, evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.data.record import Augmentation
from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

AXES = {"horizontal": -1, "vertical": -2}


def apply(arguments: Mapping[str, Any], images: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Every image as it is or mirrored, each with probability 1/2."""
    import torch

    from ibpc.data.keyed_random import integers

    axis = AXES[arguments["axis"]]
    size = images.shape[axis]
    forth = torch.arange(size, device=images.device)
    order = torch.where(integers(keys, 1, below=2) == 1, size - 1 - forth, forth)
    shape = (-1, 1, 1, size) if axis == -1 else (-1, 1, size, 1)
    return images.gather(axis, order.view(shape).expand(images.shape))


AUGMENTATION = Augmentation(
    Entry(
        "flip",
        (
            Slot(
                "axis",
                "word",
                default="horizontal",
                choices=tuple(AXES),
                positional=True,
                doc="horizontal swaps left and right, vertical swaps top and bottom",
            ),
        ),
        "mirrors every second image, at random",
    ),
    apply,
)
