"""Linear claims as one more node of the graph, and as numbers.

A claim that is no conjunction groups its rows into clauses, of which at least one row must hold:
its violation is the largest over clauses of the smallest over their rows. Rows may read the
network's input behind its output.

The sign, everywhere: `violation = C z + d`; a claim holds when violation <= 0 (or < 0, where the
row is strict) on the whole input set. So sampled maximum <= exact maximum <= every upper bound.

Source: Gowal et al. 2019, Eq. 2 (linear claims, written there with <) and Eq. 3 (argmax, <=).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibpc.claims.append import MANY_CLASSES, append_claim, claim_node, label_name, logits_name
    from ibpc.claims.rows import claim_rows, clause_table, other_classes, width

__all__ = [
    "MANY_CLASSES",
    "append_claim",
    "claim_node",
    "claim_rows",
    "clause_table",
    "label_name",
    "logits_name",
    "other_classes",
    "width",
]


def __getattr__(name: str) -> Any:
    """Loads numpy only when asked for numbers."""
    if name not in __all__:
        raise AttributeError(name)
    from ibpc.claims import append, rows

    return getattr(append if hasattr(append, name) else rows, name)
