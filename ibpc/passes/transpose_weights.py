"""Every Gemm keeps its constant weights as (outputs, inputs), one row an output.

Exporters store dense layers both ways round. One way means that rows of a layer are rows in memory,
which sparse matrices need: a transposed one is in another format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibpc.graph import Node, fresh_name

if TYPE_CHECKING:
    from ibpc.graph import Graph


def transpose_weights(graph: Graph) -> Graph:
    """The graph with Gemm(x, W, transB=0) as Gemm(x, W', transB=1), where W is constant."""
    constants = dict(graph.constants)
    taken = {*graph.inputs, *graph.constants, *graph.producer}
    turned: dict[str, Node] = {}
    for node in graph.nodes:
        if node.op != "Gemm" or node.attributes.get("transB", 0):
            continue
        weight = graph.constants.get(node.inputs[1])
        if weight is None:
            continue
        name = fresh_name(f"{node.inputs[1]}.transposed", taken)
        taken.add(name)
        constants[name] = np.ascontiguousarray(weight.T)
        operands = (node.inputs[0], name, *node.inputs[2:])
        attributes = {**node.attributes, "transB": 1}
        turned[node.name] = Node(node.name, node.op, operands, node.outputs, attributes)
    if not turned:
        return graph
    nodes = tuple(turned.get(node.name, node) for node in graph.nodes)
    used = {name for node in nodes for name in node.inputs}
    kept = {name: value for name, value in constants.items() if name in used}
    return graph.replace(nodes=nodes, constants=kept)
