"""Graphs of every shape that CROWN meets: skips, concats, products of two values, bent curves."""

from __future__ import annotations

import numpy as np
import torch
from drawn_networks import CLASSES, FAMILIES, Drawing

from ibpc.bounds import Weights, lower_forward
from ibpc.graph import Graph, Node


def _act(net: Drawing) -> None:
    """A nonlinearity, ReLU in half of all cases."""
    op = net.draws.choice(["Relu"] * 4 + ["LeakyRelu", "Sigmoid", "Tanh", "Clip"])
    if op == "LeakyRelu":
        net.add(op, alpha=float(net.draws.choice([0.1, 0.5, 1.5])))
    elif op == "Clip":
        net.add(op, min=-0.5, max=1.0)
    else:
        net.add(str(op))


def branching(draws: np.random.Generator) -> Graph:
    """Two branches that meet in a sum, a difference, a product or a concat."""
    width = int(draws.integers(2, 5))
    net = Drawing(draws, (3,))
    net.dense(width)
    _act(net)
    start = net.value
    branches = []
    for _ in range(2):
        net.value, net.shape = start, (width,)
        net.dense(width)
        _act(net)
        branches.append(net.value)
    net.value = branches[0]
    op = str(draws.choice(["Add", "Sub", "Mul", "Concat"]))
    net.add(op, branches[1], **({"axis": 1} if op == "Concat" else {}))
    net.shape = (2 * width if op == "Concat" else width,)
    if draws.random() < 0.5:
        _act(net)
    net.dense(CLASSES)
    return net.graph()


def pooled(draws: np.random.Generator) -> Graph:
    """A strided convolution, a pool of either kind, a dense layer."""
    net = Drawing(draws, (2, 6, 6))
    operands = (net.constant(3, 2, 3, 3), net.constant(3))
    stride = int(draws.integers(1, 3))
    net.add("Conv", *operands, kernel_shape=[3, 3], strides=[stride] * 2, pads=[1, 0, 1, 1])
    size = [(6 + pad - 3) // stride + 1 for pad in (2, 1)]
    _act(net)
    pool = str(draws.choice(["MaxPool", "AveragePool"]))
    net.add(pool, kernel_shape=[2, 2], strides=[1, 1])
    net.add("Flatten", axis=1)
    net.shape = (3 * (size[0] - 1) * (size[1] - 1),)
    net.dense(CLASSES)
    return net.graph()


def attention(draws: np.random.Generator) -> Graph:
    """Rows of a matrix compared with each other: a product of two values, as matrices."""
    net = Drawing(draws, (6,))
    net.dense(6)
    net.constants["split"] = np.array([0, 3, 2])
    matrix = net.add("Reshape", "split")
    left = net.add("MatMul", net.constant(2, 2))
    net.value = matrix
    turned = net.add("Transpose", perm=[0, 2, 1])
    net.value = left
    net.add("MatMul", turned)
    _act(net)
    net.add("Flatten", axis=1)
    net.shape = (9,)
    net.dense(CLASSES)
    return net.graph()


def bent(draws: np.random.Generator) -> Graph:
    """Dense layers and nonlinearities of all kinds."""
    net = Drawing(draws, (int(draws.integers(2, 5)),))
    for _ in range(int(draws.integers(1, 4))):
        net.dense(int(draws.integers(2, 7)))
        _act(net)
    net.dense(CLASSES)
    return net.graph()


SHAPES = {
    **FAMILIES,
    "branching": branching,
    "pooled": pooled,
    "attention": attention,
    "bent": bent,
}


def boxes(
    graph: Graph, count: int, draws: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes from tiny to huge, some without any width, some with a few fixed entries."""
    shape = (count, *graph.inputs["x"][1:])
    each = (count, *(1,) * (len(shape) - 1))
    center = draws.standard_normal(shape) * 10.0 ** draws.integers(-1, 2, each)
    radius = draws.random(shape) * 10.0 ** draws.integers(-6, 2, each)
    radius *= (draws.random(shape) > 0.2) * (draws.random(each) > 0.05)
    return torch.from_numpy(center - radius), torch.from_numpy(center + radius)


def inside(
    lower: torch.Tensor, upper: torch.Tensor, count: int, draws: np.random.Generator
) -> torch.Tensor:
    """Points of every box, a half of them corners.  Shape: (batch, count, *dims)."""
    share = torch.from_numpy(draws.random((len(lower), count, *lower.shape[1:])))
    share[:, : count // 2] = share[:, : count // 2].round()
    low, high = lower.unsqueeze(1), upper.unsqueeze(1)
    return torch.minimum(torch.maximum(low + share * (high - low), low), high)


def values_at(graph: Graph, points: torch.Tensor, value: str | None = None) -> torch.Tensor:
    """The output, or another value, at points.  Shape: (batch, count, *dims)."""
    if value is not None:
        graph = _up_to(graph, value)
    flat = points.flatten(0, 1)
    with torch.no_grad():
        found = lower_forward(graph, Weights(graph, torch.float64))(flat)
    return found.reshape(*points.shape[:2], *found.shape[1:])


def _up_to(graph: Graph, value: str) -> Graph:
    kept: list[Node] = []
    for node in graph.nodes:
        kept.append(node)
        if value in node.outputs:
            break
    return graph.replace(nodes=tuple(kept), outputs=(value,))
