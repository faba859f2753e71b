"""Dropout is the identity outside of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import RANDOM, mistake
from ibpc.passes.bypass import bypass

if TYPE_CHECKING:
    from ibpc.graph import Graph, Node


def drop_dropout(graph: Graph) -> Graph:
    """The graph without Dropout nodes.

    Raises: ModelMistake (E0815) for a Dropout that stays random when the network is evaluated, or
    whose mask is read.
    """
    chosen = [node for node in graph.nodes if node.op == "Dropout"]
    for node in chosen:
        _check(graph, node)
    return bypass(graph, chosen)


def _check(graph: Graph, node: Node) -> None:
    """The node computes its operand, and nothing else of it is used."""
    switch = node.inputs[2] if len(node.inputs) > 2 else ""
    if switch and (switch not in graph.constants or graph.constants[switch].any()):
        problem = f"node `{node.name}` (Dropout) drops entries at random in evaluation, too"
        raise mistake(RANDOM, graph.name, problem, "export the network in evaluation mode")
    for mask in node.outputs[1:]:
        if mask in graph.consumers or mask in graph.outputs:
            problem = f"node `{node.name}` (Dropout): its mask `{mask}` is used"
            raise mistake(RANDOM, graph.name, problem, "export the network in evaluation mode")
