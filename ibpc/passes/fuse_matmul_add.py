"""A MatMul by constant weights and the Add of a constant bias become one Gemm.

Exporters of dense layers write both forms; one form means one rule, one layer in tables, and one
pass over the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import Node
from ibpc.passes.infer_shapes import infer_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.graph import Graph, Shape


def fuse_matmul_add(graph: Graph) -> Graph:
    """The graph with (x W) + b as Gemm(x, W, b), where nobody else reads x W.

    Needs: x (batch, n) varying, W (n, m) and b (m,) constant.
    """
    shapes = infer_shapes(graph)
    fused: dict[str, Node] = {}  # name of an Add -> the Gemm in its place
    gone: set[str] = set()
    for node in graph.nodes:
        found = _product_and_bias(graph, node, shapes)
        if found is None:
            continue
        product, bias = found
        fused[node.name] = Node(product.name, "Gemm", (*product.inputs, bias), node.outputs)
        gone.add(product.name)
    if not fused:
        return graph
    nodes = tuple(fused.get(node.name, node) for node in graph.nodes if node.name not in gone)
    return graph.replace(nodes=nodes)


def _product_and_bias(
    graph: Graph, node: Node, shapes: Mapping[str, Shape]
) -> tuple[Node, str] | None:
    """The MatMul and the constant that an Add adds to it."""
    if node.op != "Add":
        return None
    for value, bias in (node.inputs, node.inputs[::-1]):
        product = graph.producer.get(value)
        if product is None or not _is_layer(graph, product, shapes):
            continue
        alone = len(graph.consumers[value]) == 1 and value not in graph.outputs
        if alone and bias in graph.constants and shapes[bias] == shapes[value][1:]:
            return product, bias
    return None


def _is_layer(graph: Graph, product: Node, shapes: Mapping[str, Shape]) -> bool:
    """Whether a node multiplies a varying (batch, n) by a constant (n, m)."""
    if product.op != "MatMul":
        return False
    x, weight = product.inputs
    ranks = (len(shapes[x]), len(shapes[weight]))
    return ranks == (2, 2) and weight in graph.constants and x not in graph.constants
