"""Networks that the tests of this folder share."""

from __future__ import annotations

import numpy as np

from ibpc.graph import Graph, Node


def hard_net(seed: int = 0, inputs: int = 6, width: int = 40) -> Graph:
    """A random net; with its full width a solver needs minutes."""
    rng = np.random.default_rng(seed)
    constants = {
        "W1": rng.normal(size=(width, inputs)),
        "W2": rng.normal(size=(width, width)) / np.sqrt(width),
        "W3": rng.normal(size=(1, width)),
        "c": np.array([-5.0]),
    }
    nodes = (
        Node("one", "Gemm", ("x", "W1"), ("h1",), {"transB": 1}),
        Node("act1", "Relu", ("h1",), ("a1",)),
        Node("two", "Gemm", ("a1", "W2"), ("h2",), {"transB": 1}),
        Node("act2", "Relu", ("h2",), ("a2",)),
        Node("three", "Gemm", ("a2", "W3", "c"), ("violation",), {"transB": 1}),
    )
    return Graph("hard", {"x": (1, inputs)}, ("violation",), nodes, constants)
