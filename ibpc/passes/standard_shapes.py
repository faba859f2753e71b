"""What onnx's own shape inference says of one node, whether ibpc has a record for it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph import OPSET

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.graph import Node, Shape


def standard_shapes(
    node: Node, constants: Mapping[str, np.ndarray], varying: Mapping[str, Shape]
) -> tuple[Shape, ...] | None:
    """The shapes of the node's outputs, or None where one of them cannot be told.

    `constants` and `varying` are its operands; those that vary are taken to hold float32 numbers.
    """
    import onnx

    message = onnx.helper.make_graph(
        [as_onnx(node)],
        "node",
        [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            for name, shape in varying.items()
        ],
        [onnx.helper.make_empty_tensor_value_info(name) for name in node.outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = onnx.helper.make_model(message, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return None
    found = [_shape(value.type.tensor_type) for value in inferred]
    known = tuple(shape for shape in found if shape is not None)
    return known if len(known) == len(node.outputs) else None


def _shape(kind: Any) -> Shape | None:
    """The shape of an inferred type, if all its extents are known."""
    axes = kind.shape.dim
    if not kind.HasField("shape") or not all(axis.HasField("dim_value") for axis in axes):
        return None
    shape = tuple(axis.dim_value for axis in axes)
    return shape if min(shape, default=0) >= 0 else None


def as_onnx(node: Node) -> Any:
    """The node as an ONNX message."""
    import numpy as np
    import onnx

    attributes = {
        key: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for key, value in node.attributes.items()
    }
    return onnx.helper.make_node(node.op, node.inputs, node.outputs, node.name, **attributes)
