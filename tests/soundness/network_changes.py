"""What can be wrong with a network, each as a change of the model, drawn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HUGE = (2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1, -1, -(2**31), 0, 10**9, 50_000_000, 3)
WEIGHTS = (np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, -0.0, 1e20, 1e30)


Change = Callable[[onnx.ModelProto, Random], None]


def _tensor(model: onnx.ModelProto, draw: Random, kind: str = "fi") -> Any:
    held = [t for t in model.graph.initializer if numpy_helper.to_array(t).dtype.kind in kind]
    return draw.choice(held or list(model.graph.initializer))


def _put(tensor: Any, array: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(array), tensor.name))


def weight_is_wild(model: onnx.ModelProto, draw: Random) -> None:
    tensor = _tensor(model, draw, "f")
    array = numpy_helper.to_array(tensor).copy().reshape(-1)
    for _ in range(draw.randrange(1, 4)):
        array[draw.randrange(array.size)] = draw.choice(WEIGHTS)
    _put(tensor, array.reshape(tuple(tensor.dims)))


def weights_are_scaled(model: onnx.ModelProto, draw: Random) -> None:
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind == "f":
            _put(tensor, array * np.float32(draw.choice((1e10, 1e15, 1e-20, 1e-40, -1.0, 0.0))))


def dims_lie(model: onnx.ModelProto, draw: Random) -> None:
    tensor = _tensor(model, draw)
    if tensor.dims and draw.random() < 0.8:
        tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice(HUGE)
    else:
        tensor.dims.append(draw.choice(HUGE))


def whole_number_is_huge(model: onnx.ModelProto, draw: Random) -> None:
    tensor = _tensor(model, draw, "i")
    array = numpy_helper.to_array(tensor).copy().reshape(-1)
    array[draw.randrange(array.size)] = draw.choice(HUGE)
    _put(tensor, array.reshape(tuple(tensor.dims)))


def input_is_huge(model: onnx.ModelProto, draw: Random) -> None:
    ends = draw.choice((model.graph.input, model.graph.output))
    dims = ends[0].type.tensor_type.shape.dim
    dims[draw.randrange(len(dims))].dim_value = draw.choice(HUGE)


def input_has_many_axes(model: onnx.ModelProto, draw: Random) -> None:
    for _ in range(draw.choice((1, 7, 40, 3000))):
        model.graph.input[0].type.tensor_type.shape.dim.add().dim_value = draw.choice((1, 2, 3))


def input_has_another_type(model: onnx.ModelProto, draw: Random) -> None:
    kinds = draw.choice((model.graph.input, model.graph.output))[0].type.tensor_type
    kinds.elem_type = draw.choice((2, 3, 6, 7, 8, 9, 10, 11, 16, 99))


def tensor_has_another_type(model: onnx.ModelProto, draw: Random) -> None:
    _tensor(model, draw).data_type = draw.choice((0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 14, 16, 17, 99))


def weights_as_doubles(model: onnx.ModelProto, draw: Random) -> None:
    tensor = _tensor(model, draw, "f")
    kind = draw.choice((np.float64, np.float16, np.int64, np.int8))
    _put(tensor, numpy_helper.to_array(tensor).astype(kind))


def cycle(model: onnx.ModelProto, draw: Random) -> None:
    early, late = sorted(draw.sample(range(len(model.graph.node)), 2))
    inputs = model.graph.node[early].input
    later = model.graph.node[late].output[0]
    if inputs:
        inputs[draw.randrange(len(inputs))] = later
    else:
        inputs.append(later)


def edge_is_moved(model: onnx.ModelProto, draw: Random) -> None:
    values = ["x", "", "nothing", *(t.name for t in model.graph.initializer)]
    values += [value for node in model.graph.node for value in node.output]
    node = draw.choice(model.graph.node)
    if node.input and draw.random() < 0.8:
        node.input[draw.randrange(len(node.input))] = draw.choice(values)
    elif draw.random() < 0.5:
        node.input.append(draw.choice(values))
    else:
        node.output[0] = draw.choice(values)


def node_is_gone_or_doubled(model: onnx.ModelProto, draw: Random) -> None:
    place = draw.randrange(len(model.graph.node))
    if draw.random() < 0.5:
        del model.graph.node[place]
    else:
        model.graph.node.add().CopyFrom(model.graph.node[place])


def nodes_are_shuffled(model: onnx.ModelProto, draw: Random) -> None:
    nodes = list(model.graph.node)
    draw.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


OTHER_OPS = (
    *("Relu", "Conv", "Gemm", "Add", "Mul", "Div", "Pow", "Exp", "Log", "Sqrt", "Reciprocal"),
    *("Loop", "If", "Scan", "Range", "Tile", "NonZero", "TopK", "RandomNormal", "Einsum", "LSTM"),
    *("Transpose", "Reshape", "Expand", "Gather", "ReduceSum", "ArgMax", "Where", "Cast", "Nope"),
    *("MatMul", "Softmax", "Flatten", "Identity", "Dropout", "QuantizeLinear", "OneHot", "Sin"),
)


def operator_is_another(model: onnx.ModelProto, draw: Random) -> None:
    node = draw.choice(model.graph.node)
    node.op_type = draw.choice(OTHER_OPS)
    if draw.random() < 0.5:
        del node.attribute[:]


ATTRIBUTES = (
    *("axis", "alpha", "beta", "transA", "transB", "group", "strides", "pads", "dilations"),
    *("kernel_shape", "auto_pad", "ceil_mode", "epsilon", "allowzero", "mode", "spatial", "axes"),
    *("perm", "to", "count_include_pad", "storage_order", "keepdims", "value", "nonsense"),
)
ABSURD: tuple[Any, ...] = (
    *HUGE,
    *([n] for n in HUGE),
    *([n, n] for n in HUGE),
    *([n, n, n, n] for n in HUGE),
    *(float("nan"), float("inf"), 1e38, -2.5, "SAME_UPPER", "\u00e9", [0.5], [1] * 500),
)


def attribute_is_absurd(model: onnx.ModelProto, draw: Random) -> None:
    node = draw.choice(model.graph.node)
    name = draw.choice(ATTRIBUTES)
    if node.attribute and draw.random() < 0.7:
        place = draw.randrange(len(node.attribute))
        name = node.attribute[place].name
        del node.attribute[place]
    node.attribute.append(helper.make_attribute(name, draw.choice(ABSURD)))


def memory_bomb(model: onnx.ModelProto, draw: Random) -> None:
    """A node that makes much of little: read by the network, or by nobody."""
    size = draw.choice((10**9, 2**33, 2**40, 2**62))
    kind = draw.randrange(6)
    shapes = {
        "ConstantOfShape": np.array([size]),
        "Expand": np.array([4, size // 4]),
        "Tile": np.array([size]),
        "Range": np.array(size),
        "Pad": np.array([0, size]),
        "OneHot": np.array(size),
    }
    op = list(shapes)[kind]
    model.graph.initializer.append(numpy_helper.from_array(shapes[op], "bomb.shape"))
    one = helper.make_node("Constant", [], ["bomb.one"], value_floats=[1.0])
    zero = helper.make_node("Constant", [], ["bomb.zero"], value_int=0)
    step = helper.make_node("Constant", [], ["bomb.step"], value_int=1)
    pair = helper.make_node("Constant", [], ["bomb.pair"], value_floats=[0.0, 1.0])
    operands = {
        "ConstantOfShape": ["bomb.shape"],
        "Expand": ["bomb.one", "bomb.shape"],
        "Tile": ["bomb.one", "bomb.shape"],
        "Range": ["bomb.zero", "bomb.shape", "bomb.step"],
        "Pad": ["bomb.one", "bomb.shape"],
        "OneHot": ["bomb.zero", "bomb.shape", "bomb.pair"],
    }[op]
    nodes = [one, zero, step, pair, helper.make_node(op, operands, ["bomb"])]
    if draw.random() < 0.6:
        reader = draw.choice(model.graph.node)
        if reader.input:
            reader.input[len(reader.input) - 1] = "bomb"
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])


def value_bomb(model: onnx.ModelProto, draw: Random) -> None:
    """The network's own values grow beyond memory on the way."""
    size = draw.choice((10**9, 2**33, 2**40))
    op, operand = draw.choice(
        (("Expand", [size, 1, 4]), ("Tile", [1, size]), ("Pad", [0, 0, 0, size]))
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(operand), "bomb.by"))
    grown = helper.make_node(op, ["x", "bomb.by"], ["grown"], name="grown")
    rest = list(model.graph.node)
    for node in rest:
        for place, value in enumerate(node.input):
            if value == "x" and draw.random() < 0.7:
                node.input[place] = "grown"
    del model.graph.node[:]
    model.graph.node.extend([grown, *rest])


