"""Stochastic gradient descent, with momentum if asked for.

    v <- momentum v + g,  w <- w - lr v

Source: Sutskever et al. 2013, section 2, in the form that torch documents (lr outside of v).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Optimiser

if TYPE_CHECKING:
    from collections.abc import Mapping


def make(parameters: Any, arguments: Mapping[str, Any]) -> Any:
    """The fused form: one kernel for all tensors, on CPU and CUDA alike."""
    import torch

    return torch.optim.SGD(
        parameters,
        lr=0.0,
        momentum=float(arguments.get("momentum", 0.0)),
        nesterov=bool(arguments.get("nesterov", False)),
        weight_decay=float(arguments.get("weight_decay", 0.0)),
        fused=True,
    )


OPTIMISER = Optimiser(
    word="sgd",
    slots=(
        Slot("momentum", "real", default=0, low=0, high=1, doc="how much of the last step is kept"),
        Slot("nesterov", "bool", default=False, doc="look ahead (needs momentum)"),
        Slot("weight_decay", "real", default=0, low=0, doc="L2 penalty, added to the gradient"),
    ),
    doc="stochastic gradient descent",
    source="Sutskever et al. 2013, section 2",
    make=make,
)
