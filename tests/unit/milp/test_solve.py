"""Statuses of solvers become proved, refuted or open; the traps of python-mip stay shut."""

from __future__ import annotations

import mip
import numpy as np
import pytest
from nets_for_milp import hard_net
from scipy.sparse import csr_array

from ibpc.errors import SolverFailure
from ibpc.graph import Graph, Node
from ibpc.milp import TAU, TOLERANCE, Encoding, encode, prove_or_refute
from ibpc.milp.solve import attempt, decide_row


def line(slope: float, offset: float) -> Encoding:
    """One input in [-1, 1], one idle binary, one row: violation = slope * x + offset."""
    reach = abs(slope)
    return Encoding(
        1,
        np.array([-1.0, 0.0]),
        np.array([1.0, 1.0]),
        np.array([False, True]),
        csr_array(np.array([[1.0, 1.0]])),
        np.array([5.0]),
        np.array([False]),
        csr_array(np.array([[slope, 0.0]])),
        np.array([offset]),
        np.array([offset - reach]),
        np.array([offset + reach]),
        False,
    )


@pytest.mark.parametrize("solver", ["cbc", "highs"])
@pytest.mark.parametrize(
    ("offset", "status"),
    [(-1.5, "proved"), (-1.0 - 10 * TAU, "proved"), (-0.5, "refuted"), (-1.0 + 1e-4, "refuted")],
)
def test_the_sign_of_a_line_is_found(solver: str, offset: float, status: str) -> None:
    found = decide_row(line(1.0, offset), 0, 10.0, solver)
    assert found.status == status
    if status == "proved":
        assert 1.0 + offset <= found.bound < 0
    else:
        assert found.point is not None
        assert found.point[0] + offset > 0


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_a_solution_between_zero_and_tau_is_solved_to_optimality(solver: str) -> None:
    offset = -1.0 - TAU / 2
    assert decide_row(line(1.0, offset), 0, 10.0, solver).status == "proved"


@pytest.mark.parametrize("solver", ["cbc", "highs"])
@pytest.mark.parametrize("offset", [-1.0, -1.0 - TOLERANCE / 2, -1.0 + TOLERANCE / 2])
def test_a_maximum_within_the_tolerance_stays_open(solver: str, offset: float) -> None:
    found = decide_row(line(1.0, offset), 0, 10.0, solver)
    assert found.status == "open"
    assert "rounding" in found.why


def test_a_candidate_that_does_not_replay_is_not_a_refutation() -> None:
    asked: list[np.ndarray] = []

    def confirm(point: np.ndarray) -> bool:
        asked.append(point)
        return False

    found = decide_row(line(1.0, -0.5), 0, 10.0, "cbc", confirm)
    assert found.status == "open"
    assert asked
    assert asked[-1][0] == pytest.approx(1.0)


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_running_out_of_time_is_open(solver: str) -> None:
    graph = hard_net()
    outcome = prove_or_refute(graph, 0, -np.ones(6), np.ones(6), None, [0], 0.3, solver)
    assert outcome.status == "open"
    assert outcome.why == "time-out"
    assert outcome.seconds < 5


def test_no_time_at_all_is_open() -> None:
    graph = hard_net()
    outcome = prove_or_refute(graph, 0, -np.ones(6), np.ones(6), None, [0], 0.0)
    assert outcome.why == "time-out"


def test_an_unknown_solver_is_named() -> None:
    with pytest.raises(SolverFailure, match="unknown solver `magic`"):
        attempt(line(1.0, 0.0), 0, 1.0, "magic", None, None)


@pytest.mark.parametrize("status", list(mip.OptimizationStatus))
def test_only_a_proof_or_a_point_counts(
    status: mip.OptimizationStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a solver says without a solution, only infeasible is a proof."""
    monkeypatch.setattr(mip.Model, "optimize", lambda *_, **__: status)
    found = attempt(line(1.0, 0.0), 0, 10.0, "cbc", TAU, 1)
    proofs = {mip.OptimizationStatus.INFEASIBLE, mip.OptimizationStatus.INT_INFEASIBLE}
    assert found.status == ("infeasible" if status in proofs else "stopped")


def test_a_status_that_python_mip_does_not_know_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def unheard_of(*_: object, **__: object) -> None:
        raise KeyError(17)

    monkeypatch.setattr(mip.Model, "optimize", unheard_of)
    assert decide_row(line(1.0, 0.0), 0, 10.0, "highs").status == "open"


def test_late_infeasibility_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    def late(*_: object, **__: object) -> mip.OptimizationStatus:
        time.sleep(0.2)
        return mip.OptimizationStatus.INFEASIBLE

    monkeypatch.setattr(mip.Model, "optimize", late)
    assert decide_row(line(1.0, -5.0), 0, 0.1).status == "open"


def test_cbc_still_ignores_the_objectives_constant_in_its_cutoff() -> None:
    """Why the margin is a variable: a feasible model is called infeasible (python-mip 2.0.0).

    If this fails the trap is gone; the encoding does not depend on it.
    """
    model = mip.Model(sense=mip.MINIMIZE, solver_name=mip.CBC)
    model.verbose = 0
    x = model.add_var(lb=3.0, ub=5.0, var_type=mip.INTEGER)
    model.objective = x - 10.0
    model.cutoff = -1.0
    assert model.optimize(max_seconds=10.0) == mip.OptimizationStatus.INFEASIBLE
    model = mip.Model(sense=mip.MINIMIZE, solver_name=mip.CBC)
    model.verbose = 0
    x = model.add_var(lb=3.0, ub=5.0, var_type=mip.INTEGER)
    margin = model.add_var(lb=-20.0, ub=-1.0)
    model.add_constr(margin == x - 10.0)
    model.objective = margin
    assert model.optimize(max_seconds=10.0) == mip.OptimizationStatus.OPTIMAL
    assert margin.x == pytest.approx(-7.0)


def test_the_objective_has_no_constant() -> None:
    model = line(1.0, -3.0).with_margin(0, TAU).model(mip.CBC)
    assert model.objective.const == 0.0
    assert len(model.objective.expr) == 1


def test_weights_too_small_for_the_solver_widen_their_rows() -> None:
    """HiGHS drops entries up to 1e-9; their sum counts all the same."""
    inputs = 2000
    constants = {"W": np.full((1, inputs), 9e-10), "c": np.array([-1e-3])}
    node = Node("rows", "Gemm", ("x", "W", "c"), ("violation",), {"transB": 1})
    graph = Graph("faint", {"x": (1, inputs)}, ("violation",), (node,), constants)
    reach = 1e3
    encoding = encode(graph, 0, np.full(inputs, -reach), np.full(inputs, reach))
    assert encoding.goal.nnz == 0
    assert encoding.goal_bias[0] == pytest.approx(-1e-3 + inputs * reach * 9e-10)
    assert decide_row(encoding, 0, 10.0, "highs").status != "proved"
