"""Batch size 1, hard-coded in a Reshape by an exporter, is made free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import Node, fresh_name
from ibpc.passes.infer_shapes import sites

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Graph
    from ibpc.ops import Site


def free_batch(graph: Graph) -> Graph:
    """The graph with Reshape targets `[1, ...]` as `[0, ...]`: axis 0 as the operand has it.

    Axis 0 of every varying value is the batch axis, so the leading 1 can mean nothing else.
    """
    facts = sites(graph)
    constants = dict(graph.constants)
    nodes = []
    for node in graph.nodes:
        target = _hard_coded(facts[node.name])
        if target is None:
            nodes.append(node)
            continue
        name = fresh_name(node.inputs[1], {*constants, *graph.producer, *graph.inputs})
        constants[name] = target.copy()
        constants[name][0] = 0
        inputs = (node.inputs[0], name)
        nodes.append(Node(node.name, node.op, inputs, node.outputs, node.attributes))
    if len(constants) == len(graph.constants):
        return graph
    return graph.replace(nodes=tuple(nodes), constants=constants)


def _hard_coded(site: Site) -> np.ndarray | None:
    """The target shape of a Reshape that says 1 for the batch."""
    if site.op != "Reshape" or not site.varies(0) or site.attribute("allowzero", 0):
        return None
    target: np.ndarray | None = site.values[1]
    return target if target is not None and target.size and int(target[0]) == 1 else None
