"""Linear claims as one more node of the graph, and as numbers.

The sign, everywhere: `violation = C z + d`; a claim holds when violation <= 0 (or < 0, where the
row is strict) on the whole input set. So sampled maximum <= exact maximum <= every upper bound.

Source: Gowal et al. 2019, Eq. 2 (linear claims, written there with <) and Eq. 3 (argmax, <=).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibpc.claims.append import MANY_CLASSES, append_claim, claim_node, label_name, logits_name
    from ibpc.claims.rows import claim_rows, other_classes

__all__ = [
    "MANY_CLASSES",
    "append_claim",
    "claim_node",
    "claim_rows",
    "label_name",
    "logits_name",
    "other_classes",
]


def __getattr__(name: str) -> Any:
    """Loads numpy only when asked for numbers."""
    if name not in __all__:
        raise AttributeError(name)
    from ibpc.claims import append, rows

    return getattr(append if hasattr(append, name) else rows, name)
