"""Nodes and constants that no output depends on are taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibpc.graph import Graph


def drop_dead(graph: Graph) -> Graph:
    """The graph with what its outputs need, and all its inputs (they are its interface)."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    constants = {name: array for name, array in graph.constants.items() if name in needed}
    if len(kept) == len(graph.nodes) and len(constants) == len(graph.constants):
        return graph
    return graph.replace(nodes=tuple(reversed(kept)), constants=constants)
