from __future__ import annotations

import numpy as np
import pytest

from ibpc.errors import ModelMistake, UnsupportedOperator
from ibpc.graph import Graph, Node
from ibpc.passes import infer_shapes, sites


def gemm(columns: int) -> Graph:
    nodes = (Node("fc", "Gemm", ("x", "w"), ("y",), {"transB": 1}),)
    return Graph("net", {"x": (1, 4)}, ("y",), nodes, {"w": np.zeros((3, columns), np.float32)})


def test_every_value_has_a_shape() -> None:
    assert infer_shapes(gemm(4)) == {"x": (1, 4), "w": (3, 4), "y": (1, 3)}


def test_a_site_knows_what_its_node_reads_and_writes() -> None:
    site = sites(gemm(4))["fc"]
    assert site.out_shapes == ((1, 3),)
    assert site.shapes == ((1, 4), (3, 4))
    assert site.varies(0)
    assert not site.varies(1)
    assert site.attribute("transB") == 1


def test_operands_that_do_not_fit_are_named() -> None:
    with pytest.raises(ModelMistake) as told:
        infer_shapes(gemm(5))
    assert str(told.value) == (
        "error[E0811]: net: node `fc` (Gemm): Gemm multiplies 4 entries with a matrix for 5\n"
        "   = note: operand `x` has shape [1, 4]\n"
        "   = note: operand `w` has shape [3, 5]\n"
        "   = help: export the network to ONNX again, or download the file again"
    )


def test_an_unknown_operator_is_said_with_its_node() -> None:
    graph = Graph("net", {"x": (1, 4)}, ("y",), (Node("odd", "Relux", ("x",), ("y",)),), {})
    with pytest.raises(UnsupportedOperator, match=r"net: node `odd` \(Relux\)") as told:
        infer_shapes(graph)
    assert "did you mean `Relu`?" in str(told.value)


def test_an_output_that_the_operator_does_not_give_is_refused() -> None:
    graph = Graph("net", {"x": (1, 4)}, ("y",), (Node("r", "Relu", ("x",), ("y", "z")),), {})
    with pytest.raises(UnsupportedOperator, match="the output `z` of this operator"):
        infer_shapes(graph)


def test_a_value_that_loses_the_batch_axis_is_refused() -> None:
    nodes = (Node("t", "Transpose", ("x",), ("y",), {"perm": (1, 0)}),)
    graph = Graph("net", {"x": (1, 4)}, ("y",), nodes, {})
    with pytest.raises((ModelMistake, UnsupportedOperator), match="node `t`"):
        infer_shapes(graph)


def test_attributes_that_make_no_sense_are_a_mistake_of_the_model() -> None:
    attributes = {"kernel_shape": (1, 1), "strides": (0, 0)}
    nodes = (Node("pool", "MaxPool", ("x",), ("y",), attributes),)
    graph = Graph("net", {"x": (1, 2, 4, 4)}, ("y",), nodes, {})
    with pytest.raises(ModelMistake, match="net: node `pool`"):
        infer_shapes(graph)
