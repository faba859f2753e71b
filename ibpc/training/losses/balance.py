"""A warm-up regulariser: active and inactive hidden units shall weigh the same.

    mean over layers of  (max(0, tau - a_i) + max(0, tau - b_i)) / tau

Over the units of layer i whose sign is decided, active (lower > 0) or inactive (upper < 0), with
bound centres c and their mean m over all units:

    a_i = min(p, 1/p),  p = sum of c over active / - sum of c over inactive
    b_i = min(q, 1/q),  q = sum of (c - m)^2 over active / the same over inactive

A layer without active or without inactive units contributes nothing.

Source: Shi et al. 2021, arXiv:2103.17268 (the regulariser for the balance of ReLU
states), in the form of the authors' public code, which leaves out what is not finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.training.inner import Inner


def over_inner(inner: Inner, _: Any, arguments: Mapping[str, Any]) -> Any:
    """The mean over layers; a scalar."""
    import torch

    tolerance = float(arguments.get("tolerance", 0.5))
    layers = [_layer(center, radius, tolerance) for center, radius in inner.layers]
    return torch.stack(layers).mean() / tolerance


def _layer(center: Any, radius: Any, tolerance: float) -> Any:
    """Both parts of one layer's sum.  Shapes: center, radius (batch, *dims)."""
    active, inactive = (center > radius).detach(), (center < -radius).detach()
    spread = (center - center.mean()).square()
    mean = _ratio((center * active).sum(), -(center * inactive).sum())
    variance = _ratio((spread * active).sum(), (spread * inactive).sum())
    return (tolerance - mean).clamp(min=0) + (tolerance - variance).clamp(min=0)


def _ratio(one: Any, other: Any) -> Any:
    """The smaller of a / b and b / a; 1, with no gradient, where a or b is 0."""
    import torch

    both = (one > 0) & (other > 0)
    one, other = torch.where(both, one, 1.0), torch.where(both, other, 1.0)
    return torch.minimum(one / other, other / one)


LOSS = Loss(
    word="balance",
    slots=(
        Slot("tolerance", "real", default=0.5, low=1e-6, doc="tau: a ratio that costs nothing"),
    ),
    doc="regulariser for as many active as inactive hidden units, by weight",
    source="Shi et al. 2021, arXiv:2103.17268",
    forms={"inner": over_inner},
)
