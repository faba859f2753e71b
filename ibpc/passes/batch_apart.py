"""The batch axis set apart: networks that were exported without one, or that move it about.

A file may say (12, 8) where we need (1, 12, 8), or turn (1, 118) into (118, 1) and back. Here every
value of the file is one value of the IR with the same numbers in row-major order: of the file's own
shape where that starts with the batch axis and the operator leaves it alone, else with an axis of
extent 1 put in front ("lifted"). Between the two forms stands a Reshape that moves no number, so
flat indices of inputs and outputs stay those of the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import IbpcError
from ibpc.graph import BATCH_AXIS, Node, mistake
from ibpc.ops import ShapeMistake, Site, Unsupported, operator
from ibpc.passes.apart import Apart
from ibpc.passes.infer_shapes import infer_shapes, own_shapes
from ibpc.passes.lifted import LIFTED

if TYPE_CHECKING:
    from ibpc.graph import Graph, Shape


def batch_apart(graph: Graph) -> Graph:
    """The graph with axis 0 of every varying value as the batch axis.

    Raises: ModelMistake (E0812) with the node that truly mixes the examples of a batch; as
    `infer_shapes` where operands do not fit or an operator is unknown.
    """
    try:
        infer_shapes(graph)
    except IbpcError:
        return _rewritten(graph)
    return graph


def _rewritten(graph: Graph) -> Graph:
    """The graph with every node as it is or lifted, first to last."""
    state = Apart(graph)
    for node in graph.nodes:
        found = own_shapes(graph, node, state.own)
        if any(state.varies(value) for value in node.inputs):
            _rewrite(state, node, found)
        else:
            state.nodes.append(node)
        state.own.update(zip(node.outputs, found, strict=True))
    for value in graph.outputs:
        _settle(state, value)
    return graph.replace(nodes=tuple(state.nodes), constants=state.constants)


def _rewrite(state: Apart, node: Node, found: tuple[Shape, ...]) -> None:
    """A node with varying operands: as it is where its rule allows that, else lifted."""
    why = _why_not(state, node, found)
    if not why:
        inputs = tuple(
            state.view(value, state.own[value]) if state.varies(value) else value
            for value in node.inputs
        )
        state.emit(Node(node.name, node.op, inputs, node.outputs, node.attributes), *found)
        return
    rule = LIFTED.get(node.op)
    if rule is None or not rule(state, node, found):
        problem = f"node `{node.name}` ({node.op}): {why}"
        fix = "export the network with one batch axis in front, of size 1 or open"
        raise mistake(BATCH_AXIS, state.graph.name, problem, fix)


def _why_not(state: Apart, node: Node, found: tuple[Shape, ...]) -> str:
    """Why a node cannot stay as it is; empty where it can."""
    for value in node.inputs:
        if state.varies(value) and state.own[value][:1] != (1,):
            return f"axis 0 of `{value}`, shape {list(state.own[value])}, is no batch axis"
    values = tuple(state.graph.constants.get(value) for value in node.inputs)
    shapes = tuple(state.own[value] if value else None for value in node.inputs)
    try:
        kept = operator(node.op).shape(Site(node.name, node.op, node.attributes, shapes, values))
    except Unsupported as reason:
        return reason.why
    except ShapeMistake as wrong:
        return wrong.problem
    if any(shape[:1] != (1,) for shape in kept[: len(found)]):
        return "it takes the batch axis (axis 0) away"
    return ""


def _settle(state: Apart, value: str) -> None:
    """A lifted output whose own first axis can be the batch axis gets its own shape back."""
    own = state.own[value]
    if not state.varies(value) or own[:1] != (1,) or state.now[value] == own:
        return
    inner = state.fresh(f"{value}.lifted")
    state.nodes = [_renamed(node, value, inner) for node in state.nodes]
    state.now[inner] = state.now[value]
    state.emit(state.reshaped(state.fresh(f"{value}.own"), inner, value, own), own)


def _renamed(node: Node, old: str, new: str) -> Node:
    """The node with one value under another name."""
    if old not in node.inputs and old not in node.outputs:
        return node
    inputs, outputs = (
        tuple(new if value == old else value for value in values)
        for values in (node.inputs, node.outputs)
    )
    return Node(node.name, node.op, inputs, outputs, node.attributes)
