"""Small networks and properties whose answer is sat: `unsat` for a changed one is news."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUTS = 4
BOX = "".join(
    f"(declare-const X_{i} Real)\n(assert (<= X_{i} 1.0))\n(assert (>= X_{i} -0.5))\n"
    for i in range(INPUTS)
)
CASES = (
    BOX + "(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
    "(assert (or (and (>= Y_0 Y_1) (>= Y_0 -9.5)) (and (<= (+ Y_0 (* 2.0 X_1)) 40.0))))\n"
)
ORDER = (
    BOX + "(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
    "(assert (<= Y_0 30.5))\n(assert (>= Y_1 -1e2))\n"
)
SECOND = """\
(vnnlib-version <2.0>)
(declare-network f
  (declare-input X float32 [1,4])
  (declare-output Y float32 [1,2]))
"""
SECOND += "".join(f"(assert (and (<= X[0,{i}] 1.0) (>= X[0,{i}] -0.5)))\n" for i in range(INPUTS))
SECOND += "(assert (or (<= Y[0,0] 25.0) (!= Y[0,1] Y[0,0])))\n"
PROPERTIES = (CASES, ORDER, SECOND)

Nodes = list[onnx.NodeProto]
Net = tuple[Nodes, dict[str, np.ndarray]]


def _floats(draw: np.random.Generator, *shape: int) -> np.ndarray:
    return draw.normal(size=shape).astype(np.float32)


def dense(draw: np.random.Generator) -> Net:
    """Gemm, Relu, Gemm."""
    held = {"w": _floats(draw, 6, 4), "b": _floats(draw, 6), "v": _floats(draw, 2, 6)}
    return [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1, name="first"),
        helper.make_node("Relu", ["h"], ["r"], name="act"),
        helper.make_node("Gemm", ["r", "v"], ["y"], transB=1, alpha=0.5, name="last"),
    ], held


def pooled(draw: np.random.Generator) -> Net:
    """Reshape, Conv, MaxPool, AveragePool, Flatten, MatMul, Add; constants as nodes."""
    shape = numpy_helper.from_array(np.array([1, 1, 2, 2]))
    held = {"k": _floats(draw, 3, 1, 2, 2), "m": _floats(draw, 3, 2), "c": _floats(draw, 2)}
    return [
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node("Reshape", ["x", "shape"], ["image"], name="image"),
        helper.make_node("Conv", ["image", "k"], ["z"], pads=[1, 1, 1, 1], kernel_shape=[2, 2]),
        helper.make_node("Relu", ["z"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[1, 1]),
        helper.make_node("AveragePool", ["p"], ["q"], kernel_shape=[2, 2]),
        helper.make_node("Flatten", ["q"], ["f"]),
        helper.make_node("MatMul", ["f", "m"], ["n"]),
        helper.make_node("Add", ["n", "c"], ["y"]),
    ], held


def shaped(draw: np.random.Generator) -> Net:
    """The shape arithmetic of exporters, and what makes values larger."""
    held = {
        "w": _floats(draw, 16, 2),
        "two": np.array([2]),
        "wide": np.array([1, 4, 2]),
        "pads": np.array([0, 0, 0, 0, 0, 1]),
        "starts": np.array([0]),
        "ends": np.array([4]),
        "last": np.array([2]),
        "scales": np.array([1, 1, 1, 2], np.float32),
        "open": np.array([1, -1]),
        "axis1": np.array([1]),
    }
    return [
        helper.make_node("Shape", ["x"], ["size"]),
        helper.make_node("Concat", ["size", "axis1"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["column"]),
        helper.make_node("Expand", ["column", "wide"], ["e"]),
        helper.make_node("ConstantOfShape", ["wide"], ["zeros"]),
        helper.make_node("Sub", ["e", "zeros"], ["s"]),
        helper.make_node("Pad", ["s", "pads"], ["padded"]),
        helper.make_node("Unsqueeze", ["padded", "axis1"], ["u"]),
        helper.make_node(
            "Resize",
            ["u", "", "scales"],
            ["large"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        helper.make_node("Squeeze", ["large", "axis1"], ["small"]),
        helper.make_node("Slice", ["small", "starts", "ends", "last"], ["cut"]),
        helper.make_node("LeakyRelu", ["cut"], ["r"], alpha=0.25),
        helper.make_node("Reshape", ["r", "open"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ], held


def smooth(draw: np.random.Generator) -> Net:
    """Curves, quotients, normalisation, joined branches."""
    held = {
        "w": _floats(draw, 4, 5),
        "scale": np.ones(5, np.float32),
        "shift": _floats(draw, 5),
        "variance": np.full(5, 0.5, np.float32),
        "low": np.float32(-1.5),
        "high": np.float32(1.5),
        "v": _floats(draw, 10, 2),
    }
    return [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "shift", "variance"], ["n"]),
        helper.make_node("Sigmoid", ["n"], ["s"]),
        helper.make_node("Clip", ["n", "low", "high"], ["c"]),
        helper.make_node("Tanh", ["c"], ["t"]),
        helper.make_node("Mul", ["s", "t"], ["m"]),
        helper.make_node("Softmax", ["n"], ["soft"], axis=1),
        helper.make_node("Concat", ["m", "soft"], ["both"], axis=1),
        helper.make_node("Gemm", ["both", "v"], ["y"]),
    ], held


NETS: tuple[Callable[[np.random.Generator], Net], ...] = (dense, pooled, shaped, smooth)


def model(which: int) -> onnx.ModelProto:
    """One of the bases as an ONNX model."""
    nodes, held = NETS[which](np.random.default_rng(which))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", 4] if which == 0 else [1, 4]), ("y", [1, 2]))
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in held.items()]
    graph = helper.make_graph(nodes, NETS[which].__name__, ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, ir_version=8, opset_imports=opsets)
