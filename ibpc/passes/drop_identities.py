"""Nodes that pass their operand on unchanged are taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.passes.bypass import bypass
from ibpc.passes.infer_shapes import sites

if TYPE_CHECKING:
    from ibpc.graph import Graph
    from ibpc.ops import Site

_KEEP_ORDER = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")


def drop_identities(graph: Graph) -> Graph:
    """The graph without Identity, and without re-arrangements that re-arrange nothing.

    These are Flatten and Reshape to the operand's own shape, Transpose to its own order, Concat of
    one operand, and Pad by nothing.
    """
    facts = sites(graph)
    return bypass(graph, [node for node in graph.nodes if _passes_on(facts[node.name])])


def _passes_on(site: Site) -> bool:
    """Whether the node's result is its first operand, entry by entry."""
    if len(site.out_shapes) != 1 or not site.varies(0) or site.out_shapes[0] != site.shapes[0]:
        return False
    if site.op == "Transpose":
        order = site.attribute("perm", tuple(reversed(range(len(site.out_shapes[0])))))
        return tuple(order) == tuple(range(len(order)))
    if site.op == "Concat":
        return len(site.shapes) == 1
    if site.op == "Pad":
        return site.values[1] is not None and not site.values[1].any()
    return site.op == "Identity" or site.op in _KEEP_ORDER
