"""Softmax becomes affine maps, exponentials and a reciprocal, each of which has linear bounds.

    softmax(x)_i  =  1 / (1 + sum over j != i of exp(x_j - x_i))

Differences are rows of one constant matrix, sums those of another. As intervals the nodes give the
same bounds as Softmax's own rule: a share rises in its own entry and falls in every other one.
Source: Bonaert et al. 2021, "Fast and precise certification of transformers" (the
form of the softmax over differences).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibpc.graph import NodeWriter
from ibpc.passes.infer_shapes import infer_shapes
from ibpc.passes.rewriting import rewritten

if TYPE_CHECKING:
    from ibpc.graph import Graph, Node

MOST = 64
"""Longer axes are left alone: the differences would be too many."""


def open_softmax(graph: Graph) -> Graph:
    """The graph with every Softmax over a short axis written out."""
    if not any(node.op == "Softmax" for node in graph.nodes):
        return graph
    shapes = infer_shapes(graph)

    def opened(node: Node, to: NodeWriter) -> None:
        if node.op != "Softmax":
            return
        shape = shapes[node.inputs[0]]
        axis = node.attributes.get("axis", -1) % len(shape)
        if not 2 <= shape[axis] <= MOST or axis == 0:
            return
        order = [place for place in range(len(shape)) if place != axis] + [axis]
        last = axis == len(shape) - 1
        value = node.inputs[0] if last else to.apply("Transpose", node.inputs[0], perm=tuple(order))
        differences, sums = _matrices(shape[axis])
        apart = to.apply("MatMul", value, to.constant("differences", differences))
        others = to.apply("MatMul", to.apply("Exp", apart), to.constant("sums", sums))
        value = to.apply("Reciprocal", to.apply("Add", others, to.constant("own", 1.0)))
        if not last:
            to.apply("Transpose", value, perm=tuple(int(place) for place in np.argsort(order)))

    return rewritten(graph, opened)


def _matrices(count: int) -> tuple[np.ndarray, np.ndarray]:
    """From x to all x_j - x_i, and from their exponentials to the sums over j.

    Shapes: (count, count (count - 1)), (count (count - 1), count).
    """
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    differences = np.zeros((count, len(pairs)))
    sums = np.zeros((len(pairs), count))
    for place, (i, j) in enumerate(pairs):
        differences[j, place], differences[i, place] = 1.0, -1.0
        sums[place, i] = 1.0
    return differences, sums
