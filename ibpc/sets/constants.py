"""Exact numbers as tensors beside a batch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from fractions import Fraction


def like(numbers: tuple[Fraction, ...], x: torch.Tensor) -> torch.Tensor:
    """The numbers (one for all entries, or one each) in the shape, dtype and device of batch x."""
    return _tensor(numbers, x.dtype, x.device, tuple(x.shape[1:])).expand_as(x)


@lru_cache(maxsize=64)
def _tensor(
    numbers: tuple[Fraction, ...],
    dtype: torch.dtype,
    device: torch.device,
    shape: tuple[int, ...],
) -> torch.Tensor:
    """Made once: a training step asks for the same domain every time."""
    values = torch.tensor([float(number) for number in numbers], dtype=dtype, device=device)
    return values if len(numbers) == 1 else values.reshape(shape)
