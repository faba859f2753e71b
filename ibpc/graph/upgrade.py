"""Older and newer forms of ONNX operators brought to opset 17, the one form the IR knows.

What was an attribute once and is an operand now (Clip's bounds, Pad's pads, ...) becomes a
constant operand; what is an operand only after opset 17 (axes of reductions) becomes an attribute
again. Operators that changed their meaning without a name for it are refused.

Source: the "Version" tables of https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph.ir import Graph, Node, fresh_name
from ibpc.graph.mistakes import OLD_FORM, mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

OPSET = 17
OLDEST, NEWEST = 8, 21

_BECAME_OPERANDS: Mapping[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "Clip": (11, (("min", "float"), ("max", "float"))),
    "Pad": (11, (("pads", "int"), ("value", "float"))),
    "Dropout": (12, (("ratio", "float"),)),
    "Slice": (10, (("starts", "int"), ("ends", "int"), ("axes", "int"))),
    "TopK": (10, (("k", "int"),)),
    "Squeeze": (13, (("axes", "int"),)),
    "Unsqueeze": (13, (("axes", "int"),)),
    "Split": (13, (("split", "int"),)),
    "ReduceSum": (13, (("axes", "int"),)),
}
"""op: (first opset with operands, (attribute, element) in the operands' order)."""

_AXES_AFTER_17 = frozenset({"ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin"})
_FLATTENED_BEFORE_13 = frozenset({"Softmax", "LogSoftmax", "Hardmax"})
_EXPORT = "export the network again with opset 17"


def upgrade(graph: Graph, opset: int, element: np.dtype[Any], origin: str) -> Graph:
    """The graph with every node in its opset-17 form.

    `element`: the type of constants that are made of float attributes. `origin`: the file's name.
    Raises: ModelMistake for a node whose form cannot be expressed.
    """
    constants = dict(graph.constants)
    taken = {*constants, *graph.inputs, *graph.producer}
    nodes = []
    for node in graph.nodes:
        changed = _to_operands(node, opset, element, constants, taken)
        changed = _to_attributes(changed, opset, graph.constants, origin)
        _check_softmax(changed, opset, origin)
        nodes.append(changed)
    if all(new is old for new, old in zip(nodes, graph.nodes, strict=True)):
        return graph
    return graph.replace(nodes=tuple(nodes), constants=constants)


def _to_operands(
    node: Node,
    opset: int,
    element: np.dtype[Any],
    constants: dict[str, np.ndarray],
    taken: set[str],
) -> Node:
    """Attributes that became operands, moved."""
    import numpy as np

    since, moved = _BECAME_OPERANDS.get(node.op, (0, ()))
    if opset >= since or len(node.inputs) > 1:
        return node
    operands = list(node.inputs)
    for attribute, kind in moved:
        value = node.attributes.get(attribute)
        if value is None:
            operands.append("")
            continue
        name = fresh_name(f"{node.name}.{attribute}", taken)
        taken.add(name)
        constants[name] = np.array(value, dtype=element if kind == "float" else np.int64)
        operands.append(name)
    while operands[-1] == "" and len(operands) > 1:
        operands.pop()
    names = {attribute for attribute, _ in moved}
    kept = {key: value for key, value in node.attributes.items() if key not in names}
    return Node(node.name, node.op, tuple(operands), node.outputs, kept)


def _to_attributes(
    node: Node, opset: int, constants: Mapping[str, np.ndarray], origin: str
) -> Node:
    """Axes of reductions, which opset 18 made operands, as attributes."""
    if opset <= OPSET or node.op not in _AXES_AFTER_17 or len(node.inputs) < 2:
        return node
    axes = constants.get(node.inputs[1])
    if axes is None or node.attributes.get("noop_with_empty_axes", 0):
        problem = f"node `{node.name}` ({node.op}) computes the axes that it reduces"
        raise mistake(OLD_FORM, origin, problem, _EXPORT)
    kept = {key: value for key, value in node.attributes.items() if key != "noop_with_empty_axes"}
    kept["axes"] = tuple(int(axis) for axis in axes)
    return Node(node.name, node.op, node.inputs[:1], node.outputs, kept)


def _check_softmax(node: Node, opset: int, origin: str) -> None:
    """Before opset 13 the axis meant "flatten from here on"; only the last axis is the same."""
    if opset < 13 and node.op in _FLATTENED_BEFORE_13 and node.attributes.get("axis", 1) != -1:
        problem = f"opset 13 changed what node `{node.name}` ({node.op}, opset {opset}) means"
        raise mistake(OLD_FORM, origin, problem, _EXPORT)
