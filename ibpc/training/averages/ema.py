"""Exponential moving average of the weights; the trained network is the average.

    average <- decay average + (1 - decay) now        after every update from step `start` on

Before that the average is the weights themselves. Statistics of batch normalisation are averaged
with the rest.

Source: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging", in the
exponential form that Adam's paper names (Kingma and Ba 2015, arXiv:1412.6980).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Average

if TYPE_CHECKING:
    from collections.abc import Mapping


def merge(average: Any, now: Any, step: int, arguments: Mapping[str, Any]) -> None:
    """One update of every averaged tensor, in place."""
    import torch

    decay = float(arguments.get("decay", 0.999)) if step >= arguments.get("start", 0) else 0.0
    torch._foreach_lerp_(average, now, 1.0 - decay)


AVERAGE = Average(
    word="ema",
    slots=(
        Slot("decay", "real", default=0.999, low=0, high=1, doc="share of the average that stays"),
        Slot("start", "int", default=0, low=0, doc="the first step that is averaged"),
    ),
    doc="exponential moving average of the weights",
    source="Polyak and Juditsky 1992; Kingma and Ba 2015",
    merge=merge,
)
