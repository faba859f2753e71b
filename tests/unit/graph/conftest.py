"""Small networks: as plans, as graphs, as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import onnx
import pytest

from ibpc.errors import Span
from ibpc.graph import Graph, Node
from ibpc.language import Template, Weight
from ibpc.language.program import DeclaredNet, PlannedNode, TensorType

AT = Span("net.ibp", 1, 1, 1, 2)
CONV = {"kernel_shape": [3, 3], "strides": [2, 2]}


def planned_net() -> DeclaredNet:
    """normalise, conv 3 3x3+2, relu, flatten, fc 4 on 2x7x7."""
    half = Weight("factor", (), "values", (Fraction(1, 2),))
    kernel, bias = Weight("weight", (3, 2, 3, 3), "weight"), Weight("bias", (3,), "zeros")
    matrix, offset = Weight("weight", (4, 27), "weight"), Weight("bias", (4,), "ones")
    nodes = (
        PlannedNode("scale", ("x",), Template("Mul", {}, (half,)), (2, 7, 7), AT),
        PlannedNode("conv1", ("scale",), Template("Conv", CONV, (kernel, bias)), (3, 3, 3), AT),
        PlannedNode("act", ("conv1",), Template("LeakyRelu", {"alpha": 0.1}), (3, 3, 3), AT, 27),
        PlannedNode("flat", ("act",), Template("Flatten", {"axis": 1}), (27,), AT),
        PlannedNode("out", ("flat",), Template("Gemm", {"transB": 1}, (matrix, offset)), (4,), AT),
    )
    return DeclaredNet("small", TensorType((2, 7, 7)), TensorType((4,)), nodes, (), 27, 169, AT)


@pytest.fixture
def plan() -> DeclaredNet:
    return planned_net()


@pytest.fixture
def chain() -> Graph:
    """y = relu(x W' + b) with numbers that are the same everywhere."""
    nodes = (
        Node("fc1", "Gemm", ("x", "fc1.weight", "fc1.bias"), ("fc1",), {"transB": 1}),
        Node("act", "LeakyRelu", ("fc1",), ("h",), {"alpha": 0.5}),
        Node("shape", "Reshape", ("h", "to"), ("y",)),
    )
    constants = {
        "to": np.array([0, 3, 1]),
        "fc1.bias": np.zeros(3, np.float32),
        "fc1.weight": np.arange(6, dtype=np.float32).reshape(3, 2),
    }
    return Graph("chain", {"x": (1, 2)}, ("y",), nodes, constants, {"made": "by hand"})


@pytest.fixture
def onnx_bytes() -> Callable[..., bytes]:
    """`onnx_bytes(nodes, arrays, ...)`: a model made with onnx alone, oddities included."""

    def make(
        nodes: list[Any],
        arrays: dict[str, Any] | None = None,
        shape: tuple[Any, ...] = (1, 2),
        opset: int = 17,
        ir: int = 8,
        outputs: tuple[str, ...] = ("y",),
        listed: bool = False,
        element: int = onnx.TensorProto.FLOAT,
    ) -> bytes:
        tensors = [onnx.numpy_helper.from_array(v, k) for k, v in (arrays or {}).items()]
        inputs = [onnx.helper.make_tensor_value_info("x", element, shape)]
        if listed:
            inputs += [
                onnx.helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors
            ]
        graph = onnx.helper.make_graph(
            nodes,
            "made",
            inputs,
            [onnx.helper.make_empty_tensor_value_info(name) for name in outputs],
            tensors,
        )
        foreign = sorted({node.domain for node in nodes} - {""})
        opsets = [onnx.helper.make_opsetid("", opset)]
        opsets += [onnx.helper.make_opsetid(domain, 1) for domain in foreign]
        model = onnx.helper.make_model(graph, ir_version=ir, opset_imports=opsets)
        typed = onnx.shape_inference.infer_shapes(model)
        for output in typed.graph.output:
            if not output.HasField("type"):
                output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, element, [None]))
        return bytes(typed.SerializeToString())

    return make
