"""Upper bounds of the forms over many boxes, in float64 with all rounding covered."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from ibpc.bounds import Weights
    from ibpc.verification.query.network import Subject

ENTRIES_AT_ONCE = 2**22
"""Entries of all values together in one batch, which bounds the memory."""


class Bounder:
    """Bounds of one network's forms, and the programs behind them, each made when first needed."""

    def __init__(self, subject: Subject, device: str) -> None:
        self.subject, self.device = subject, device

    def interval(self, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """Interval bounds of g: shapes (boxes, inputs) -> (boxes, forms); NaN where in doubt."""
        import torch

        found = []
        for lo, up in self.batches(lower, upper):
            with torch.no_grad():
                found.append(self._interval(lo, up)[1].cpu().numpy())
        return np.concatenate(found)

    def batches(
        self, lower: np.ndarray, upper: np.ndarray
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The boxes as float64 tensors in the network's shape, in batches that fit."""
        import torch

        count = max(1, ENTRIES_AT_ONCE // self.width)
        sides = [
            torch.from_numpy(np.ascontiguousarray(side))
            .reshape(len(side), *self.subject.shape[1:])
            .to(self.device)
            for side in (lower, upper)
        ]
        lows, highs = (torch.split(side, count) for side in sides)
        return list(zip(lows, highs, strict=True))

    @cached_property
    def weights(self) -> Weights:
        """The constants in float64."""
        return self._weights("float64")

    @cached_property
    def forward(self) -> Any:
        """(x) -> g, in float32."""
        from ibpc.bounds import lower_forward

        return lower_forward(self.subject.graph, self.quick_weights)

    @cached_property
    def quick_weights(self) -> Weights:
        """The constants in float32."""
        return self._weights("float32")

    @cached_property
    def width(self) -> int:
        """Entries of all values of the network together; constants do not count."""
        from math import prod

        from ibpc.passes import infer_shapes

        graph = self.subject.graph
        shapes = infer_shapes(graph).items()
        return sum(prod(shape) for name, shape in shapes if name not in graph.constants)

    @cached_property
    def _interval(self) -> Any:
        import torch

        from ibpc.bounds import lower_interval, roundoff_of

        return lower_interval(self.subject.graph, self.weights, roundoff_of(torch.float64))

    def _weights(self, kind: str) -> Weights:
        import torch

        from ibpc.bounds import Weights

        weights = Weights(self.subject.graph, getattr(torch, kind)).to(self.device)
        return weights.requires_grad_(False)
