"""Elision of the last layer: fuse a claim with the affine layer that it reads (Eq. 9).

    C z + d  with  z = W h + b   becomes   (C W) h + (C b + d)

That is affine-affine fusion at the claim's tail. W and b stay operands, so that training keeps
updating them; the layer itself stays in the graph as output 1, because the clean pass wants its
logits (where nobody asks for them, lowering leaves the layer out).

Source: Gowal et al. 2019, section 3, Eq. 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibpc.claims import claim_node, logits_name
from ibpc.graph import Graph, Node

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class _Tail:
    """z = W h + b: value h, constants weight and bias ("" where absent), W stored as W or W'."""

    hidden: str
    weight: str
    bias: str
    stored_as_w: bool


def elide(graph: Graph) -> Graph:
    """The graph with claim and last affine layer fused into one "ibpc.ElidedRows".

    Needs: a graph from `append_claim`.  Gives: the same object where the claim does not read an
    affine layer with constant weights (Gemm, or a MatMul without bias).
    """
    claim = claim_node(graph)
    tail = None if claim.op == "ibpc.ElidedRows" else _affine_tail(graph, claim.inputs[0])
    if tail is None:
        return graph
    operands = (tail.hidden, claim.inputs[1], tail.weight, tail.bias, *claim.inputs[2:])
    attributes = {"transB": int(tail.stored_as_w)}
    fused = Node(claim.name, "ibpc.ElidedRows", operands, claim.outputs, attributes)
    nodes = tuple(fused if node is claim else node for node in graph.nodes)
    return graph.replace(nodes=nodes, outputs=(graph.outputs[0], logits_name(graph)))


def _affine_tail(graph: Graph, logits: str) -> _Tail | None:
    """The affine layer that computes `logits`, if it is one that fuses."""
    node = graph.producer.get(logits)
    if node is None:
        return None
    if node.op == "Gemm":
        return _gemm_tail(graph, node)
    return _matmul_tail(graph, node) if node.op == "MatMul" else None


def _gemm_tail(graph: Graph, node: Node) -> _Tail | None:
    """Gemm with a variable left operand and plain factors."""
    factors = [node.attributes.get(name, 1.0) for name in ("alpha", "beta")]
    hidden, weight = node.inputs[:2]
    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    if factors != [1.0, 1.0] or node.attributes.get("transA", 0):
        return None
    if not _is_matrix(graph, weight) or hidden in graph.constants:
        return None
    stored_as_w = bool(node.attributes.get("transB", 0))
    outputs = graph.constants[weight].shape[0 if stored_as_w else 1]
    if bias and not _is_bias(graph.constants.get(bias), outputs):
        return None
    return _Tail(hidden, weight, bias, stored_as_w)


def _matmul_tail(graph: Graph, node: Node) -> _Tail | None:
    """MatMul of a variable (batch, n) with a constant (n, m)."""
    hidden, weight = node.inputs
    if hidden in graph.constants or not _is_matrix(graph, weight):
        return None
    return _Tail(hidden, weight, "", stored_as_w=False)


def _is_matrix(graph: Graph, name: str) -> bool:
    """Whether a value is a constant with two axes."""
    return name in graph.constants and graph.constants[name].ndim == 2


def _is_bias(array: np.ndarray | None, outputs: int) -> bool:
    """Whether a constant is a vector with one entry per output."""
    return array is not None and array.shape == (outputs,)
