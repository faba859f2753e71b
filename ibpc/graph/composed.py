"""Operators that ONNX defines by others, written out: layer norm, Gelu, HardSwish, PRelu, Sum.

Source: function bodies of https://onnx.ai/onnx/operators/ (LayerNormalization-17, Gelu-20,
HardSwish-14, PRelu-16); Ba et al. 2016, arXiv:1607.06450; Hendrycks and Gimpel 2016,
arXiv:1606.08415.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, Any

from ibpc.graph.mistakes import OLD_FORM, mistake
from ibpc.graph.node_writer import NodeWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from ibpc.graph.ir import Node


def composed(
    node: Node, constants: dict[str, np.ndarray], taken: set[str], element: Any, origin: str
) -> list[Node]:
    """The nodes that stand for `node`; empty where it is not one of these operators.

    Raises: ModelMistake (E0809) for a form that cannot be written out.
    """
    rule = _RULES.get(node.op)
    if rule is None:
        return []
    writer = NodeWriter(node, constants, taken, element)
    why = rule(writer)
    if why:
        problem = f"node `{node.name}` ({node.op}) {why}"
        raise mistake(OLD_FORM, origin, problem, "export the network again with opset 13")
    return writer.finish()


def _sum(to: NodeWriter) -> str:
    """Sum of several operands as a chain of Add."""
    value = to.node.inputs[0]
    for operand in to.node.inputs[1:]:
        value = to.apply("Add", value, operand)
    if len(to.node.inputs) == 1:
        to.apply("Identity", value)
    return ""


def _layer_norm(to: NodeWriter) -> str:
    """(x - mean) / sqrt(variance + epsilon) scale + bias, over the last axis."""
    node = to.node
    if node.attributes.get("axis", -1) != -1:
        return "normalises over several axes"
    if len(node.outputs) > 1:
        return "gives its statistics as outputs"
    away = to.apply("Sub", node.inputs[0], to.apply("ReduceMean", node.inputs[0], axes=(-1,)))
    square = to.apply("Pow", away, to.constant("two", 2.0))
    variance = to.apply("ReduceMean", square, axes=(-1,))
    shifted = to.apply(
        "Add", variance, to.constant("epsilon", node.attributes.get("epsilon", 1e-5))
    )
    value = to.apply("Div", away, to.apply("Sqrt", shifted))
    value = to.apply("Mul", value, node.inputs[1])
    if len(node.inputs) > 2:
        to.apply("Add", value, node.inputs[2])
    return ""


def _gelu(to: NodeWriter) -> str:
    """X (1 + erf(x / sqrt(2))) / 2, or x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2."""
    x = to.node.inputs[0]
    if to.node.attributes.get("approximate", "none") == "tanh":
        cube = to.apply("Pow", x, to.constant("three", 3.0))
        bent = to.apply("Add", x, to.apply("Mul", cube, to.constant("share", 0.044715)))
        inner = to.apply("Tanh", to.apply("Mul", bent, to.constant("scale", sqrt(2 / pi))))
    else:
        inner = to.apply("Erf", to.apply("Mul", x, to.constant("scale", sqrt(0.5))))
    half = to.apply("Mul", x, to.constant("half", 0.5))
    to.apply("Mul", half, to.apply("Add", inner, to.constant("one", 1.0)))
    return ""


def _hard_swish(to: NodeWriter) -> str:
    """X times HardSigmoid(x) of slope 1/6."""
    x = to.node.inputs[0]
    to.apply("Mul", x, to.apply("HardSigmoid", x, alpha=1 / 6, beta=0.5))
    return ""


def _parametric_relu(to: NodeWriter) -> str:
    """max(x, 0) - slope max(-x, 0)."""
    x, slope = to.node.inputs
    below = to.apply("Relu", to.apply("Neg", x))
    to.apply("Sub", to.apply("Relu", x), to.apply("Mul", below, slope))
    return ""


_RULES: dict[str, Callable[[NodeWriter], str]] = {
    "Gelu": _gelu,
    "HardSwish": _hard_swish,
    "LayerNormalization": _layer_norm,
    "PRelu": _parametric_relu,
    "Sum": _sum,
}
