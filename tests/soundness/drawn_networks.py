"""Networks, claims and boxes drawn at random, small enough to search through."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ibpc.claims import append_claim
from ibpc.errors import Span
from ibpc.graph import Graph, Node
from ibpc.language.program import Claim, InputSet, Row

SPAN = Span("spec.ibp", 1, 1, 1, 2)
CLASSES = 3


@dataclass
class Drawing:
    """A graph while it is drawn: `add` appends a node that reads the running value."""

    draws: np.random.Generator
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self.inputs = {"x": (1, *self.shape)}
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self.value = "x"

    def constant(self, *shape: int) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = self.draws.standard_normal(shape).astype(np.float32)
        return name

    def add(self, op: str, *operands: str, **attributes: Any) -> str:
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(Node(name, op, (self.value, *operands), (name,), attributes))
        self.value = name
        return name

    def dense(self, width: int) -> None:
        operands = (self.constant(width, self.shape[0]), self.constant(width))
        self.add("Gemm", *operands, transB=1)
        self.shape = (width,)

    def graph(self) -> Graph:
        return Graph("drawn", self.inputs, (self.value,), tuple(self.nodes), self.constants)


def mlp(draws: np.random.Generator) -> Graph:
    """Dense layers and ReLUs."""
    net = Drawing(draws, (int(draws.integers(2, 5)),))
    for _ in range(int(draws.integers(1, 4))):
        net.dense(int(draws.integers(2, 7)))
        net.add("Relu")
    net.dense(CLASSES)
    return net.graph()


def shallow(draws: np.random.Generator) -> Graph:
    """One hidden layer, small enough to search through its activation patterns."""
    net = Drawing(draws, (int(draws.integers(2, 4)),))
    net.dense(int(draws.integers(2, 6)))
    net.add("Relu")
    net.dense(CLASSES)
    return net.graph()


def conv(draws: np.random.Generator) -> Graph:
    """A convolution, with or without padding and stride, then a dense layer."""
    net = Drawing(draws, (2, 5, 5))
    stride, pad, chan = (int(n) for n in (draws.integers(1, 3), draws.integers(0, 2), 3))
    operands = (net.constant(chan, 2, 3, 3), net.constant(chan))
    net.add("Conv", *operands, kernel_shape=[3, 3], strides=[stride] * 2, pads=[pad] * 4)
    net.add("Relu")
    net.add("Flatten", axis=1)
    size = (5 + 2 * pad - 3) // stride + 1
    net.shape = (chan * size * size,)
    net.dense(CLASSES)
    return net.graph()


def residual(draws: np.random.Generator) -> Graph:
    """Dense layers with a skip connection, which reads a value twice."""
    width = int(draws.integers(2, 6))
    net = Drawing(draws, (3,))
    net.dense(width)
    skip = net.add("Relu")
    net.dense(width)
    net.add("Relu")
    net.dense(width)
    net.add("Add", skip)
    net.add("Relu")
    net.dense(CLASSES)
    return net.graph()


FAMILIES = {"mlp": mlp, "shallow": shallow, "conv": conv, "residual": residual}


def argmax() -> Claim:
    ball = InputSet("ball", Fraction(1, 10))
    return Claim("robust", ball, CLASSES, (), True, False, "argmax", SPAN)


def rows(draws: np.random.Generator) -> Claim:
    """Rows with rational coefficients, the same for every label."""

    def number() -> Fraction:
        return Fraction(int(draws.integers(-20, 21)), int(draws.integers(1, 8)))

    table = tuple(
        Row(tuple((k, number()) for k in range(CLASSES)), number(), strict=False) for _ in range(2)
    )
    return Claim("rows", InputSet("domain"), CLASSES, (table,), False, False, "rows", SPAN)


def drawn(family: str, seed: int) -> tuple[Graph, np.ndarray, np.ndarray, int]:
    """A network with its claim, a box (1, *shape) in float64, and a label."""
    draws = np.random.default_rng(seed)
    graph = FAMILIES[family](draws)
    claim = argmax() if seed % 2 else rows(draws)
    center = draws.standard_normal(graph.inputs["x"])
    radius = draws.random(center.shape) * 10.0 ** draws.integers(-3, 1)
    lower, upper = center - radius, center + radius
    return append_claim(graph, claim), lower, upper, int(draws.integers(CLASSES))


def points_of(
    lower: np.ndarray, upper: np.ndarray, count: int, draws: np.random.Generator
) -> np.ndarray:
    """Points of a box: uniform ones, then corners.  Shape: (2 count, *dims)."""
    inside = draws.uniform(lower, upper, (count, *lower.shape[1:]))
    corners = np.where(draws.random((count, *lower.shape[1:])) < 0.5, lower, upper)
    return np.concatenate([inside, corners])
