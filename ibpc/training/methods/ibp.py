"""Interval bound propagation, with the last layer elided unless the recipe says otherwise.

Source: Gowal et al. 2019, Eq. 6 and 7 (propagation), Eq. 9 (elision).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.graph import Graph
    from ibpc.language import Claim


def attach(graph: Graph, claim: Claim, arguments: Mapping[str, Any]) -> Graph:
    """The graph with the claim at its end; elided, its last affine layers are one product C W."""
    from ibpc.claims import append_claim
    from ibpc.passes import elide

    claimed = append_claim(graph, claim)
    return elide(claimed) if arguments.get("elide", True) else claimed


BOUND = Bound(
    word="ibp",
    slots=(Slot("elide", "bool", default=True, doc="fuse the claim with the last layer (Eq. 9)"),),
    doc="interval bound propagation",
    source="Gowal et al. 2019, Eq. 6, 7, 9",
    attach=attach,
)
