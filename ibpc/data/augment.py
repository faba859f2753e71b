"""Batched augmentation: every invocation in order, each with random numbers of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.data import AUGMENTED
from ibpc.data.keyed_random import derive

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from ibpc.language import Invocation


def augment(
    invocations: Sequence[Invocation], images: torch.Tensor, keys: torch.Tensor
) -> torch.Tensor:
    """The batch after all augmentations; what happens to a datum depends on its key alone.

    Shapes: images (batch, chan, high, wide), any dtype; keys (batch,) int64, from `datum_keys`.
    """
    for place, one in enumerate(invocations):
        images = AUGMENTED[one.word].apply(one.arguments, images, derive(keys, place))
    return images
