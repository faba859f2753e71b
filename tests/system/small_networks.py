"""Small third-party networks that the system tests write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibpc.graph import Graph, Node, write_onnx

if TYPE_CHECKING:
    from pathlib import Path


def write_network(
    path: Path, shape: tuple[int, ...], width: int, outputs: int, seed: int = 0
) -> None:
    """Flatten, a hidden layer of `width` units with ReLU, and an output layer; random weights."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    constants = {
        "w1": (rng.normal(size=(width, size)) / np.sqrt(size)).astype("f4"),
        "b1": (rng.normal(size=width) * 0.1).astype("f4"),
        "w2": (rng.normal(size=(outputs, width)) / np.sqrt(width)).astype("f4"),
        "b2": (rng.normal(size=outputs) * 0.1).astype("f4"),
    }
    flat = (Node("flat", "Flatten", ("x",), ("v",)),) if len(shape) > 1 else ()
    first = "v" if flat else "x"
    nodes = (
        *flat,
        Node("fc1", "Gemm", (first, "w1", "b1"), ("h",), {"transB": 1}),
        Node("act", "Relu", ("h",), ("a",)),
        Node("fc2", "Gemm", ("a", "w2", "b2"), ("z",), {"transB": 1}),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write_onnx(Graph("small", {"x": (1, *shape)}, ("z",), nodes, constants)))
