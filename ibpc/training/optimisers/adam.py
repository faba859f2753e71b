"""Adam, as the paper trains (Gowal et al. 2019, section 4), with its state updated in one kernel.

Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1.
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

    betas = (float(arguments.get("beta1", 0.9)), float(arguments.get("beta2", 0.999)))
    weight_decay = float(arguments.get("weight_decay", 0.0))
    return torch.optim.Adam(
        parameters,
        betas=betas,
        eps=float(arguments.get("epsilon", 1e-8)),
        weight_decay=weight_decay,
        fused=True,
    )


OPTIMISER = Optimiser(
    word="adam",
    slots=(
        Slot("beta1", "real", default=0.9, low=0, high=1, doc="decay of the mean"),
        Slot("beta2", "real", default=0.999, low=0, high=1, doc="decay of the square"),
        Slot("epsilon", "real", default=1e-8, low=0, doc="added to the root of the square"),
        Slot("weight_decay", "real", default=0, low=0, doc="L2 penalty, added to the gradient"),
    ),
    doc="Adam",
    source="Kingma and Ba 2015, algorithm 1",
    make=make,
)
