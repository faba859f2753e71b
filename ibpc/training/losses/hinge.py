"""The hinge loss on the rows' upper bounds: the ablation of the verified loss.

Source: the ablation of Gowal et al. 2019 (section 4.1 names it, appendix C holds it), in the form
of the authors' public code: mean of max(m, -10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Loss
from ibpc.training.rows import ROW_SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping


def over_violation(violation: Any, _: Any, arguments: Mapping[str, Any]) -> Any:
    """Mean of max(m, -margin) over rows and examples.

    Shapes: violation (batch, rows), upper bounds of C z + d; the result is a scalar.
    """
    return violation.clamp(min=-float(arguments.get("margin", 10.0))).mean()


LOSS = Loss(
    word="hinge",
    slots=(
        Slot("margin", "real", default=10, low=0, doc="a row this far below 0 costs nothing"),
        *ROW_SLOTS,
    ),
    doc="mean of max(m, -margin) over the rows' upper bounds m",
    source="Gowal et al. 2019, ablation; deepmind/interval-bound-propagation",
    forms={"violation": over_violation},
)
