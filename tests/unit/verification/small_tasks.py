"""A small network, examples and tasks that the tests of this folder share."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ibpc.data import Examples
from ibpc.errors import Span
from ibpc.graph import Graph, Node, write_onnx
from ibpc.language import (
    Claim,
    InputSet,
    Invocation,
    OnnxNet,
    Report,
    TensorType,
    VerifyTask,
)

if TYPE_CHECKING:
    from pathlib import Path

HERE = Span("spec.ibp", 1, 1, 1, 2)
INPUTS, CLASSES, WIDTH = 3, 4, 12
BOX = TensorType((INPUTS,), ((Fraction(-1), Fraction(1)),))


def model(path: Path, seed: int = 0, batch: bool = True) -> Path:
    """A random network with two hidden layers, written to `path`."""
    rng = np.random.default_rng(seed)
    shapes = ((WIDTH, INPUTS), (WIDTH, WIDTH), (CLASSES, WIDTH))
    constants: dict[str, np.ndarray] = {}
    nodes: list[Node] = []
    value = "x"
    for number, (rows, columns) in enumerate(shapes):
        weight, bias, out = f"W{number}", f"b{number}", f"h{number}"
        constants[weight] = (rng.normal(size=(rows, columns)) / np.sqrt(columns)).astype("f4")
        constants[bias] = (rng.normal(size=rows) * 0.3).astype("f4")
        nodes.append(Node(f"fc{number}", "Gemm", (value, weight, bias), (out,), {"transB": 1}))
        value = out
        if number < 2:
            nodes.append(Node(f"relu{number}", "Relu", (out,), (f"a{number}",)))
            value = f"a{number}"
    graph = Graph("small", {"x": (1, INPUTS)}, (value,), tuple(nodes), constants)
    path.write_bytes(write_onnx(graph))
    return path


def examples(path: Path, count: int = 24, seed: int = 1) -> Examples:
    """Random points; labels are the network's own, but for every eighth."""
    from ibpc.graph import run_onnxruntime

    rng = np.random.default_rng(seed)
    images = rng.uniform(-0.95, 0.95, size=(count, INPUTS)).astype(np.float32)
    outputs = next(iter(run_onnxruntime(path.read_bytes(), {"x": images}).values()))
    labels = outputs.argmax(axis=1).astype(np.int64)
    labels[::8] = (labels[::8] + 1) % CLASSES
    return Examples(images, labels, 1.0, "random")


def stage(word: str, **arguments: Any) -> Invocation:
    """One stage with all its options."""
    defaults: dict[str, dict[str, Any]] = {
        "forward": {"predicate": "argmax"},
        "pgd": {
            "steps": 20,
            "restarts": 2,
            "step_size": None,
            "optimiser": "adam",
            "seed": 0,
        },
        "mip": {"timeout": 30.0, "solver": "cbc"},
        "lp": {"timeout": 30.0, "solver": "highs"},
    }
    return Invocation(word, {**defaults.get(word, {}), **arguments}, HERE)


def task(*reports: Report, eps: Fraction = Fraction(1, 15), strict: bool = False) -> VerifyTask:
    """The argmax claim on a ball, and the given reports."""
    net = OnnxNet("small", BOX, TensorType((CLASSES,)), "small.onnx", "", None, None, HERE)
    claim = Claim("robust", InputSet("ball", eps), CLASSES, (), True, strict, "", HERE)
    return VerifyTask("table", "table small", net, None, claim, reports, {}, HERE)


def report(name: str, *stages: Invocation, otherwise: str = "unknown") -> Report:
    """One report."""
    return Report(name, stages, otherwise, HERE)
