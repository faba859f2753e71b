"""Older and newer forms of ONNX operators brought to opset 17, the one form the IR knows.

What was an attribute once and is an operand now (Clip's bounds, Pad's pads, ...) becomes a
constant operand; what is an operand only after opset 17 (axes of reductions) becomes an attribute
again. Operators that changed their meaning or went away (Softmax, Upsample) become what says the
same today, and functions of other operators are written out. What has no such form is refused.

Source: the "Version" tables of https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ibpc.graph.composed import composed
from ibpc.graph.ir import Graph, Node, fresh_name
from ibpc.graph.mistakes import OLD_FORM, mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

OPSET = 17
OLDEST, NEWEST = 7, 21

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
        changed = _to_today(changed, opset, constants, taken, origin)
        nodes += (
            _softmax(changed, opset, taken)
            or composed(changed, constants, taken, element, origin)
            or [changed]
        )
    if len(nodes) == len(graph.nodes) and all(map(operator.is_, nodes, graph.nodes)):
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


def _to_today(
    node: Node, opset: int, constants: dict[str, np.ndarray], taken: set[str], origin: str
) -> Node:
    """Nodes whose form or name changed in ways of their own."""
    attributes = dict(node.attributes)
    if node.op == "BatchNormalization" and not attributes.pop("spatial", 1):
        problem = f"node `{node.name}` (BatchNormalization) has statistics for every position"
        raise mistake(OLD_FORM, origin, problem, _EXPORT)
    if node.op == "Split" and len(node.inputs) < 2:
        attributes.setdefault("num_outputs", len(node.outputs))
    if node.op == "Pad" and len(node.inputs) > 3:
        problem = f"node `{node.name}` (Pad) names the axes that it pads"
        raise mistake(OLD_FORM, origin, problem, _EXPORT)
    if node.op == "Upsample" or (node.op == "Resize" and opset < 11):
        return _resize(node, attributes, constants, taken)
    if attributes == dict(node.attributes):
        return node
    return Node(node.name, node.op, node.inputs, node.outputs, attributes)


def _resize(
    node: Node,
    attributes: dict[str, Any],
    constants: dict[str, np.ndarray],
    taken: set[str],
) -> Node:
    """Upsample, and Resize before opset 11, as Resize: coordinates were cut down to whole ones."""
    import numpy as np

    inputs = node.inputs
    if "scales" in attributes:  # Upsample-7
        name = fresh_name(f"{node.name}.scales", taken)
        taken.add(name)
        constants[name] = np.array(attributes.pop("scales"), dtype=np.float32)
        inputs = (inputs[0], name)
    kept = {
        "mode": attributes.get("mode", "nearest"),
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    return Node(node.name, "Resize", (inputs[0], "", *inputs[1:]), node.outputs, kept)


def _softmax(node: Node, opset: int, taken: set[str]) -> list[Node]:
    """Softmax before opset 13, over all axes from `axis` on: of rows, put back into shape.

    Empty where the node is none, or means the last axis alone.
    """
    axis = node.attributes.get("axis", 1)
    if opset >= 13 or node.op not in _FLATTENED_BEFORE_13 or axis == -1:
        return []
    rows, shares, shape = (
        fresh_name(f"{node.name}.{part}", taken) for part in ("rows", "shares", "shape")
    )
    taken.update((rows, shares, shape))
    (value,), (result,) = node.inputs, node.outputs
    return [
        Node(shape, "Shape", (value,), (shape,)),
        Node(rows, "Flatten", (value,), (rows,), {"axis": axis}),
        Node(shares, node.op, (rows,), (shares,), {"axis": -1}),
        Node(node.name, "Reshape", (shares, shape), (result,)),
    ]
