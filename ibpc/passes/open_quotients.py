"""A quotient of two values becomes the product of one with the reciprocal of the other.

Both are bounded by lines: the reciprocal by tangents and chords, the product about its centre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import NodeWriter
from ibpc.passes.rewriting import rewritten

if TYPE_CHECKING:
    from ibpc.graph import Graph, Node


def open_quotients(graph: Graph) -> Graph:
    """The graph with a / b as a (1 / b) wherever b depends on the input."""

    def opened(node: Node, to: NodeWriter) -> None:
        if node.op == "Div" and node.inputs[1] not in graph.constants:
            left, right = node.inputs
            to.apply("Mul", left, to.apply("Reciprocal", right))

    return rewritten(graph, opened)
