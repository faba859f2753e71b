"""Small networks with claims for the tests of bounds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ibpc.claims import append_claim
from ibpc.errors import Span
from ibpc.graph import Graph, Node
from ibpc.language.program import Claim, InputSet
from ibpc.passes import elide

SPAN = Span("spec.ibp", 1, 1, 1, 2)


def argmax(classes: int) -> Claim:
    ball = InputSet("ball", Fraction(1, 10))
    return Claim("robust", ball, classes, (), True, False, "argmax", SPAN)


def conv_net(batch_norm: bool = False) -> Graph:
    """2x6x6 -> conv 3 3x3+1 (-> BatchNormalization) -> relu -> out 4, float32."""
    draws = np.random.default_rng(3)

    def constant(*shape: int) -> np.ndarray:
        return (draws.standard_normal(shape) / 2).astype(np.float32)

    constants = {
        "conv1.weight": constant(3, 2, 3, 3),
        "conv1.bias": constant(3),
        "out.weight": constant(4, 48),
        "out.bias": constant(4),
    }
    conv = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [0, 0, 0, 0]}
    operands = ("x", "conv1.weight", "conv1.bias")
    nodes = [Node("conv1", "Conv", operands, ("conv1",), conv)]
    if batch_norm:
        roles = {"scale": constant(3), "bias": constant(3), "mean": constant(3)}
        roles["var"] = abs(constant(3)) + np.float32(0.5)
        constants |= {f"norm.{role}": array for role, array in roles.items()}
        operands = ("conv1", *(f"norm.{role}" for role in roles))
        nodes.append(Node("norm", "BatchNormalization", operands, ("norm",), {"momentum": 0.9}))
    nodes += [
        Node("conv1_relu", "Relu", (nodes[-1].name,), ("conv1_relu",)),
        Node("flatten", "Flatten", ("conv1_relu",), ("flatten",), {"axis": 1}),
        Node("out", "Gemm", ("flatten", "out.weight", "out.bias"), ("out",), {"transB": 1}),
    ]
    return Graph("net", {"x": (1, 2, 6, 6)}, ("out",), tuple(nodes), constants)


def claimed(graph: Graph) -> Graph:
    """The network with the argmax claim, elided."""
    return elide(append_claim(graph, argmax(4)))
