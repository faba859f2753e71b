"""Mean and variance of a batch, channel by channel, with the running statistics kept up to date.

This file needs torch alone: lowered programs are written out together with its text.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167, Algorithms 1 and 2.
"""

from __future__ import annotations

import torch


def batch_statistics(
    x: torch.Tensor, running_mean: torch.Tensor, running_var: torch.Tensor, momentum: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and biased variance over all axes but axis 1; differentiable.

    In place: running = momentum running + (1 - momentum) batch, the variance unbiased there
    (n / (n - 1)), as PyTorch does.

    Shapes: x (batch, chan, ...); all others (chan,).
    """
    axes = [axis for axis in range(x.dim()) if axis != 1]
    var, mean = torch.var_mean(x, axes, correction=0)
    count = x.numel() // x.shape[1]
    with torch.no_grad():
        running_mean.lerp_(mean.detach(), 1 - momentum)
        running_var.lerp_(var.detach() * (count / max(count - 1, 1)), 1 - momentum)
    return mean, var
