"""The LP's bound is safe whatever the solver says, and tight when it is right."""

from __future__ import annotations

import numpy as np
import pytest
from nets_for_milp import hard_net

from ibpc.milp import encode, lp_bounds
from ibpc.milp.relax import bound_row, dual_bound


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_the_dual_bound_is_the_optimum(solver: str) -> None:
    import mip

    encoding = encode(hard_net(width=10), 0, -np.ones(6), np.ones(6), relaxed=True)
    columns = encoding.with_margin(0, None)
    model = columns.model(mip.CBC)
    model.optimize(relax=True)
    assert bound_row(encoding, 0, 10.0, solver).bound == pytest.approx(
        -model.objective_value, abs=1e-6
    )


def test_wrong_prices_give_a_looser_bound_and_never_a_false_one() -> None:
    encoding = encode(hard_net(width=10), 0, -np.ones(6), np.ones(6), relaxed=True)
    columns = encoding.with_margin(0, None)
    best = -bound_row(encoding, 0, 10.0).bound
    rng = np.random.default_rng(3)
    for _ in range(50):
        prices = rng.normal(size=columns.matrix.shape[0])
        assert dual_bound(columns, prices) <= best + 1e-9


def test_prices_that_are_not_finite_bound_nothing() -> None:
    encoding = encode(hard_net(width=4), 0, -np.ones(6), np.ones(6), relaxed=True)
    columns = encoding.with_margin(0, None)
    prices = np.zeros(columns.matrix.shape[0])
    prices[0] = np.nan
    assert dual_bound(columns, prices) == -np.inf


def test_the_relaxation_never_refutes() -> None:
    graph = hard_net(width=10)
    outcome = lp_bounds(graph, 0, -np.ones(6), np.ones(6), None, [0], 10.0)
    assert outcome.status == "open"
    assert outcome.point is None
    assert lp_bounds(graph, 0, -np.ones(6), np.ones(6), None, [0], 0.0).why == "time-out"
