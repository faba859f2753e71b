"""The trainer: a checked `Fit` and its examples in, an ONNX file with trained weights out.

Light at import: the records (losses, optimisers, bound methods) are read without torch, the
trainer is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph import INITIALISERS
from ibpc.training.attacks import ATTACKS
from ibpc.training.averages import AVERAGES
from ibpc.training.codes import EXPLANATIONS
from ibpc.training.logs import LOGS
from ibpc.training.losses import LOSSES
from ibpc.training.methods import BOUNDS
from ibpc.training.optimisers import OPTIMISERS
from ibpc.training.records import Average, Bound, Loss, Optimiser, TrainingAttack

if TYPE_CHECKING:
    from ibpc.training.passage import Batch
    from ibpc.training.result import fit_key, fit_of
    from ibpc.training.step import Step, Stepper
    from ibpc.training.trainer import device_for, train

__all__ = [
    "ATTACKS",
    "AVERAGES",
    "BOUNDS",
    "EXPLANATIONS",
    "INITIALISERS",
    "LOGS",
    "LOSSES",
    "OPTIMISERS",
    "Average",
    "Batch",
    "Bound",
    "Loss",
    "Optimiser",
    "Step",
    "Stepper",
    "TrainingAttack",
    "device_for",
    "fit_key",
    "fit_of",
    "train",
]

_LAZY = {
    "Batch": "ibpc.training.passage",
    "Step": "ibpc.training.step",
    "Stepper": "ibpc.training.step",
    "device_for": "ibpc.training.trainer",
    "fit_key": "ibpc.training.result",
    "fit_of": "ibpc.training.result",
    "train": "ibpc.training.trainer",
}


def __getattr__(name: str) -> Any:
    """Loads what needs torch when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
