"""NaN, infinity, overflow and crossed bounds are doubt, never a bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_networks import drawn

from ibpc.bounds import (
    Weights,
    lower_interval,
    lower_violation,
    roundoff_of,
    run_checked,
    value_bounds,
)
from ibpc.errors import NumericalDoubt
from ibpc.graph import Graph
from ibpc.passes import elide

BAD = [np.nan, np.inf, -np.inf]
DOUBLE = torch.float64


def network(**constants: float) -> tuple[Graph, np.ndarray, np.ndarray, torch.Tensor]:
    """A drawn network; `c0=value` puts a value into the first entry of a constant."""
    graph, lower, upper, label = drawn("mlp", 3)
    changed = dict(graph.constants)
    for name, value in constants.items():
        changed[name] = changed[name].astype(np.float64)
        changed[name].flat[0] = value
    return graph.replace(constants=changed), lower, upper, torch.tensor([label])


def all_ways(
    graph: Graph, lower: np.ndarray, upper: np.ndarray, label: torch.Tensor, roundoff: float
) -> None:
    """Every bound of a network must raise by itself."""
    box = torch.from_numpy(lower), torch.from_numpy(upper)
    elided = elide(graph)
    weights = Weights(elided, DOUBLE)
    for claimed in (graph, elided):
        with pytest.raises(NumericalDoubt):
            run_checked(lower_violation(claimed, weights, roundoff), *box, label)
    bare = graph.replace(
        inputs={"x": graph.inputs["x"]},
        nodes=graph.nodes[:-1],
        outputs=(graph.nodes[-2].outputs[0],),
    )
    with pytest.raises(NumericalDoubt):
        run_checked(lower_interval(bare, weights, roundoff), *box)
    with pytest.raises(NumericalDoubt):
        value_bounds(graph, lower, upper)


@pytest.mark.parametrize("roundoff", [0.0, roundoff_of(DOUBLE)])
@pytest.mark.parametrize("constant", ["c0", "c1", "c2", "c3"])
@pytest.mark.parametrize("bad", BAD)
def test_a_weight_that_is_no_number_is_doubt(bad: float, constant: str, roundoff: float) -> None:
    all_ways(*network(**{constant: bad}), roundoff)


@pytest.mark.parametrize("roundoff", [0.0, roundoff_of(DOUBLE)])
@pytest.mark.parametrize("bad", BAD)
def test_an_input_that_is_no_number_is_doubt(bad: float, roundoff: float) -> None:
    graph, lower, upper, label = network()
    for side in (0, 1):
        box = [lower.copy(), upper.copy()]
        box[side][0, 0] = bad
        all_ways(graph, *box, label, roundoff)


def test_crossed_inputs_are_doubt() -> None:
    graph, lower, upper, label = network()
    all_ways(graph, upper, lower, label, 0.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_overflow_on_the_way_is_doubt_even_where_a_relu_follows(sign: float) -> None:
    """A ReLU would turn -inf into a healthy 0; the covered rounding makes it NaN or inf."""
    graph, lower, _, label = network()
    huge = {
        name: np.full_like(array, sign * 1e307, dtype=np.float64)
        for name, array in graph.constants.items()
        if name in {"c0", "c1"}
    }
    graph = graph.replace(constants={**graph.constants, **huge})
    all_ways(graph, lower * 100, lower * 100 + 1, label, roundoff_of(DOUBLE))


def test_a_healthy_network_is_no_doubt() -> None:
    graph, lower, upper, label = network()
    box = torch.from_numpy(lower), torch.from_numpy(upper)
    (bound,) = run_checked(lower_violation(graph, Weights(graph, DOUBLE)), *box, label)
    assert torch.isfinite(bound).all()
