"""A product gives what its networks give, each on its own entries of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ibpc.errors import ModelMistake, Span
from ibpc.graph import Graph, Node, product_graph, run_onnxruntime, write_onnx
from ibpc.language import Application, DeclaredNet, Product, TensorType

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOWHERE = Span("spec.ibp", 1, 1, 1, 2)


def affine(seed: int, inputs: tuple[int, ...], outputs: int) -> tuple[Graph, NDArray[np.float32]]:
    """z = W flat(x), and W."""
    size = int(np.prod(inputs))
    weight = np.random.default_rng(seed).normal(size=(outputs, size)).astype(np.float32)
    nodes = (
        Node("flat", "Flatten", ("x",), ("flat",), {"axis": 1}),
        Node("out", "Gemm", ("flat", "w"), ("z",), {"transB": 1}),
    )
    return Graph(f"net{seed}", {"x": (1, *inputs)}, ("z",), nodes, {"w": weight}), weight


def wired(entries: tuple[tuple[int, ...] | None, ...], shape: tuple[int, ...]) -> Product:
    kind = TensorType(shape)
    nets = tuple(DeclaredNet(n, kind, kind, (), (), 0, 0, NOWHERE) for n in ("one", "two"))
    applications = tuple(Application(place % 2, one) for place, one in enumerate(entries))
    return Product("both", nets, applications, kind, TensorType((4,)), NOWHERE)


def test_networks_share_the_whole_input() -> None:
    (first, w), (second, v) = affine(1, (2, 3), 2), affine(2, (6,), 3)
    graph = product_graph(wired((None, None), (2, 3)), [first, second])
    x = np.random.default_rng(0).normal(size=(1, 2, 3)).astype(np.float32)
    (found,) = run_onnxruntime(write_onnx(graph), {"x": x}).values()
    wanted = np.concatenate([w @ x.reshape(-1), v @ x.reshape(-1)])
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5)


def test_one_network_reads_different_entries_and_keeps_one_set_of_weights() -> None:
    (first, w), (second, v) = affine(1, (2,), 2), affine(2, (1, 2), 1)
    graph = product_graph(wired(((0, 1), (1, 2), (2, 1)), (3,)), [first, second])
    x = np.array([[0.5, -1.0, 2.0]], dtype=np.float32)
    (found,) = run_onnxruntime(write_onnx(graph), {"x": x}).values()
    wanted = [*(w @ x[0, [0, 1]]), *(v @ x[0, [1, 2]]), *(w @ x[0, [2, 1]])]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5)
    assert sum(name.endswith(".w") for name in graph.constants) == 2


def test_an_input_of_another_size_is_refused() -> None:
    (first, _), (second, _) = affine(1, (2,), 2), affine(2, (5,), 1)
    with pytest.raises(ModelMistake, match="reads 5 numbers"):
        product_graph(wired((None, None), (2,)), [first, second])
