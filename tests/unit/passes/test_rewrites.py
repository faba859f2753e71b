"""Each rewrite on its own: what it gives, as text, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from ibpc.bounds import Weights, lower_forward, lower_interval
from ibpc.errors import ModelMistake
from ibpc.graph import Graph, Node, print_graph
from ibpc.passes import (
    drop_dead,
    drop_dropout,
    drop_identities,
    fold_batch_norm,
    fold_constants,
    free_batch,
    fuse_matmul_add,
    open_quotients,
    open_softmax,
    transpose_weights,
)

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parents[2] / "golden" / "passes"


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def net(nodes: list[Node], constants: dict[str, np.ndarray], *outputs: str) -> Graph:
    return Graph("net", {"x": (1, 2)}, outputs or ("y",), tuple(nodes), constants)


def bn_net(op: str, **attributes: int) -> Graph:
    weight = ones(3, 2) if attributes.get("transB") else ones(2, 3)
    constants = {
        "w": weight,
        "scale": np.array([1, 2, 3], np.float32),
        "bias": np.array([0, 1, 0], np.float32),
        "mean": np.array([0, 0, 1], np.float32),
        "var": np.array([1, 1, 4], np.float32),
    }
    statistics = ("scale", "bias", "mean", "var")
    return net(
        [
            Node("fc", op, ("x", "w"), ("h",), attributes),
            Node("bn", "BatchNormalization", ("h", *statistics), ("y",), {"epsilon": 0.0}),
        ],
        constants,
    )


CASES: dict[str, tuple[Callable[[Graph], Graph], Graph]] = {
    "drop_dead": (
        drop_dead,
        net(
            [
                Node("used", "Add", ("x", "c"), ("y",)),
                Node("unused", "Mul", ("x", "d"), ("z",)),
            ],
            {"c": ones(2), "d": ones(2)},
        ),
    ),
    "drop_identities": (
        drop_identities,
        net(
            [
                Node("before", "Identity", ("x",), ("a",)),
                Node("act", "Relu", ("a",), ("b",)),
                Node("flat", "Flatten", ("b",), ("c",), {"axis": 1}),
                Node("after", "Identity", ("c",), ("y",)),
            ],
            {},
        ),
    ),
    "drop_identities_at_both_ends": (
        drop_identities,
        net([Node("only", "Identity", ("x",), ("y",))], {}),
    ),
    "drop_dropout": (
        drop_dropout,
        net(
            [
                Node("act", "Relu", ("x",), ("a",)),
                Node("drop", "Dropout", ("a", "ratio"), ("b", "mask")),
                Node("twice", "Add", ("b", "b"), ("y",)),
            ],
            {"ratio": np.float32(0.5).reshape(())},
        ),
    ),
    "fold_constants": (
        fold_constants,
        net(
            [
                Node("sum", "Add", ("c", "d"), ("e",)),
                Node("wide", "Unsqueeze", ("e", "axes"), ("f",)),
                Node("add", "Add", ("x", "f"), ("y",)),
            ],
            {"c": ones(2), "d": ones(2), "axes": np.array([0])},
        ),
    ),
    "fold_batch_norm_into_gemm": (fold_batch_norm, bn_net("Gemm", transB=1)),
    "fold_batch_norm_beside_matmul": (fold_batch_norm, bn_net("MatMul")),
    "free_batch": (
        free_batch,
        net([Node("r", "Reshape", ("x", "to"), ("y",))], {"to": np.array([1, 2, 1])}),
    ),
    "fuse_matmul_add": (
        fuse_matmul_add,
        net(
            [
                Node("mm", "MatMul", ("x", "w"), ("a",)),
                Node("bias", "Add", ("b", "a"), ("y",)),
            ],
            {"w": ones(2, 3), "b": ones(3)},
        ),
    ),
    "transpose_weights": (
        transpose_weights,
        net(
            [
                Node("one", "Gemm", ("x", "w", "b"), ("a",), {"alpha": 0.5}),
                Node("two", "Gemm", ("a", "v"), ("y",), {"transB": 1}),
            ],
            {"w": ones(2, 3), "b": ones(3), "v": ones(2, 3)},
        ),
    ),
    "open_quotients": (
        open_quotients,
        net(
            [
                Node("half", "Div", ("x", "c"), ("a",)),
                Node("ratio", "Div", ("a", "x"), ("y",)),
            ],
            {"c": ones(2)},
        ),
    ),
    "open_softmax": (open_softmax, net([Node("s", "Softmax", ("x",), ("y",), {"axis": -1})], {})),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rewrite_gives_the_golden_text(case: str, golden: Callable[[Path, str], None]) -> None:
    rewrite, graph = CASES[case]
    text = print_graph(graph) + "-- becomes --\n" + print_graph(rewrite(graph))
    golden(GOLDEN / f"{case}.ir", text)


def test_a_product_that_others_read_is_not_fused() -> None:
    graph = net(
        [
            Node("mm", "MatMul", ("x", "w"), ("a",)),
            Node("bias", "Add", ("a", "b"), ("c",)),
            Node("sum", "Add", ("a", "c"), ("y",)),
        ],
        {"w": ones(2, 3), "b": ones(3)},
    )
    assert fuse_matmul_add(graph) is graph


def test_a_product_that_is_an_output_is_not_fused() -> None:
    graph = net(
        [Node("mm", "MatMul", ("x", "w"), ("a",)), Node("bias", "Add", ("a", "b"), ("y",))],
        {"w": ones(2, 3), "b": ones(3)},
        "a",
        "y",
    )
    assert fuse_matmul_add(graph) is graph


def test_batch_norm_spares_a_weight_that_another_layer_shares() -> None:
    graph = bn_net("Gemm", transB=1)
    twin = Node("twin", "Gemm", ("x", "w"), ("t",), {"transB": 1})
    total = Node("total", "Add", ("y", "t"), ("z",))
    graph = graph.replace(nodes=(*graph.nodes, twin, total), outputs=("z",))
    folded = fold_batch_norm(graph)
    np.testing.assert_array_equal(folded.constants["w"], graph.constants["w"])
    assert folded.nodes[0].inputs[1] != "w"
    assert folded.nodes[0].inputs[1] in folded.constants


def test_folded_weights_are_exact_to_float64() -> None:
    folded = fold_batch_norm(bn_net("Gemm", transB=1))
    assert folded.constants["w"].dtype == np.float64
    np.testing.assert_array_equal(folded.constants["w"], [[1, 1], [2, 2], [1.5, 1.5]])
    np.testing.assert_array_equal(folded.constants["fc.bias"], [0, 1, -1.5])


def test_batch_norm_in_training_mode_is_left_alone() -> None:
    graph = bn_net("Gemm", transB=1)
    first, last = graph.nodes
    training = Node(last.name, last.op, last.inputs, last.outputs, {"training_mode": 1})
    graph = graph.replace(nodes=(first, training))
    assert fold_batch_norm(graph) is graph


def test_a_variance_that_is_not_positive_is_refused() -> None:
    graph = bn_net("Gemm", transB=1)
    graph = graph.replace(constants={**graph.constants, "var": np.array([1, -1, 1], np.float32)})
    with pytest.raises(ModelMistake, match=r"node `bn` .* has a variance that is not positive"):
        fold_batch_norm(graph)


def test_constants_that_do_not_fit_together_are_located() -> None:
    nodes = [Node("bad", "Reshape", ("c", "to"), ("a",)), Node("add", "Add", ("x", "a"), ("y",))]
    with pytest.raises(ModelMistake, match=r"node `bad` \(Reshape\)"):
        fold_constants(net(nodes, {"c": ones(3), "to": np.array([2, 2])}))


@pytest.mark.parametrize("what", ["switch", "mask"])
def test_a_dropout_that_stays_random_is_refused(what: str) -> None:
    inputs = ("x", "ratio", "on") if what == "switch" else ("x", "ratio")
    nodes = [Node("drop", "Dropout", inputs, ("y", "mask"))]
    constants = {"ratio": np.array(0.5, np.float32), "on": np.array(True)}
    outputs = ("y",) if what == "switch" else ("y", "mask")
    with pytest.raises(ModelMistake, match="node `drop`"):
        drop_dropout(net(nodes, constants, *outputs))


def test_folding_refuses_to_blow_a_small_file_up() -> None:
    graph = net(
        [
            Node("bomb", "ConstantOfShape", ("to",), ("a",)),
            Node("add", "Add", ("x", "a"), ("y",)),
        ],
        {"to": np.array([100_000, 100_000])},
    )
    with pytest.raises(ModelMistake, match=r"node `bomb` \(ConstantOfShape\) gives 1e\+10 numbers"):
        fold_constants(graph)


def test_random_numbers_are_not_constants() -> None:
    graph = net(
        [
            Node("dice", "RandomNormalLike", ("c",), ("a",)),
            Node("add", "Add", ("x", "a"), ("y",)),
        ],
        {"c": ones(2)},
    )
    assert fold_constants(graph) is graph


def test_an_identity_between_two_outputs_stays() -> None:
    graph = net(
        [Node("act", "Relu", ("x",), ("a",)), Node("same", "Identity", ("a",), ("y",))],
        {},
        "a",
        "y",
    )
    assert drop_identities(graph) is graph


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_an_opened_softmax_computes_and_bounds_the_same(axis: int) -> None:
    graph = Graph(
        "net",
        {"x": (1, 3, 4)},
        ("y",),
        (Node("s", "Softmax", ("x",), ("y",), {"axis": axis}),),
        {"unused": ones(1)},
    )
    opened = open_softmax(graph)
    assert not any(node.op == "Softmax" for node in opened.nodes)
    draws = np.random.default_rng(axis + 1)
    lower = draws.normal(size=(5, 3, 4)) * 3
    box = [torch.from_numpy(side) for side in (lower, lower + draws.random((5, 3, 4)))]
    for program, inputs in ((lower_forward, box[:1]), (lower_interval, box)):
        before, after = (
            program(one, Weights(one, torch.float64))(*inputs) for one in (graph, opened)
        )
        for own, other in zip(torch.atleast_1d(before), torch.atleast_1d(after), strict=True):
            torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


def test_a_softmax_over_a_long_axis_stays() -> None:
    graph = Graph("net", {"x": (1, 65)}, ("y",), (Node("s", "Softmax", ("x",), ("y",)),), {})
    assert open_softmax(graph) is graph


def test_a_transposed_weight_is_the_weight_transposed() -> None:
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    graph = net([Node("one", "Gemm", ("x", "w"), ("y",))], {"w": weight})
    turned = transpose_weights(graph)
    np.testing.assert_array_equal(turned.constants[turned.nodes[0].inputs[1]], weight.T)
    assert "w" not in turned.constants
    assert transpose_weights(turned) is turned
