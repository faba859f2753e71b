"""Nodes whose operands are all constant are computed once, now.

The values are those of `onnx.reference`, the standard's own evaluator: types are kept, and
operators that ibpc has no record for (shape arithmetic of exporters) are folded too.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.graph import OPSET, SHAPES, mistake

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Graph, Node

MAX_ENTRIES = 2**26
"""Larger results stay computed: folding must not blow a small file up."""

_RANDOM = ("Random", "Bernoulli", "Multinomial", "Dropout")


def fold_constants(graph: Graph) -> Graph:
    """The graph with constants in the place of nodes that only read constants."""
    constants: dict[str, np.ndarray] = dict(graph.constants)
    kept: list[Node] = []
    for node in graph.nodes:
        operands = {value: constants.get(value) for value in node.inputs if value}
        known = {value: array for value, array in operands.items() if array is not None}
        if len(known) < len(operands) or not _foldable(node, known):
            kept.append(node)
            continue
        constants.update(zip(node.outputs, _evaluate(graph, node, known), strict=True))
    if len(kept) == len(graph.nodes):
        return graph
    return graph.replace(nodes=tuple(kept), constants=constants)


def _foldable(node: Node, operands: dict[str, np.ndarray]) -> bool:
    """Whether a node is an ONNX function of its operands, with results of a reasonable size."""
    if not operands or "." in node.op or node.op.startswith(_RANDOM):
        return False
    sizes = [_size(value.type.tensor_type) for value in _inferred(node, operands)]
    return len(sizes) == len(node.outputs) and max(sizes) <= MAX_ENTRIES


def _inferred(node: Node, operands: dict[str, np.ndarray]) -> list[Any]:
    """What onnx's shape inference says of the node's outputs, if it can say anything."""
    import onnx

    message = onnx.helper.make_graph(
        [_as_onnx(node)],
        "node",
        [],
        [onnx.helper.make_empty_tensor_value_info(name) for name in node.outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in operands.items()],
    )
    model = onnx.helper.make_model(message, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
    try:
        return list(onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return []


def _size(kind: Any) -> float:
    """The number of entries of an inferred type; infinite where an extent is open."""
    if not kind.HasField("shape"):
        return float("inf")
    extents = [
        axis.dim_value if axis.HasField("dim_value") else float("inf") for axis in kind.shape.dim
    ]
    return float(prod(extents))


def _evaluate(graph: Graph, node: Node, operands: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The node's outputs."""
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    try:
        evaluator = ReferenceEvaluator(_as_onnx(node), opsets={"": OPSET})
        return [np.asarray(array) for array in evaluator.run(None, operands)]
    except Exception as error:  # the evaluator's operators raise whatever numpy raises
        problem = f"node `{node.name}` ({node.op}) has constant operands and cannot be computed"
        note = " ".join(str(error).split())[:200]
        raise mistake(SHAPES, graph.name, problem, notes=(note,)) from error


def _as_onnx(node: Node) -> Any:
    import numpy as np
    import onnx

    attributes = {
        key: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for key, value in node.attributes.items()
    }
    return onnx.helper.make_node(node.op, node.inputs, node.outputs, node.name, **attributes)
