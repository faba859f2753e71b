"""ONNX to IR: the one door, for our own networks and for third-party files.

The file is checked by `onnx.checker`, brought to opset 17 forms, and made lawful: every node has
a name, Constant nodes are constants, initialisers listed as inputs are constants only, a dynamic
batch axis has extent 1, and an input without a batch axis gets one, which a Reshape takes off again
at the door (the pass batch-apart then carries it through). What cannot be represented is refused
with the node and the reason.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.graph.identity import STRUCTURE_KEY, WEIGHTS_KEY
from ibpc.graph.ir import MAX_ENTRIES, Graph, Node, Shape, fresh_name
from ibpc.graph.law import broken_laws
from ibpc.graph.mistakes import (
    BAD_INPUT,
    BAD_TENSOR,
    EXPORT_AGAIN,
    EXTERNAL,
    FOREIGN,
    INVALID,
    LAW,
    VERSION,
    mistake,
)
from ibpc.graph.model_file import is_external, model_bytes, parse_model, tensors
from ibpc.graph.upgrade import NEWEST, OLDEST, upgrade

if TYPE_CHECKING:
    import os

    import numpy as np

OLDEST_IR, NEWEST_IR = 3, 10
_ONNX_DOMAINS = ("", "ai.onnx")
_BY_NAME = "export with constant weights: ibpc reads networks as plain ONNX graphs"


def load_onnx(path: str | os.PathLike[str]) -> Graph:
    """Read an ONNX file, packed with gzip or not.

    Raises: FileMistake where it cannot be read, ModelMistake (E08xx) where it cannot be used.
    """
    return read_onnx(model_bytes(path), str(path))


def read_onnx(data: bytes, origin: str) -> Graph:
    """Read ONNX bytes; `origin` (a file's name) goes into messages.

    Opsets 7 to 21 and IR versions 3 to 10 are read; the graph is in opset-17 forms.
    Raises: ModelMistake (E08xx).
    """
    model = parse_model(data, origin)
    try:
        opset = _versions(model, origin)
        _refuse_foreign(model, origin)
        _check(data, origin)
        graph = _graph(_without_unread_outputs(model, opset), origin)
        _check_text(graph)
    except (ValueError, TypeError, OverflowError) as error:  # text or numbers that are not any
        problem = "the file's content contradicts itself"
        raise mistake(INVALID, origin, problem, EXPORT_AGAIN, (_short(error),)) from error
    graph = upgrade(graph, opset, _element(model), origin)
    _check_finite(graph, origin)
    broken = broken_laws(graph)
    if broken:
        raise mistake(LAW, origin, broken[0], EXPORT_AGAIN, broken[1:4])
    return graph


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _versions(model: Any, origin: str) -> int:
    """The opset of the ONNX domain, once it and the IR version are known to be readable."""
    if not OLDEST_IR <= model.ir_version <= NEWEST_IR:
        problem = f"ONNX IR version {model.ir_version}; ibpc reads {OLDEST_IR} to {NEWEST_IR}"
        raise mistake(VERSION, origin, problem, "export the network again with opset 17")
    opsets = {entry.version for entry in model.opset_import if entry.domain in _ONNX_DOMAINS}
    if len(opsets) != 1:
        found = ", ".join(map(str, sorted(opsets))) or "none"
        problem = f"the file must name one opset of the ONNX operators, it names {found}"
        raise mistake(VERSION, origin, problem, EXPORT_AGAIN)
    opset = int(opsets.pop())
    if not OLDEST <= opset <= NEWEST:
        problem = f"opset {opset}; ibpc reads {OLDEST} to {NEWEST}"
        raise mistake(VERSION, origin, problem, "export the network again with opset 17")
    return opset


def _refuse_foreign(model: Any, origin: str) -> None:
    """Functions, other domains, subgraphs, sparse and external tensors: which, and why not."""
    if model.functions:
        problem = f"the file defines its own function `{model.functions[0].name}`"
        raise mistake(FOREIGN, origin, problem, "inline it: onnx.inliner.inline_local_functions")
    if model.graph.sparse_initializer:
        raise mistake(FOREIGN, origin, "the file holds sparse weights", _BY_NAME)
    for index, node in enumerate(model.graph.node):
        where = f"node `{node.name or f'number {index}'}` ({node.op_type})"
        if node.domain not in _ONNX_DOMAINS:
            problem = f"{where} is of the domain `{node.domain}`, not an ONNX operator"
            raise mistake(FOREIGN, origin, problem, _BY_NAME)
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            problem = f"{where} holds a subgraph; ibpc reads graphs without control flow"
            raise mistake(FOREIGN, origin, problem, _BY_NAME)
    for tensor in tensors(model.graph):
        if is_external(tensor):
            problem = f"tensor `{tensor.name}` keeps its weights in another file"
            fix = "load the network from its file, or save it in one file"
            raise mistake(EXTERNAL, origin, problem, fix)


def _check(data: bytes, origin: str) -> None:
    """What onnx.checker says; of the bytes, because it would turn a model back into them."""
    import onnx

    try:
        onnx.checker.check_model(data)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        problem = "onnx.checker finds the network invalid"
        raise mistake(INVALID, origin, problem, EXPORT_AGAIN, (_short(error),)) from error


def _without_unread_outputs(model: Any, opset: int) -> Any:
    """The model, in place, without optional outputs that nobody reads (a Dropout's mask)."""
    import onnx

    read = {value for node in model.graph.node for value in node.input}
    read.update(value.name for value in model.graph.output)
    for node in model.graph.node:
        formal = onnx.defs.get_schema(node.op_type, opset, "").outputs
        while len(node.output) > 1 and node.output[-1] not in read:
            place = min(len(node.output), len(formal)) - 1
            if formal[place].option != onnx.defs.OpSchema.FormalParameterOption.Optional:
                break
            node.output.pop()
    return model


def _graph(model: Any, origin: str) -> Graph:
    """The IR of a checked model, in the forms of its own opset."""
    message = model.graph
    constants = {tensor.name: _array(tensor, origin) for tensor in message.initializer}
    shapes = {
        value.name: _input_shape(value, origin)
        for value in message.input
        if value.name not in constants
    }
    inputs = {name: shape if shape[:1] == (1,) else (1, *shape) for name, shape in shapes.items()}
    names, values = set(inputs), {*inputs, *constants}
    values.update(value for node in message.node for value in node.output)
    nodes = []
    for node in message.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = _constant(node, origin)
            continue
        nodes.append(_node(node, origin, names, values))
    graph = Graph(
        name=message.name,
        inputs=inputs,
        outputs=tuple(value.name for value in message.output),
        nodes=tuple(nodes),
        constants=constants,
        metadata={
            entry.key: entry.value
            for entry in model.metadata_props
            if entry.key not in (STRUCTURE_KEY, WEIGHTS_KEY)  # of the bytes, not of the graph
        },
    )
    for name, shape in shapes.items():
        if shape != inputs[name]:
            graph = _with_door(graph, name, shape)
    return graph


def _with_door(graph: Graph, name: str, shape: Shape) -> Graph:
    """The graph whose nodes read input `name` under the shape that the file gives it."""
    import numpy as np

    taken = {*graph.inputs, *graph.constants, *graph.producer, *(node.name for node in graph.nodes)}
    inner = fresh_name(f"{name}.unbatched", taken)
    target = fresh_name(f"{name}.shape", {*taken, inner})
    nodes = (
        Node(
            node.name,
            node.op,
            tuple(inner if value == name else value for value in node.inputs),
            node.outputs,
            node.attributes,
        )
        for node in graph.nodes
    )
    return graph.replace(
        nodes=(Node(inner, "Reshape", (name, target), (inner,)), *nodes),
        constants={**graph.constants, target: np.array(shape, dtype=np.int64)},
    )


def _check_text(graph: Graph) -> None:
    """Every name is text: protobuf hands out bytes where a name is not UTF-8.

    Raises: UnicodeDecodeError.
    """
    names: list[Any] = [graph.name, *graph.inputs, *graph.outputs, *graph.constants]
    names += [part for item in graph.metadata.items() for part in item]
    for node in graph.nodes:
        names += [node.name, node.op, *node.inputs, *node.outputs, *node.attributes]
    for name in names:
        if isinstance(name, bytes):
            name.decode()


def _node(node: Any, origin: str, names: set[str], values: set[str]) -> Node:
    """One node; the nameless get the name of what they write."""
    outputs = list(node.output)
    while outputs and not outputs[-1]:
        outputs.pop()
    if not outputs:
        problem = f"node `{node.name}` ({node.op_type}) has no output"
        raise mistake(INVALID, origin, problem, EXPORT_AGAIN)
    name = node.name or next(value for value in outputs if value)
    if name in names:
        name = fresh_name(name, names)
    names.add(name)
    for index, value in enumerate(outputs):
        if not value:  # an output that nobody asked for, before one that is
            outputs[index] = fresh_name(f"{name}.unused{index}", values)
            values.add(outputs[index])
    inputs = list(node.input)
    while inputs and not inputs[-1]:
        inputs.pop()
    attributes = {entry.name: _attribute(entry, name, origin) for entry in node.attribute}
    return Node(name, node.op_type, tuple(inputs), tuple(outputs), attributes)


def _attribute(attribute: Any, node: str, origin: str) -> Any:
    """Numbers, text, tuples of them, or an array."""
    import onnx

    kinds = onnx.AttributeProto
    if attribute.type == kinds.TENSOR:
        return _array(attribute.t, origin)
    if attribute.type not in (
        kinds.FLOAT,
        kinds.INT,
        kinds.STRING,
        kinds.FLOATS,
        kinds.INTS,
        kinds.STRINGS,
    ):
        kind = kinds.AttributeType.Name(attribute.type)
        problem = f"attribute `{attribute.name}` of node `{node}` has the kind {kind}"
        raise mistake(FOREIGN, origin, problem, _BY_NAME)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, int | float):
        return value
    return tuple(entry.decode() if isinstance(entry, bytes) else entry for entry in value)


def _constant(node: Any, origin: str) -> np.ndarray:
    """The value of a Constant node."""
    import numpy as np

    name = node.output[0]
    for attribute in node.attribute:
        value = _attribute(attribute, node.name or name, origin)
        if attribute.name == "value":
            return np.asarray(value)
        if attribute.name in ("value_float", "value_floats"):
            return np.array(value, dtype=np.float32)
        if attribute.name in ("value_int", "value_ints"):
            return np.array(value, dtype=np.int64)
    raise mistake(FOREIGN, origin, f"Constant `{name}` holds no array of numbers", _BY_NAME)


def _array(tensor: Any, origin: str) -> np.ndarray:
    """A tensor as stored: float16 and float64 stay what they are."""
    import numpy as np
    import onnx

    try:
        array = np.asarray(onnx.numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        problem = f"tensor `{tensor.name}` cannot be read"
        raise mistake(BAD_TENSOR, origin, problem, EXPORT_AGAIN, (_short(error),)) from error
    if array.dtype.name not in ("float16", "float32", "float64") and array.dtype.kind not in "iub":
        problem = f"tensor `{tensor.name}` has the type {array.dtype.name}"
        raise mistake(BAD_TENSOR, origin, problem, "export the network with float32 weights")
    return array


def _input_shape(value: Any, origin: str) -> Shape:
    """An input's shape in the file: a dynamic first axis becomes 1, all others must be numbers."""
    import onnx

    where = f"input `{value.name}`"
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        raise mistake(BAD_INPUT, origin, f"{where} has no shape", EXPORT_AGAIN)
    if kind.elem_type not in (
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.DOUBLE,
        onnx.TensorProto.FLOAT16,
    ):
        problem = f"{where} does not hold floating-point numbers"
        raise mistake(BAD_INPUT, origin, problem, "export the network with float32 inputs")
    extents = [axis.dim_value if axis.HasField("dim_value") else 0 for axis in kind.shape.dim]
    shown = "x".join(str(extent) if extent else "?" for extent in extents)
    fix = "export with all axes but the batch's of fixed size"
    if any(extent < 1 for extent in extents[1:]) or min(extents, default=1) < 0:
        problem = f"{where} has the shape ({shown}): a size other than the batch's is open"
        raise mistake(BAD_INPUT, origin, problem, fix)
    if prod(extent or 1 for extent in extents) > MAX_ENTRIES:
        raise mistake(BAD_INPUT, origin, f"{where} has the shape ({shown}): too large", fix)
    return tuple(extent or 1 for extent in extents)


def _element(model: Any) -> np.dtype[Any]:
    """The element type of the first real input."""
    import numpy as np
    import onnx

    weights = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in weights:
            kind = value.type.tensor_type.elem_type
            return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind))
    return np.dtype(np.float32)


def _check_finite(graph: Graph, origin: str) -> None:
    """No constant is NaN or infinite, except a bound of Clip, where infinity says "no bound"."""
    import numpy as np

    for name, array in graph.constants.items():
        if array.dtype.kind != "f" or np.isfinite(array).all():
            continue
        clips = all(node.op == "Clip" for node, _ in graph.consumers.get(name, ()))
        if np.isnan(array).any() or not clips:
            problem = f"tensor `{name}` holds numbers that are not finite (NaN or infinity)"
            raise mistake(BAD_TENSOR, origin, problem, "train the network again: it diverged")
