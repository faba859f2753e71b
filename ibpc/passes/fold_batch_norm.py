"""BatchNormalization with its running statistics is an affine map; it joins the layer before it.

    y = a x + b,  a = scale / sqrt(var + epsilon),  b = bias - a mean     (per channel)

After a convolution or Gemm, a and b go into its weights; elsewhere they become Mul and Add.
For evaluation only: training takes the statistics from each batch.

The new constants are float64, so that folding loses nothing that a float64 proof could notice
(its roundoff terms cover the last bits); writing the graph to ONNX rounds them to float32.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (inference with fixed statistics).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibpc.graph import BAD_TENSOR, Node, fresh_name, mistake
from ibpc.passes.infer_shapes import infer_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.graph import Graph, Shape


@dataclass(frozen=True)
class _Affine:
    """The map of one node: factor a and shift b, one entry per channel."""

    factor: np.ndarray
    shift: np.ndarray


def fold_batch_norm(graph: Graph) -> Graph:
    """The graph without BatchNormalization nodes whose statistics are constant."""
    names = [node.name for node in graph.nodes if _affine_map(graph, node) is not None]
    if not names:
        return graph
    shapes = infer_shapes(graph)
    for name in names:
        graph = _fold(graph, name, shapes)
    return graph


def _fold(graph: Graph, name: str, shapes: Mapping[str, Shape]) -> Graph:
    """One node folded."""
    node = next(node for node in graph.nodes if node.name == name)
    affine = _affine_map(graph, node)
    assert affine is not None, "chosen because it has one"
    layer = graph.producer.get(node.inputs[0])
    if layer is not None and _takes(graph, layer, node.inputs[0]):
        return _into_layer(graph, node, layer, affine)
    return _as_mul_add(graph, node, affine, len(shapes[node.inputs[0]]))


def _affine_map(graph: Graph, node: Node) -> _Affine | None:
    """The map of a BatchNormalization with constant statistics; None for any other node.

    Raises: ModelMistake (E0807) for a variance that is not positive.
    """
    import numpy as np

    if node.op != "BatchNormalization" or node.attributes.get("training_mode", 0):
        return None
    if len(node.outputs) != 1 or any(value not in graph.constants for value in node.inputs[1:]):
        return None
    scale, bias, mean, variance = (
        graph.constants[value].astype(np.float64) for value in node.inputs[1:]
    )
    spread = variance + node.attributes.get("epsilon", 1e-5)
    if not (spread > 0).all():
        problem = f"node `{node.name}` (BatchNormalization) has a variance that is not positive"
        raise mistake(BAD_TENSOR, graph.name, problem, "train the network again: it diverged")
    factor = scale / np.sqrt(spread)
    return _Affine(factor, bias - factor * mean)


def _takes(graph: Graph, layer: Node, value: str) -> bool:
    """Whether a layer has constant weights, and only the node in question reads its value."""
    if len(graph.consumers[value]) != 1 or value in graph.outputs:
        return False
    weights = layer.inputs[1:]
    known = all(not weight or weight in graph.constants for weight in weights)
    return layer.op in ("Conv", "Gemm") and known and layer.inputs[0] not in graph.constants


def _into_layer(graph: Graph, node: Node, layer: Node, affine: _Affine) -> Graph:
    """Conv or Gemm with weights a W and a c + b, written where the node wrote."""
    import numpy as np

    weight = graph.constants[layer.inputs[1]].astype(np.float64)
    rows_last = layer.op == "Gemm" and not layer.attributes.get("transB", 0)
    outputs = (1, -1) if rows_last else (-1, *(1,) * (weight.ndim - 1))
    offset = np.zeros_like(affine.shift)
    if len(layer.inputs) > 2:
        beta = layer.attributes.get("beta", 1.0)
        offset = offset + beta * graph.constants[layer.inputs[2]].astype(np.float64).reshape(-1)
    bias_name = layer.inputs[2] if len(layer.inputs) > 2 else f"{layer.name}.bias"
    graph, weight_name = _stored(
        graph, layer, layer.inputs[1], weight * affine.factor.reshape(outputs)
    )
    graph, bias_name = _stored(graph, layer, bias_name, affine.factor * offset + affine.shift)
    attributes = {key: value for key, value in layer.attributes.items() if key != "beta"}
    inputs = (layer.inputs[0], weight_name, bias_name)
    folded = Node(layer.name, layer.op, inputs, node.outputs, attributes)
    nodes = tuple(folded if other is layer else other for other in graph.nodes if other is not node)
    return graph.replace(nodes=nodes)


def _as_mul_add(graph: Graph, node: Node, affine: _Affine, rank: int) -> Graph:
    """Two nodes, x times a, plus b, with a and b of shape (channels, 1, ..., 1)."""
    channels = (-1, *(1,) * (rank - 2))
    graph, factor = _stored(graph, node, f"{node.name}.factor", affine.factor.reshape(channels))
    graph, shift = _stored(graph, node, f"{node.name}.shift", affine.shift.reshape(channels))
    scaled = fresh_name(f"{node.name}.scaled", _taken(graph))
    mul = Node(scaled, "Mul", (node.inputs[0], factor), (scaled,))
    add = Node(node.name, "Add", (scaled, shift), node.outputs)
    nodes = tuple(
        new for other in graph.nodes for new in ((mul, add) if other is node else (other,))
    )
    return graph.replace(nodes=nodes)


def _stored(graph: Graph, owner: Node, name: str, array: np.ndarray) -> tuple[Graph, str]:
    """The graph with one constant more; its name is `name` where nobody else uses that."""
    readers = graph.consumers.get(name, ())
    shared = any(reader is not owner for reader, _ in readers) or name in graph.outputs
    if shared or (name not in graph.constants and name in _taken(graph)):
        name = fresh_name(f"{owner.name}.{name}", _taken(graph))
    return graph.replace(constants={**graph.constants, name: array}), name


def _taken(graph: Graph) -> set[str]:
    """Every name of a value or node."""
    names = {node.name for node in graph.nodes}
    return names | set(graph.producer) | set(graph.constants) | set(graph.inputs)
