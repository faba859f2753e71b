"""New numbers in somebody's file; everything else stays."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ibpc.errors import ModelMistake
from ibpc.graph import read_onnx, unwritable, with_constants


def file() -> bytes:
    """A bias in a Constant node, a weight."""
    bias = numpy_helper.from_array(np.zeros(2, np.float32))
    nodes = [
        helper.make_node("Constant", [], ["b"], value=bias),
        helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1, doc_string="theirs"),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", 3), ("y", 2))
    ]
    weight = numpy_helper.from_array(np.ones((2, 3), np.float32), "w")
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weight])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 11)])
    model.producer_name = "theirs"
    return bytes(model.SerializeToString())


def test_arrays_go_to_the_tensors_of_their_names() -> None:
    new = {"w": np.full((2, 3), 0.1), "b": np.array([1.0, 2.0])}
    data = with_constants(file(), new, "net.onnx")
    assert data == with_constants(file(), new, "net.onnx")
    graph = read_onnx(data, "net.onnx")
    np.testing.assert_array_equal(graph.constants["w"], np.full((2, 3), 0.1, np.float32))
    np.testing.assert_array_equal(graph.constants["b"], [1.0, 2.0])
    before, after = (onnx.load_model_from_string(one) for one in (file(), data))
    for model in (before, after):
        del model.graph.initializer[:]
        del model.graph.node[0]
    assert before == after


def test_other_names_and_shapes_are_refused() -> None:
    assert unwritable(file(), {"w": (2, 3), "v": (1,), "b": (3,)}, "net.onnx") == ["v", "b"]
    with pytest.raises(ModelMistake, match=r"net\.onnx: the file holds no tensor `w`"):
        with_constants(file(), {"w": np.zeros(3)}, "net.onnx")
