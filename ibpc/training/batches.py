"""The data set on the device, and which examples make up which batch.

Everything random is a function of (seed, epoch, datum), never of a generator's state: a training
that was interrupted draws what it would have drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ibpc.data import augment, datum_keys, derive
from ibpc.training.passage import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.data import Examples
    from ibpc.language import Invocation
    from ibpc.training.schedule import Plan

_ORDER = 2**32
"""The stream of the order: far from those that augmentations number from 0."""


def order(seed: int, epoch: int, count: int, device: str = "cpu") -> torch.Tensor:
    """The order of an epoch: a permutation of 0 .. count - 1 that (seed, epoch) alone decides."""
    keys = derive(datum_keys(seed, epoch, torch.arange(count, device=device)), _ORDER)
    return torch.argsort(keys, stable=True)


class Batches:
    """The examples on the device, served by step."""

    def __init__(
        self,
        examples: Examples,
        plan: Plan,
        seed: int,
        augmentations: Sequence[Invocation],
        device: str,
    ) -> None:
        self._images = torch.tensor(examples.images, device=device)
        self._labels = torch.tensor(examples.labels, device=device)
        self._scale = examples.scale
        self._plan, self._seed, self._device = plan, seed, device
        self._augmentations = tuple(augmentations)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def at(self, step: int) -> Batch:
        """What step `step` (from 0) trains on."""
        epoch = self._plan.epoch(step)
        if epoch != self._epoch:
            self._order = order(self._seed, epoch, len(self._labels), self._device)
            self._epoch = epoch
        start = step % self._plan.steps_per_epoch * self._plan.batch
        chosen = self._order[start : start + self._plan.batch]
        pixels = self._images.index_select(0, chosen).to(torch.float32)
        if self._scale != 1:
            pixels = pixels / self._scale
        keys = datum_keys(self._seed, epoch, chosen)
        if self._augmentations:
            pixels = augment(self._augmentations, pixels, keys)
        return Batch(pixels, self._labels.index_select(0, chosen), keys)
