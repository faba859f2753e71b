"""SABR: interval bounds over a small box around an adversarial point, inside of the claim's box.

    tau = share * r,   centre = clamp(point, x - (r - tau), x + (r - tau)),   box = centre +- tau

with r the radius of the claim's box and `point` from the recipe's `attack`. These are no bounds
over the claim's set: they train, and the verified error that training reports is that of small
boxes.

Source: Mueller et al. 2023, arXiv:2210.04871. We differ where the claim's box is cut with the
input's domain: coordinate by coordinate its own middle and radius stand for x and r, so that the
small box stays inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.methods.ibp import attach
from ibpc.training.records import Bound

if TYPE_CHECKING:
    from collections.abc import Mapping


def region(
    arguments: Mapping[str, Any], lower: Any, upper: Any, _: Any, point: Any
) -> tuple[Any, Any]:
    """The small box.  Shapes: all (batch, *dims)."""
    import torch

    small = (upper - lower) * (float(arguments.get("share", 0.4)) / 2)
    center = torch.minimum(torch.maximum(point, lower + small), upper - small)
    return center - small, center + small


BOUND = Bound(
    word="sabr",
    slots=(
        Slot("share", "real", default=0.4, low=0, high=1, doc="radius of the small box over eps"),
        Slot("elide", "bool", default=True, doc="fuse the claim with the last layer (Eq. 9)"),
    ),
    doc="interval bounds over a small box around an adversarial point",
    source="Mueller et al. 2023, arXiv:2210.04871",
    attach=attach,
    region=region,
)
