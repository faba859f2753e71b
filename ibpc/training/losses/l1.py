"""The L1 norm of the weights, without biases and scales.

Source: Tibshirani 1996, "Regression shrinkage and selection via the lasso"; on certified training
Xiao et al. 2019, arXiv:1809.03008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.training.records import Loss

if TYPE_CHECKING:
    from collections.abc import Mapping


def over_weights(matrices: Any, _: Any, __: Mapping[str, Any]) -> Any:
    """The sum of |w| over all entries of the weights that have two axes or more; a scalar."""
    import torch

    return torch.stack([matrix.abs().sum() for matrix in matrices]).sum()


LOSS = Loss(
    word="l1",
    slots=(),
    doc="sum of the absolute weights, biases left out",
    source="Tibshirani 1996; Xiao et al. 2019, arXiv:1809.03008",
    forms={"weights": over_weights},
)
