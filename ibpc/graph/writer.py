"""IR to ONNX: the same graph gives the same bytes, in every process and on every day.

Opset 17, IR version 8, one element type, batch axis of inputs and outputs open ("batch").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph.identity import STRUCTURE_KEY, WEIGHTS_KEY, structure_hash, weights_hash
from ibpc.graph.mistakes import NOT_WRITABLE, mistake
from ibpc.graph.text import constant_order
from ibpc.graph.upgrade import OPSET

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph.ir import Graph, Node, Shape

IR_VERSION = 8
PRODUCER = "ibpc"
BATCH = "batch"


def write_onnx(graph: Graph, element: str = "float32") -> bytes:
    """The graph as ONNX bytes, deterministic, checked by onnx.checker.

    ONNX wants one element type in a network, so all floating-point constants are written as
    `element`. `metadata_props` are sorted and carry the hashes of structure and weights.
    Raises: ModelMistake (E0814) for operators that are not ONNX, and for what the checker refuses.
    """
    import onnx

    for node in graph.nodes:
        if "." in node.op:
            problem = f"node `{node.name}` ({node.op}) is not an ONNX operator"
            raise mistake(NOT_WRITABLE, graph.name, problem, "write the network without its claim")
    graph = _in_one_type(graph, element)
    kind = onnx.helper.np_dtype_to_tensor_dtype(_dtype(element))
    message = onnx.helper.make_graph(
        nodes=[_node(node) for node in graph.nodes],
        name=graph.name,
        inputs=[_typed(name, kind, shape) for name, shape in graph.inputs.items()],
        outputs=[onnx.helper.make_empty_tensor_value_info(name) for name in graph.outputs],
        initializer=[
            onnx.numpy_helper.from_array(graph.constants[name], name)
            for name in constant_order(graph)
        ],
    )
    model = onnx.helper.make_model(
        message,
        producer_name=PRODUCER,
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
    )
    hashes = {STRUCTURE_KEY: structure_hash(graph), WEIGHTS_KEY: weights_hash(graph)}
    for key, value in sorted({**graph.metadata, **hashes}.items()):
        model.metadata_props.add(key=key, value=value)
    return bytes(_checked(model, graph.name).SerializeToString(deterministic=True))


def _checked(model: Any, origin: str) -> Any:
    """The model with the types of its values inferred, once the checker accepts it."""
    import onnx

    try:
        typed = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        for output in typed.graph.output:
            axes = output.type.tensor_type.shape.dim
            if axes:
                axes[0].dim_param = BATCH
        onnx.checker.check_model(typed)
    except (
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
        ValueError,
        RuntimeError,
    ) as error:
        note = " ".join(str(error).split())[:300]
        problem = "the network cannot be written as ONNX"
        raise mistake(NOT_WRITABLE, origin, problem, notes=(note,)) from error
    return typed


def _dtype(element: str) -> np.dtype[Any]:
    import numpy as np

    return np.dtype(element)


def _in_one_type(graph: Graph, element: str) -> Graph:
    """Floating-point constants as `element`."""
    import numpy as np

    dtype = _dtype(element)
    constants = {
        name: np.ascontiguousarray(
            array, dtype=dtype if array.dtype.kind == "f" else array.dtype
        ).reshape(array.shape)
        for name, array in graph.constants.items()
    }
    return graph.replace(constants=constants)


def _node(node: Node) -> Any:
    """The node; attributes in alphabetical order, which `make_node` keeps."""
    import numpy as np
    import onnx

    attributes = {
        key: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for key, value in sorted(node.attributes.items())
    }
    return onnx.helper.make_node(node.op, node.inputs, node.outputs, node.name, **attributes)


def _typed(name: str, kind: int, shape: Shape) -> Any:
    """An input of a network, its batch axis open."""
    import onnx

    return onnx.helper.make_tensor_value_info(name, kind, (BATCH, *shape[1:]))
