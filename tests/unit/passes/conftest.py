"""Networks drawn at random, with everything in them that a pass looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ibpc.graph import Graph, Node, run_onnxruntime, write_onnx

if TYPE_CHECKING:
    from collections.abc import Callable


class Drawing:
    """A network while it is drawn: `add` appends a node that reads the running value."""

    def __init__(self, seed: int, shape: tuple[int, ...]) -> None:
        self.random = np.random.default_rng(seed)
        self.inputs = {"x": shape}
        self.value, self.shape = "x", shape
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}

    def constant(self, array: Any, dtype: str = "float32") -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array, dtype=dtype)
        return name

    def weights(self, *shape: int) -> str:
        return self.constant(self.random.normal(size=shape) * 0.5)

    def add(self, op: str, *operands: str, shape: tuple[int, ...] = (), **attributes: Any) -> str:
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(Node(name, op, (self.value, *operands), (f"v_{name}",), attributes))
        self.value, self.shape = f"v_{name}", shape or self.shape
        return self.value

    def graph(self) -> Graph:
        nodes = tuple(self.nodes)
        return Graph("drawn", self.inputs, (self.value,), nodes, self.constants)


def dense(net: Drawing, width: int) -> None:
    """A dense layer in one of its forms."""
    inputs = net.shape[1]
    form = net.random.integers(4)
    if form == 0:
        net.add("Gemm", net.weights(width, inputs), net.weights(width), transB=1, shape=(1, width))
    elif form == 1:
        operands = (net.weights(inputs, width), net.weights(width))
        net.add("Gemm", *operands, alpha=0.5, beta=2.0, shape=(1, width))
    elif form == 2:
        net.add("MatMul", net.weights(inputs, width), shape=(1, width))
        net.add("Add", net.weights(width))
    else:
        net.add("Gemm", net.weights(inputs, width), shape=(1, width))


def conv(net: Drawing, channels: int) -> None:
    """A convolution, with or without a bias."""
    _, before, high, wide = net.shape
    bias = (net.weights(channels),) if net.random.integers(2) else ()
    shape = (1, channels, high, wide)
    weight = net.weights(channels, before, 3, 3)
    net.add("Conv", weight, *bias, kernel_shape=(3, 3), pads=(1, 1, 1, 1), shape=shape)


def batch_norm(net: Drawing) -> None:
    """A BatchNormalization with statistics far from 0 and 1."""
    channels = net.shape[1]
    variance = net.constant(net.random.uniform(0.3, 3, channels))
    operands = [net.weights(channels) for _ in range(3)]
    net.add("BatchNormalization", *operands, variance, epsilon=2.0**-10)


def folded_bias(net: Drawing) -> None:
    """Adds a constant that the file computes from other constants."""
    left, right = net.weights(1, net.shape[1]), net.weights(1, net.shape[1])
    net.nodes.append(Node(f"sum{len(net.nodes)}", "Sub", (left, right), (f"s{len(net.nodes)}",)))
    shape = (1, net.shape[1], *(1,) * (len(net.shape) - 2))
    value, number = net.nodes[-1].outputs[0], len(net.nodes)
    target = net.constant(shape, "int64")
    net.nodes.append(Node(f"shaped{number}", "Reshape", (value, target), (f"t{number}",)))
    net.add("Add", f"t{number}")


def noise(net: Drawing) -> None:
    """Something that a pass takes out or mends."""
    kind = net.random.integers(6)
    if kind == 0:
        net.add("Identity")
    elif kind == 1:
        net.add("Dropout", net.constant(0.5))
    elif kind == 2:
        net.add("Reshape", net.constant([1, *net.shape[1:]], "int64"))
    elif kind == 3:
        net.add("Transpose", perm=tuple(range(len(net.shape))))
    elif kind == 4:
        batch_norm(net)
    else:
        folded_bias(net)


def residual(net: Drawing) -> None:
    """x + relu(bn(conv(x)))."""
    start = net.value
    conv(net, 3)
    batch_norm(net)
    net.add("Relu")
    net.add("Add", start)


def draw(kind: str, seed: int) -> Graph:
    """A small network: "mlp", "conv" or "residual"."""
    net = Drawing(seed, (1, 6) if kind == "mlp" else (1, 2, 4, 4))
    if kind != "mlp":
        conv(net, 3)
        noise(net)
        net.add("Relu")
        if kind == "residual":
            residual(net)
        noise(net)
        target = net.constant([1, 48], "int64")
        net.add("Reshape", target, shape=(1, 48))
    for width in (5, 4):
        dense(net, width)
        noise(net)
        net.add("Relu")
    dense(net, 3)
    if seed % 2:
        noise(net)
    net.nodes.append(Node("unread", "Relu", ("x",), ("nobody_reads_this",)))
    return net.graph()


@pytest.fixture
def drawn() -> Callable[[str, int], Graph]:
    """`drawn(kind, seed)`: a random network."""
    return draw


@pytest.fixture
def computed() -> Callable[[Graph], np.ndarray]:
    """`computed(graph)`: what onnxruntime computes on five points."""

    def run(graph: Graph) -> np.ndarray:
        random = np.random.default_rng(7)
        data = write_onnx(graph)
        outputs = []
        for _ in range(5):
            feeds = {name: random.normal(size=shape) for name, shape in graph.inputs.items()}
            outputs.append(
                np.concatenate([y.ravel() for y in run_onnxruntime(data, feeds).values()])
            )
        return np.stack(outputs)

    return run
