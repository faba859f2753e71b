"""Walking a graph: bounds in doubt and facets that are missing are said, never encoded."""

from __future__ import annotations

import numpy as np
import pytest
from nets_for_milp import hard_net

from ibpc.errors import NumericalDoubt, UnsupportedOperator
from ibpc.graph import Graph, Node
from ibpc.milp import encode, write_lp


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -2.0])
def test_a_doubtful_input_box_is_refused(wrong: float) -> None:
    upper = np.ones(6)
    upper[2] = wrong
    with pytest.raises(NumericalDoubt):
        encode(hard_net(), 0, -np.ones(6), upper)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_doubtful_bounds_of_a_value_are_refused(value: float) -> None:
    known = {"h1": (np.full(40, -100.0), np.full(40, value))}
    with pytest.raises(NumericalDoubt, match="h1"):
        encode(hard_net(), 0, -np.ones(6), np.ones(6), known)


def test_bounds_that_cross_are_refused() -> None:
    known = {"h1": (np.full(40, 100.0), np.full(40, 200.0))}
    with pytest.raises(NumericalDoubt, match="cross"):
        encode(hard_net(), 0, -np.ones(6), np.ones(6), known)


def test_tighter_bounds_leave_fewer_binaries() -> None:
    loose = encode(hard_net(), 0, -np.ones(6), np.ones(6))
    tight = encode(hard_net(), 0, np.full(6, 0.5), np.full(6, 0.6))
    assert tight.integer.sum() < loose.integer.sum()


def test_a_facet_that_is_missing_says_why() -> None:
    node = Node("squash", "Sigmoid", ("x",), ("violation",))
    graph = Graph("smooth", {"x": (1, 3)}, ("violation",), (node,), {})
    with pytest.raises(UnsupportedOperator, match="no MILP encoding") as caught:
        encode(graph, 0, -np.ones(3), np.ones(3))
    assert caught.value.diagnostics[0].fix


def test_the_model_can_be_written(tmp_path: object) -> None:
    encoding = encode(hard_net(width=3), 0, -np.ones(6), np.ones(6))
    path = f"{tmp_path}/row.lp"
    write_lp(encoding, 0, path)
    with open(path) as file:
        assert "minimize" in file.read().lower()
