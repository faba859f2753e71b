"""What is too large is refused before anybody computes it, read or not."""

from __future__ import annotations

import numpy as np
import pytest

from ibpc.errors import ModelMistake
from ibpc.graph import Graph, Node
from ibpc.passes import fold_constants, infer_shapes, prepare, weigh_dead

BILLION = np.array([10**9])


def beside(op: str, *operands: str, **held: np.ndarray) -> Graph:
    """relu(x), and a node that nobody reads."""
    nodes = (Node("more", op, operands, ("m",)), Node("act", "Relu", ("x",), ("y",)))
    return Graph("net", {"x": (1, 4)}, ("y",), nodes, held)


def test_a_dead_node_of_a_modest_size_is_dropped() -> None:
    graph = beside("Tile", "x", "by", by=np.array([1, 3]))
    assert weigh_dead(graph) is graph
    assert [node.name for node in prepare(graph).nodes] == ["act"]


@pytest.mark.parametrize("op", ["Expand", "Tile"])
def test_a_dead_node_with_too_large_a_value_is_refused(op: str) -> None:
    by = np.array([10**6, 10**3] if op == "Tile" else [10**9, 1, 4])
    with pytest.raises(ModelMistake, match=rf"net: node `more` \({op}\) gives 4e\+09 numbers"):
        prepare(beside(op, "x", "by", by=by))


def test_a_dead_node_of_unknown_size_is_refused() -> None:
    with pytest.raises(ModelMistake, match=r"nobody reads what node `more` \(NonZero\) computes"):
        prepare(beside("NonZero", "x"))


@pytest.mark.parametrize("op", ["ConstantOfShape", "Expand"])
def test_a_constant_that_would_be_too_large_is_not_made(op: str) -> None:
    operands = ("shape",) if op == "ConstantOfShape" else ("one", "shape")
    graph = beside(op, *operands, one=np.ones(1, np.float32), shape=BILLION)
    with pytest.raises(ModelMistake, match=r"gives 1e\+09 numbers"):
        fold_constants(graph)


def test_a_value_on_the_way_that_is_too_large_is_refused() -> None:
    pads = np.array([0, 0, 0, 2**40])
    nodes = (Node("wide", "Pad", ("x", "pads"), ("y",)),)
    graph = Graph("net", {"x": (1, 4)}, ("y",), nodes, {"pads": pads})
    with pytest.raises(ModelMistake, match=r"node `wide` \(Pad\) gives 1\.1e\+12 numbers"):
        infer_shapes(graph)
