"""Bounds of a network over a box, lowered to straight-line PyTorch (`torch.fx`).

`lower_*` walk a graph once and record what its operators' facets do; the programs they give hold
no loops and no dispatch, share the parameters of one `Weights`, and run on any device. `Crown` is
not lowered: its rows depend on which units are open, so it walks the graph with tensors at hand.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibpc.bounds.agreement import agree
    from ibpc.bounds.checked import roundoff_of, run_checked, value_bounds
    from ibpc.bounds.crown import Crown, CrownProblem, CrownResult
    from ibpc.bounds.crown_alpha import Choice, Descent
    from ibpc.bounds.crown_forward import Refining
    from ibpc.bounds.crown_plan import Step
    from ibpc.bounds.crown_training import CrownInTraining
    from ibpc.bounds.programs import (
        lower_forward,
        lower_interval,
        lower_rows,
        lower_training,
        lower_values,
        lower_violation,
        needs_clean_pass,
    )
    from ibpc.bounds.python_source import write_source
    from ibpc.bounds.weights import Weights

_HOMES = {
    "Choice": "crown_alpha",
    "Crown": "crown",
    "CrownInTraining": "crown_training",
    "CrownProblem": "crown",
    "CrownResult": "crown",
    "Descent": "crown_alpha",
    "Refining": "crown_forward",
    "Step": "crown_plan",
    "Weights": "weights",
    "agree": "agreement",
    "lower_forward": "programs",
    "lower_interval": "programs",
    "lower_rows": "programs",
    "lower_training": "programs",
    "lower_values": "programs",
    "lower_violation": "programs",
    "needs_clean_pass": "programs",
    "roundoff_of": "checked",
    "run_checked": "checked",
    "value_bounds": "checked",
    "write_source": "python_source",
}

__all__ = [
    "Choice",
    "Crown",
    "CrownInTraining",
    "CrownProblem",
    "CrownResult",
    "Descent",
    "Refining",
    "Step",
    "Weights",
    "agree",
    "lower_forward",
    "lower_interval",
    "lower_rows",
    "lower_training",
    "lower_values",
    "lower_violation",
    "needs_clean_pass",
    "roundoff_of",
    "run_checked",
    "value_bounds",
    "write_source",
]


def __getattr__(name: str) -> Any:
    """Loads torch only when a bound is asked for."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"ibpc.bounds.{_HOMES[name]}"), name)
