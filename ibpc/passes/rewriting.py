"""Writing several nodes in the place of one, all over a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibpc.graph import NodeWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.graph import Graph, Node


def rewritten(graph: Graph, rule: Callable[[Node, NodeWriter], None]) -> Graph:
    """The graph with the nodes that a rule writes in the place of each; where none, the node stays.

    New constants have the format of the graph's weights.
    """
    constants = dict(graph.constants)
    taken = {*graph.inputs, *constants, *graph.producer, *(node.name for node in graph.nodes)}
    element = _element(constants)
    nodes: list[Node] = []
    for node in graph.nodes:
        to = NodeWriter(node, constants, taken, element)
        rule(node, to)
        nodes += to.finish() if to.nodes else [node]
    if len(nodes) == len(graph.nodes):
        return graph
    return graph.replace(nodes=tuple(nodes), constants=constants)


def _element(constants: dict[str, np.ndarray]) -> np.dtype:
    """The format of the widest float constants; float32 where there are none."""
    floats = [value.dtype for value in constants.values() if value.dtype.kind == "f"]
    return max(floats, key=lambda kind: kind.itemsize, default=np.dtype(np.float32))
