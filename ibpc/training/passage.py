"""What goes into the passes of a training step, and what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

    from ibpc.training.inner import Inner


class Batch(NamedTuple):
    """What a step trains on.

    Shapes: x (batch, *shape) float32; label, keys (batch,) int64. `keys`: what random numbers of a
    datum follow from, made of seed, epoch and datum.
    """

    x: torch.Tensor
    label: torch.Tensor
    keys: torch.Tensor


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the passes gave; None for those that did not run.

    Shapes: logits, attacked (batch, n); violation (batch, rows), or (batch, 1) where it is fused.
    """

    logits: torch.Tensor | None = None
    violation: torch.Tensor | None = None
    attacked: torch.Tensor | None = None
    inner: Inner | None = None
