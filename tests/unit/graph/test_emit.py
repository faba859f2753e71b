from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ibpc.graph import (
    INITIALISERS,
    emit,
    initial_weight,
    print_graph,
    read_onnx,
    run_onnxruntime,
    write_onnx,
)
from ibpc.language.program import DeclaredNet

HERE = Path(__file__).parent


def by_hand(constants: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The planned network in numpy loops."""
    image = 0.5 * x[0].astype(np.float64)
    kernel = constants["conv1.weight"].astype(np.float64)
    conv = np.zeros((3, 3, 3))
    for row in range(3):
        for column in range(3):
            patch = image[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            conv[:, row, column] = np.tensordot(kernel, patch, 3) + constants["conv1.bias"]
    active = np.where(conv > 0, conv, 0.1 * conv).reshape(-1)
    return constants["out.weight"].astype(np.float64) @ active + constants["out.bias"]


def test_the_emitted_network_is_what_the_plan_says(plan: DeclaredNet) -> None:
    graph = emit(plan, seed=3)
    data = write_onnx(graph)
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=(1, 2, 7, 7)).astype(np.float32)
        (found,) = run_onnxruntime(data, {"x": x}).values()
        np.testing.assert_allclose(found[0], by_hand(graph.constants, x), rtol=1e-5, atol=1e-5)


def test_names_come_from_the_plan(plan: DeclaredNet) -> None:
    graph = emit(plan, seed=3)
    assert [node.name for node in graph.nodes] == ["scale", "conv1", "act", "flat", "out"]
    assert [node.outputs for node in graph.nodes] == [(node.name,) for node in graph.nodes]
    assert graph.nodes[1].inputs == ("scale", "conv1.weight", "conv1.bias")
    assert graph.inputs == {"x": (1, 2, 7, 7)}
    assert graph.outputs == ("out",)


def test_what_is_written_is_read_back(plan: DeclaredNet) -> None:
    graph = emit(plan, seed=3)
    again = read_onnx(write_onnx(graph), "again")
    assert print_graph(again) == print_graph(graph)
    assert again.nodes == graph.nodes
    assert write_onnx(again) == write_onnx(graph)


def test_weights_follow_from_seed_and_name(plan: DeclaredNet) -> None:
    one, same, other = emit(plan, seed=1), emit(plan, seed=1), emit(plan, seed=2)
    np.testing.assert_array_equal(one.constants["out.weight"], same.constants["out.weight"])
    assert (one.constants["out.weight"] != other.constants["out.weight"]).any()
    assert (one.constants["conv1.bias"] == 0).all()
    assert (one.constants["out.bias"] == 1).all()


@pytest.mark.parametrize("shape", [(8, 3, 2, 2), (20, 2, 3, 1), (5, 5)])
def test_orthogonal_weights_are_orthogonal(shape: tuple[int, ...]) -> None:
    weight = initial_weight("orthogonal", {"gain": 2.0}, 0, "w", shape).astype(np.float64)
    matrix = weight.reshape(shape[0], -1)
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_the_ibp_initialiser_keeps_the_width_of_bounds() -> None:
    weight = initial_weight("ibp", {}, 0, "w", (400, 300)).astype(np.float64)
    radius = np.abs(weight).sum(axis=1).mean()  # of a box of radius 1 behind the layer
    assert radius == pytest.approx(2, rel=0.01)  # ReLU halves it again


def test_the_kaiming_initialiser_keeps_the_variance_of_values() -> None:
    weight = initial_weight("kaiming", {}, 0, "w", (400, 30, 3, 3))
    assert weight.var() * 270 == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("word", INITIALISERS)
def test_every_initialiser_says_where_it_comes_from(word: str) -> None:
    assert "arXiv" in INITIALISERS[word].source
    assert initial_weight(word, {}, 0, "w", (3, 4)).dtype == np.float32


def test_bytes_are_the_same_in_every_process(plan: DeclaredNet) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import conftest, ibpc.graph as g\n"
        "sys.stdout.buffer.write(g.write_onnx(g.emit(conftest.planned_net(), 5)))"
    )
    other = {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    paths = os.pathsep.join([str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")])
    found = subprocess.run(
        [sys.executable, "-c", code, str(HERE)],
        env={**os.environ, **other, "PYTHONPATH": paths},
        capture_output=True,
        check=True,
    )
    first, second = write_onnx(emit(plan, 5)), write_onnx(emit(plan, 5))
    assert first == second
    assert found.stdout == first


def test_a_large_orthogonal_weight_does_not_depend_on_the_number_of_threads() -> None:
    import torch

    threads, drawn = torch.get_num_threads(), []
    for count in (1, 2):
        torch.set_num_threads(count)
        drawn.append(initial_weight("orthogonal", {}, 0, "w", (100, 3000)))
        assert torch.get_num_threads() == count
    torch.set_num_threads(threads)
    np.testing.assert_array_equal(*drawn)
