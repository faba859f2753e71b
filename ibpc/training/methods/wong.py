"""The convex outer adversarial polytope of Wong and Kolter, as a training bound.

Their dual bound, with the dual variable of every open unit fixed at upper / (upper - lower), is
CROWN with both lines of an open ReLU parallel to its chord, hidden bounds by the same method.

Source: Wong and Kolter 2018, arXiv:1711.00851 (the dual network); Wong et al. 2018,
arXiv:1805.12514 (random projections). That the two are one bound: Salman et al. 2019,
arXiv:1902.08722. We differ: of a hidden unit's dual and interval bounds the better one is kept; the
norms are exact, without the random projections of Wong et al. 2018, so that time and memory grow
with the square of a layer's width: for small networks alone; and other nonlinear operators than
ReLU are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.training.records import Bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.graph import Graph
    from ibpc.language import Claim


def attach(graph: Graph, claim: Claim, _: Mapping[str, Any]) -> Graph:
    """The graph with the claim at its end."""
    from ibpc.claims import append_claim

    return append_claim(graph, claim)


def lower(graph: Graph, weights: Any, _: Mapping[str, Any]) -> Callable[..., Any]:
    """(lower, upper, label) -> upper bounds of the rows."""
    from ibpc.bounds import CrownInTraining

    return CrownInTraining(graph, weights, own_inner=True, parallel=True).rows


BOUND = Bound(
    word="wong",
    slots=(),
    doc="the convex outer adversarial polytope, without random projections (small networks)",
    source="Wong and Kolter 2018, arXiv:1711.00851",
    attach=attach,
    lower=lower,
)
