"""Adam's steps for knobs and multipliers.

Not `torch.optim.Adam`: its first step imports the compiler of torch, which takes longer than most
queries do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

MOMENTUM, SQUARES, TINY = 0.9, 0.999, 1e-8


class Adam:
    """Steps against the gradient, in place, each tensor at its own rate.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1.
    """

    def __init__(self, tensors: Sequence[Tensor], rates: Sequence[float]) -> None:
        self._tensors, self._rates = tensors, list(rates)
        self._means = [torch.zeros_like(tensor) for tensor in tensors]
        self._squares = [torch.zeros_like(tensor) for tensor in tensors]
        self._steps = 0

    def step(self, gradients: Sequence[Tensor | None], decay: float = 1.0) -> None:
        """One step; afterwards the rates shrink by `decay`."""
        self._steps += 1
        unbias = 1 - MOMENTUM**self._steps
        unsquare = (1 - SQUARES**self._steps) ** 0.5
        with torch.no_grad():
            for place, gradient in enumerate(gradients):
                if gradient is None:
                    continue
                mean, square = self._means[place], self._squares[place]
                mean.lerp_(gradient, 1 - MOMENTUM)
                square.mul_(SQUARES).addcmul_(gradient, gradient, value=1 - SQUARES)
                size = (square.sqrt() / unsquare).add_(TINY)
                self._tensors[place].addcdiv_(mean, size, value=-self._rates[place] / unbias)
        self._rates = [rate * decay for rate in self._rates]
