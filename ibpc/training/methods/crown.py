"""CROWN: the claim's rows carried backward over relaxations that interval bounds shape.

With `inner = interval` this is the backward pass of CROWN-IBP, whose loss is

    bound = beta * crown + (1 - beta) * ibp,     beta from 1 to 0 while eps grows

With `inner = crown` every hidden bound is CROWN's own, in a pass for each layer: for small
networks. `fused = true` bounds the cross-entropy as a whole by one row instead of one for each
class; see `ibpc.bounds.crown_training`. The verified error that training reports is then an upper
bound.

Source: Zhang et al. 2020, arXiv:1906.06316 (CROWN-IBP and the mix with beta); Xu et al. 2020,
arXiv:2002.12920 (loss fusion). Slopes are differentiated like all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.graph import Graph
    from ibpc.language import Claim


def attach(graph: Graph, claim: Claim, _: Mapping[str, Any]) -> Graph:
    """The graph with the claim at its end: going backward, the last layer is elided anyway."""
    from ibpc.claims import append_claim

    return append_claim(graph, claim)


def lower(graph: Graph, weights: Any, arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """(lower, upper, label) -> upper bounds of the rows, or of the fused one."""
    from ibpc.bounds import CrownInTraining

    crown = CrownInTraining(graph, weights, own_inner=arguments.get("inner") == "crown")
    return crown.fused if arguments.get("fused", False) else crown.rows


BOUND = Bound(
    word="crown",
    slots=(
        Slot(
            "inner",
            "word",
            default="interval",
            choices=("interval", "crown"),
            doc="what bounds the hidden units",
        ),
        Slot("fused", "bool", default=False, doc="bound the cross-entropy by a single row"),
    ),
    doc="CROWN's backward bounds over interval bounds (CROWN-IBP)",
    source="Zhang et al. 2020, arXiv:1906.06316; Xu et al. 2020, arXiv:2002.12920",
    attach=attach,
    lower=lower,
)
