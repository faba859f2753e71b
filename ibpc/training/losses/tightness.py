"""A warm-up regulariser: hidden bounds shall not be much wider than the input's box.

    mean over layers of  max(0, tau - R_0 / R_i) / tau

R_i is the mean radius of the bounds before the i-th activation, over units and examples, R_0 that
of the input's box. Its weight falls as eps grows: `weight(t) = 1/2 until 1, linear to 0 at 20k`.

Source: Shi et al. 2021, arXiv:2103.17268 (the regulariser for bound tightness), in the
form of the authors' public code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.training.inner import Inner

TINY = 1e-12


def over_inner(inner: Inner, _: Any, arguments: Mapping[str, Any]) -> Any:
    """The mean over layers; a scalar."""
    import torch

    tolerance = float(arguments.get("tolerance", 0.5))
    first = inner.radius.mean()
    ratios = [first / radius.mean().clamp(min=TINY) for _, radius in inner.layers]
    return (tolerance - torch.stack(ratios)).clamp(min=0).mean() / tolerance


LOSS = Loss(
    word="tightness",
    slots=(
        Slot("tolerance", "real", default=0.5, low=1e-6, doc="tau: a ratio that costs nothing"),
    ),
    doc="regulariser for tight hidden bounds: mean of max(0, tau - R_0 / R_i) / tau",
    source="Shi et al. 2021, arXiv:2103.17268",
    forms={"inner": over_inner},
)
