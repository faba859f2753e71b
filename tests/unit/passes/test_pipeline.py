"""The law for passes, and the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ibpc.errors import PassFailed
from ibpc.graph import (
    Graph,
    Node,
    broken_laws,
    print_graph,
    read_onnx,
    run_onnxruntime,
    write_onnx,
)
from ibpc.passes import PIPELINE, Pass, infer_shapes, pipeline, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("mlp", "conv", "residual")
PASSES = {step.name: step for step in PIPELINE}
ELSEWHERE = {
    ("fuse-matmul-add", "conv"),
    *(("batch-apart", kind) for kind in KINDS),
    *(("join-views", kind) for kind in KINDS),
    *(("weigh-dead", kind) for kind in KINDS),  # changes nothing
    *(("open-softmax", kind) for kind in KINDS),
    *(("open-quotients", kind) for kind in KINDS),
}
"""Passes with networks of their own, in their own tests."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PASSES)
def test_every_pass_keeps_the_function_and_the_law_and_is_idempotent(
    name: str,
    kind: str,
    drawn: Callable[[str, int], Graph],
    computed: Callable[[Graph], np.ndarray],
) -> None:
    changes = 0
    for seed in range(6):
        graph = drawn(kind, seed)
        if name not in ("fold-constants", "drop-dead"):
            graph = PASSES["fold-constants"].run(graph)  # the others need the graph's shapes
        changed = PASSES[name].run(graph)
        assert broken_laws(changed) == ()
        assert dict(changed.inputs) == dict(graph.inputs)
        assert changed.outputs == graph.outputs
        assert PASSES[name].run(changed) is changed
        if changed is not graph:
            changes += 1
            np.testing.assert_allclose(computed(changed), computed(graph), rtol=1e-5, atol=1e-5)
    assert changes or (name, kind) in ELSEWHERE, "nothing was tested"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("purpose", ["training", "evaluation"])
def test_a_prepared_network_computes_what_the_read_one_does(
    purpose: pipeline.Purpose,
    kind: str,
    drawn: Callable[[str, int], Graph],
    computed: Callable[[Graph], np.ndarray],
) -> None:
    for seed in range(6):
        graph = drawn(kind, seed)
        ready = prepare(graph, purpose)
        assert prepare(ready, purpose) is ready
        np.testing.assert_allclose(computed(ready), computed(graph), rtol=1e-5, atol=1e-5)
        if purpose == "evaluation":
            assert not {"Dropout", "BatchNormalization"} & {node.op for node in ready.nodes}


def test_a_prepared_network_takes_whole_batches(drawn: Callable[[str, int], Graph]) -> None:
    for seed in range(4):
        data = write_onnx(prepare(drawn("conv", seed), "evaluation"))
        batch = np.random.default_rng(0).normal(size=(5, 2, 4, 4))
        (whole,) = run_onnxruntime(data, {"x": batch}).values()
        for index in range(5):
            (one,) = run_onnxruntime(data, {"x": batch[index : index + 1]}).values()
            np.testing.assert_allclose(whole[index : index + 1], one, rtol=1e-5, atol=1e-5)


def test_a_prepared_network_survives_the_way_through_a_file(
    drawn: Callable[[str, int], Graph],
) -> None:
    graph = prepare(drawn("residual", 3), "training")
    assert prepare(read_onnx(write_onnx(graph), "again"), "training").nodes == graph.nodes


def test_the_trace_shows_each_pass_that_changed_something(
    drawn: Callable[[str, int], Graph],
) -> None:
    seen: list[tuple[str, str]] = []
    ready = prepare(drawn("mlp", 1), "evaluation", lambda name, text: seen.append((name, text)))
    names = [name for name, _ in seen]
    assert names[0] == "read"
    assert names[-1] == "ready for evaluation"
    assert set(names[1:-1]) <= set(PASSES)
    assert seen[-1][1] == print_graph(ready, infer_shapes(ready))


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda graph: graph.replace(nodes=graph.nodes[::-1]), "which nothing before it writes"),
        (lambda graph: graph.replace(outputs=("nowhere",)), "is written by nothing"),
        (lambda graph: graph.replace(outputs=("v",)), "inputs or outputs changed"),
    ],
)
def test_a_pass_that_breaks_the_law_is_named(
    break_it: Callable[[Graph], Graph], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = (Node("a", "Relu", ("x",), ("v",)), Node("b", "Relu", ("v",), ("y",)))
    graph = Graph("chain", {"x": (1, 2)}, ("y",), nodes, {})
    monkeypatch.setattr(pipeline, "PIPELINE", (Pass("bad-pass", break_it),))
    with pytest.raises(PassFailed, match="pass `bad-pass` broke the law of graph `chain`") as told:
        prepare(graph)
    assert sentence in str(told.value)
