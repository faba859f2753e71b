"""max(x, 0) on a box in centre and radius form, as one autograd function.

    l = max(mu - r, 0),  u = max(mu + r, 0),  mu' = (l + u) / 2,  r' = u - mu'

Training passes carry (mu, r) from one affine layer to the next; done in place in two buffers, the
step costs less than half of what autograd records for the same arithmetic. Only the results are
kept for the backward pass, and the next affine layer keeps these anyway. Exact up to rounding:
bounds that must cover rounding use `Interval.monotone` instead.

This file needs torch alone: lowered programs are written out together with its text.
Source: Gowal et al. 2019, Eq. 6 and 7 combined.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable


class CentredRelu(torch.autograd.Function):
    """(mu, r) -> (mu', r'); shapes all alike."""

    @staticmethod
    def forward(
        ctx: Any, center: torch.Tensor, radius: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Two buffers: bounds first, then centre and radius in their place."""
        middle, reach = (center - radius).relu_(), (center + radius).relu_()
        middle.lerp_(reach, 0.5)
        reach.sub_(middle)
        ctx.save_for_backward(middle, reach)
        return middle, reach

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_center: torch.Tensor, grad_radius: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The upper bound passes where mu' > 0, the lower one where mu' > r' (else it is 0)."""
        middle, reach = ctx.saved_tensors
        through_upper = torch.lerp(grad_center, grad_radius, 0.5)
        through_lower = grad_center - through_upper
        lower = middle - reach
        gate = torch.ops.aten.threshold_backward.grad_input
        gate(through_upper, middle, 0, grad_input=through_upper)
        gate(through_lower, lower, 0, grad_input=through_lower)
        torch.add(through_upper, through_lower, out=lower)
        return lower, through_upper.sub_(through_lower)


def centred_relu(center: torch.Tensor, radius: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre and radius of max(x, 0) over the box center +- radius."""
    middle, reach = CentredRelu.apply(center, radius)
    return middle, reach