def deep_chain(model: onnx.ModelProto, draw: Random) -> None:
    rest = list(model.graph.node)
    op = draw.choice(("Relu", "Identity", "Neg", "Exp", "Sigmoid", "Add"))
    chain, value = [], "x"
    for number in range(draw.choice((50, 400, 1500))):
        operands = [value, value] if op == "Add" else [value]
        chain.append(helper.make_node(op, operands, [f"deep{number}"]))
        value = f"deep{number}"
    for node in rest:
        for place, name in enumerate(node.input):
            if name == "x":
                node.input[place] = value
    del model.graph.node[:]
    model.graph.node.extend([*chain, *rest])


def subgraphs(model: onnx.ModelProto, draw: Random) -> None:
    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "in", [], [])
    for depth in range(draw.choice((1, 20, 60))):
        node = helper.make_node("If", ["x"], [f"z{depth}"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "in", [], [])
        if inner.ByteSize() > 10**6:
            break
    model.graph.node.append(inner.node[0] if inner.node else model.graph.node[0])


def versions(model: onnx.ModelProto, draw: Random) -> None:
    kind = draw.randrange(4)
    if kind == 0:
        model.opset_import[0].version = draw.choice((0, -1, 1, 6, 7, 9, 11, 17, 21, 22, 2**62))
    elif kind == 1:
        model.ir_version = draw.choice((0, -5, 1, 2, 3, 11, 2**62))
    elif kind == 2:
        model.opset_import.add().CopyFrom(helper.make_opsetid(draw.choice(("", "com.x")), 12))
    else:
        draw.choice(model.graph.node).domain = draw.choice(("com.microsoft", "ai.onnx.ml", "x"))


def names(model: onnx.ModelProto, draw: Random) -> None:
    word = draw.choice(("", "x", "y", "a" * 100_000, "\u202e", "\n", "../../etc/passwd", "%s%n"))
    node = draw.choice(model.graph.node)
    tensor = draw.choice(model.graph.initializer)
    kind = draw.randrange(4)
    if kind == 0:
        node.name = word
    elif kind == 1:
        tensor.name = word
    elif kind == 2:
        model.graph.output[0].name = word
    else:
        model.graph.input[0].name = word


def outputs_are_others(model: onnx.ModelProto, draw: Random) -> None:
    outputs = model.graph.output
    kind = draw.randrange(4)
    if kind == 0:
        del outputs[:]
    elif kind == 1:
        outputs.add().CopyFrom(outputs[0])
    elif kind == 2:
        outputs[0].name = draw.choice(model.graph.node).output[0]
    else:
        outputs[0].name = draw.choice(("x", model.graph.initializer[0].name))


def raw_data_is_short(model: onnx.ModelProto, draw: Random) -> None:
    tensor = _tensor(model, draw)
    tensor.raw_data = tensor.raw_data[: draw.randrange(len(tensor.raw_data))] + b"\1" * draw.choice(
        (0, 0, 1, 4, 1000)
    )


SIDES = (
    *("../secret.bin", "/etc/passwd", "/dev/zero", "/dev/stdin", "link.bin", "fifo.bin", "."),
    *("", "side.bin", "./side.bin", "sub/../side.bin", "absent.bin", "side.bin\0", "a" * 5000),
    *("sub/../../secret.bin", "//etc/passwd", "file:///etc/passwd", "C:\\secret", "~/secret"),
)


def weights_lie_elsewhere(model: onnx.ModelProto, draw: Random) -> None:
    """External data: of this folder, of other folders, absent, through links and pipes."""
    tensor = _tensor(model, draw)
    entries = {"location": draw.choice(SIDES)}
    if draw.random() < 0.5:
        entries["offset"] = str(draw.choice((0, 4, -1, 10**9, 2**62, "x", "1e3")))
    if draw.random() < 0.5:
        entries["length"] = str(draw.choice((len(tensor.raw_data), 0, -1, -7, 2**40, 2**70, "")))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)


CHANGES: tuple[Change, ...] = (
    *(weight_is_wild, weights_are_scaled, dims_lie, whole_number_is_huge, input_is_huge),
    *(input_has_many_axes, input_has_another_type, tensor_has_another_type, weights_as_doubles),
    *(cycle, edge_is_moved, edge_is_moved, node_is_gone_or_doubled, nodes_are_shuffled),
    *(operator_is_another, attribute_is_absurd, attribute_is_absurd, memory_bomb, value_bomb),
    *(deep_chain, subgraphs, versions, names, outputs_are_others, raw_data_is_short),
    *(weights_lie_elsewhere, weights_lie_elsewhere),
)
