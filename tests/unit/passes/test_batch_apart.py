"""Networks without a batch axis, or with one that moves, compute what onnxruntime computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx.helper import make_node

from ibpc.bounds import Weights, agree, lower_forward, lower_interval
from ibpc.errors import IbpcError, ModelMistake
from ibpc.graph import Graph, Node, read_onnx
from ibpc.passes import batch_apart, infer_shapes, join_views, prepare


def model(
    nodes: list[onnx.NodeProto],
    shape: tuple[int | str, ...],
    arrays: dict[str, Any] | None = None,
    opset: int = 13,
) -> bytes:
    """An ONNX file over input `x` and output `y`."""
    tensors = [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in (arrays or {}).items()]
    info = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    output = onnx.helper.make_empty_tensor_value_info("y")
    graph = onnx.helper.make_graph(nodes, "made", [info], [output], tensors)
    made = onnx.helper.make_model(
        graph, ir_version=7, opset_imports=[onnx.helper.make_opsetid("", opset)]
    )
    typed = onnx.shape_inference.infer_shapes(made, data_prop=True)
    if not typed.graph.output[0].type.tensor_type.HasField("shape"):
        found = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ("a", "b", "c"))
        typed.graph.output[0].CopyFrom(found)
    return bytes(typed.SerializeToString())


def pattern(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


ints = np.array
CASES: dict[str, tuple[list[onnx.NodeProto], tuple[int | str, ...], dict[str, Any]]] = {
    "no batch axis": (
        [make_node("MatMul", ["x", "w"], ["h"]), make_node("Relu", ["h"], ["y"])],
        (5,),
        {"w": pattern(5, 3)},
    ),
    "a matrix": (
        [make_node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=2.0, transA=1, transB=1)],
        (4, 3),
        {"w": pattern(2, 4), "b": pattern(3, 2)},
    ),
    "Gemm from the left": (
        [make_node("Gemm", ["w", "x"], ["y"], transA=1)],
        (4, 3),
        {"w": pattern(4, 2)},
    ),
    "transposes around a product": (
        [
            make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
            make_node("MatMul", ["w", "t"], ["m"]),
            make_node("Transpose", ["m"], ["y"], perm=[1, 0]),
        ],
        (1, 6),
        {"w": pattern(4, 6)},
    ),
    "a vector times a vector": (
        [make_node("MatMul", ["x", "x"], ["y"])],
        (4,),
        {},
    ),
    "a vector times matrices": (
        [make_node("MatMul", ["x", "w"], ["y"])],
        (4,),
        {"w": pattern(3, 2, 4, 5)},
    ),
    "matrices times a vector": (
        [make_node("MatMul", ["w", "x"], ["y"])],
        (4,),
        {"w": pattern(3, 2, 4)},
    ),
    "recurrent layout": (
        [
            make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
            make_node("Relu", ["t"], ["r"]),
            make_node("Gather", ["r", "last"], ["y"], axis=0),
        ],
        ("batch", 5, 3),
        {"last": ints(-1)},
    ),
    "batch and channels swapped for good": (
        [
            make_node("Transpose", ["x"], ["t"], perm=[2, 1, 0]),
            make_node("Add", ["t", "c"], ["y"]),
        ],
        (2, 3, 4),
        {"c": pattern(3, 2)},
    ),
    "constants of higher rank": (
        [make_node("Mul", ["x", "c"], ["y"])],
        (1, 3),
        {"c": pattern(2, 4, 3)},
    ),
    "entries of different rank": (
        [
            make_node("ReduceSum", ["x", "axes"], ["s"], keepdims=0),
            make_node("Sub", ["x", "s"], ["d"]),
            make_node("ReduceMean", ["d"], ["y"], axes=[0]),
        ],
        (2, 3),
        {"axes": ints([0])},
    ),
    "everything summed": (
        [make_node("ReduceSum", ["x"], ["s"], keepdims=0), make_node("Exp", ["s"], ["y"])],
        (2, 3),
        {},
    ),
    "flattened from the start": (
        [make_node("Flatten", ["x"], ["f"], axis=0), make_node("MatMul", ["f", "w"], ["y"])],
        (2, 3),
        {"w": pattern(6, 2)},
    ),
    "halves of the first axis": (
        [
            make_node("Split", ["x"], ["a", "b"], axis=0),
            make_node("Max", ["a", "b"], ["m"]),
            make_node("Concat", ["m", "c", "a"], ["y"], axis=0),
        ],
        (4, 3),
        {"c": pattern(1, 3)},
    ),
    "slices of the first axis": (
        [make_node("Slice", ["x", "starts", "ends"], ["s"]), make_node("Neg", ["s"], ["y"])],
        (4, 3),
        {"starts": ints([1, 0]), "ends": ints([3, 2])},
    ),
    "slices of a named axis": (
        [make_node("Slice", ["x", "starts", "ends", "axes", "steps"], ["y"])],
        (4, 3),
        {"starts": ints([-1]), "ends": ints([-9]), "axes": ints([-2]), "steps": ints([-2])},
    ),
    "softmax over the first axis": (
        [make_node("Softmax", ["x"], ["y"], axis=0)],
        (4, 3),
        {},
    ),
    "expanded": ([make_node("Expand", ["x", "to"], ["y"])], (3, 1), {"to": ints([2, 3, 4])}),
    "padded": ([make_node("Pad", ["x", "pads"], ["y"])], (2, 3), {"pads": ints([1, 0, 2, 1])}),
    "a batch axis that is squeezed and put back": (
        [
            make_node("Squeeze", ["x", "zero"], ["s"]),
            make_node("Unsqueeze", ["s", "zero"], ["u"]),
            make_node("MatMul", ["u", "w"], ["y"]),
        ],
        (1, 4),
        {"zero": ints([0]), "w": pattern(4, 2)},
    ),
    "shape arithmetic": (
        [
            make_node("Shape", ["x"], ["shape"]),
            make_node("Gather", ["shape", "zero"], ["batch"]),
            make_node("Concat", ["batch", "rest"], ["to"], axis=0),
            make_node("Reshape", ["x", "to"], ["r"]),
            make_node("Size", ["r"], ["size"]),
            make_node("Cast", ["size"], ["n"], to=onnx.TensorProto.FLOAT),
            make_node("Div", ["r", "n"], ["y"]),
        ],
        ("batch", 4, 3),
        {"zero": ints([0]), "rest": ints([-1, 2])},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_network_computes_what_onnxruntime_does(case: str) -> None:
    nodes, shape, arrays = CASES[case]
    data = model(nodes, shape, arrays)
    graph = prepare(read_onnx(data, "made"), "evaluation")
    shapes = infer_shapes(graph)
    assert all(shapes[value][0] == 1 for node in graph.nodes for value in node.outputs)
    assert agree(graph, data, 4, (np.full(shapes["x"], -2.0), np.full(shapes["x"], 2.0))) < 1e-5


@pytest.mark.parametrize("case", CASES)
def test_examples_of_a_batch_stay_apart(case: str) -> None:
    nodes, shape, arrays = CASES[case]
    graph = prepare(read_onnx(model(nodes, shape, arrays), "made"), "evaluation")
    program = lower_forward(graph, Weights(graph))
    x = torch.randn(3, *graph.inputs["x"][1:])
    alone = torch.cat([program(point) for point in x.split(1)])
    torch.testing.assert_close(program(x), alone)


@pytest.mark.parametrize("case", CASES)
def test_bounds_hold_samples(case: str) -> None:
    nodes, shape, arrays = CASES[case]
    graph = prepare(read_onnx(model(nodes, shape, arrays), "made"), "evaluation")
    weights = Weights(graph, torch.float64)
    middle = torch.randn(graph.inputs["x"], dtype=torch.float64)
    lower, upper = lower_interval(graph, weights, 2.0**-53)(middle - 0.25, middle + 0.25)
    share = torch.rand(200, *graph.inputs["x"][1:], dtype=torch.float64) / 2 - 0.25
    values = lower_forward(graph, weights)(middle + share)
    assert bool(((values >= lower) & (values <= upper)).all())


def test_a_lawful_network_is_left_alone() -> None:
    nodes = (Node("r", "Relu", ("x",), ("y",)),)
    graph = Graph("net", {"x": (1, 4)}, ("y",), nodes, {})
    assert batch_apart(graph) is graph
    assert join_views(graph) is graph


def test_transposes_of_single_axes_cost_nothing() -> None:
    nodes, shape, arrays = CASES["transposes around a product"]
    graph = prepare(read_onnx(model(nodes, shape, arrays), "made"), "evaluation")
    assert [node.op for node in graph.nodes] == ["Reshape", "MatMul", "Reshape"]
    assert graph.outputs == ("y",)
    assert infer_shapes(graph)["y"] == (1, 4)


def test_an_old_softmax_of_the_last_axis_is_one_node() -> None:
    data = model([make_node("Softmax", ["x"], ["y"], axis=2)], (1, 3, 4), opset=9)
    graph = prepare(read_onnx(data, "made"), "training")
    assert [node.op for node in graph.nodes] == ["Softmax"]
    assert agree(graph, data, 2) < 1e-6


def test_an_old_softmax_of_several_axes_keeps_its_meaning() -> None:
    data = model([make_node("Softmax", ["x"], ["y"], axis=1)], (1, 3, 4), opset=9)
    graph = prepare(read_onnx(data, "made"), "evaluation")
    assert agree(graph, data, 2) < 1e-6


def test_what_needs_a_batch_axis_is_refused_with_its_place() -> None:
    data = model([make_node("Conv", ["x", "w"], ["y"], "c")], (2, 3, 4), {"w": pattern(1, 3, 2)})
    with pytest.raises(ModelMistake, match=r"node `c` \(Conv\).*no batch axis") as told:
        prepare(read_onnx(data, "made"), "evaluation")
    assert told.value.diagnostics[0].fix


def test_a_shape_that_depends_on_the_input_is_refused_with_its_place() -> None:
    nodes = [
        make_node("ArgMax", ["x"], ["i"], axis=1),
        make_node("Gather", ["c", "i"], ["y"], "look-up"),
    ]
    data = model(nodes, (1, 3), {"c": pattern(3)})
    with pytest.raises(IbpcError, match="node `look-up`"):
        prepare(read_onnx(data, "made"), "evaluation")


def test_a_planted_wrong_reading_is_found() -> None:
    nodes, shape, arrays = CASES["a matrix"]
    data = model(nodes, shape, arrays)
    graph = prepare(read_onnx(data, "made"), "evaluation")
    constants = {name: array * 1.001 for name, array in graph.constants.items() if array.ndim > 1}
    assert agree(graph.replace(constants={**graph.constants, **constants}), data) > 1e-4
