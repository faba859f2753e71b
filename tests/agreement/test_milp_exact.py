"""MIP and LP against exact enumeration of activation patterns, on tiny random nets.

For each net with ReLU patterns enumerated, the maximum of the violation over the box is exact: on
each pattern's polytope the net is affine, and a linear program (scipy, not our encoding) gives the
pattern's maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from ibpc.domains import LinearForm
from ibpc.errors import SolverFailure
from ibpc.graph import Graph, Node
from ibpc.milp import encode, lp_bounds, prove_or_refute
from ibpc.milp.solve import decide_row, maximise_row

NETS = 200
SLACK = 1e-6
"""The solvers' tolerance; sizes here are of order one."""


@dataclass(frozen=True)
class Net:
    """One hidden layer: violation = V max(W x + b, 0) + c over [lower, upper]."""

    weight: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    offset: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def graph(self) -> Graph:
        constants = {"W": self.weight, "b": self.bias, "V": self.out, "c": self.offset}
        nodes = (
            Node("hidden", "Gemm", ("x", "W", "b"), ("h",), {"transB": 1}),
            Node("act", "Relu", ("h",), ("a",)),
            Node("rows", "Gemm", ("a", "V", "c"), ("violation",), {"transB": 1}),
        )
        shape = (1, self.weight.shape[1])
        return Graph("tiny", {"x": shape}, ("violation",), nodes, constants)

    def violation(self, points: np.ndarray) -> np.ndarray:
        hidden = np.maximum(points @ self.weight.T + self.bias, 0)
        return hidden @ self.out.T + self.offset

    def hidden_bounds(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        middle, radius = (self.lower + self.upper) / 2, (self.upper - self.lower) / 2
        center, reach = self.weight @ middle + self.bias, abs(self.weight) @ radius + 1e-12
        return {"h": (center - reach, center + reach)}

    def interval_bound(self) -> np.ndarray:
        lo, up = (np.maximum(bound, 0) for bound in self.hidden_bounds()["h"])
        return np.maximum(self.out, 0) @ up + np.minimum(self.out, 0) @ lo + self.offset

    def maximum(self, row: int) -> float:
        """Exact, by enumeration of the hidden units' signs."""
        best = -np.inf
        lo, up = self.hidden_bounds()["h"]
        for pattern in product(*(_signs(low, high) for low, high in zip(lo, up, strict=True))):
            on = np.array(pattern)
            slope = (self.out[row] * on) @ self.weight
            constant = (self.out[row] * on) @ self.bias + self.offset[row]
            signs = 1 - 2 * on
            found = linprog(
                -slope,
                A_ub=signs[:, None] * self.weight,
                b_ub=-signs * self.bias,
                bounds=list(zip(self.lower, self.upper, strict=True)),
            )
            if found.status == 0:
                best = max(best, constant - found.fun)
        return best


def _signs(low: float, high: float) -> tuple[float, ...]:
    """0 (off) and 1 (on), as far as the unit's bounds allow."""
    return ((0.0,) if low < 0 else ()) + ((1.0,) if high > 0 else ())


def draw(seed: int) -> Net:
    rng = np.random.default_rng(seed)
    inputs, hidden, rows = rng.integers(2, 4), rng.integers(4, 9), 2
    center, radius = rng.normal(size=inputs), rng.uniform(0.1, 0.6)
    out = rng.normal(size=(rows, hidden))
    net = Net(
        rng.normal(size=(hidden, inputs)),
        rng.normal(size=hidden) * 0.5,
        out,
        np.zeros(rows),
        center - radius,
        center + radius,
    )
    # Offsets that put the maximum near zero, so that both signs occur.
    middle = net.violation(center[None])[0]
    offset = -(middle + rng.uniform(0, 1) * (net.interval_bound() - middle))
    return Net(net.weight, net.bias, out, offset, net.lower, net.upper)


@pytest.fixture(scope="module")
def nets() -> list[Net]:
    return [draw(seed) for seed in range(NETS)]


def test_sampled_at_most_exact_at_most_lp_and_interval(nets: list[Net]) -> None:
    rng = np.random.default_rng(7)
    signs = {"proved": 0, "refuted": 0, "open": 0}
    for net in nets:
        points = rng.uniform(net.lower, net.upper, size=(200, len(net.lower)))
        sampled = net.violation(points).max(axis=0)
        bounds = net.hidden_bounds()
        box = (net.graph(), 0, net.lower, net.upper, bounds, [0, 1], 60.0)
        relaxed = {row.row: row.bound for row in lp_bounds(*box).rows}
        for outcome in prove_or_refute(*box, to_optimality=True).rows:
            assert outcome.value <= relaxed[outcome.row] + SLACK
            assert relaxed[outcome.row] <= net.interval_bound()[outcome.row] + SLACK
            assert sampled[outcome.row] <= outcome.bound + SLACK
            signs[outcome.status] += 1
            if outcome.row:
                continue
            exact = net.maximum(0)
            assert outcome.value == pytest.approx(exact, abs=SLACK)
            assert outcome.bound == pytest.approx(exact, abs=SLACK)
    assert min(signs["proved"], signs["refuted"]) > 50, signs


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_the_sign_stop_agrees_with_the_full_optimum(nets: list[Net], solver: str) -> None:
    for net in nets[:100]:
        encoding = encode(net.graph(), 0, net.lower, net.upper, net.hidden_bounds())
        for row in range(2):
            sign = decide_row(encoding, row, 60.0, solver)
            full = maximise_row(encoding, row, 60.0, solver)
            assert sign.status == full.status
            if sign.status == "refuted":
                assert sign.point is not None
                assert net.violation(sign.point[None])[0, row] > 0
            if sign.status == "proved":
                assert full.value <= sign.bound < 0


def test_a_planted_error_in_the_encoding_is_found(
    nets: list[Net], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibpc.domains.positive_part", planted_positive_part)
    wrong = 0
    for net in nets[:20]:
        box = (net.graph(), 0, net.lower, net.upper, net.hidden_bounds(), [0], 60.0)
        try:
            outcome = prove_or_refute(*box, to_optimality=True).rows[0]
        except SolverFailure:
            wrong += 1
            continue
        wrong += abs(outcome.value - net.maximum(0)) > SLACK
    assert wrong > 5


def planted_positive_part(x: LinearForm) -> LinearForm:
    """Wrong: y <= x - lower a, where y <= x - lower (1 - a) is right."""
    y = x.encoder.continuous(np.maximum(x.lower, 0), np.maximum(x.upper, 0))
    y = y.take(np.arange(len(y.bias)), x.shape)
    switch = x.encoder.binary(len(y.bias)).take(np.arange(len(y.bias)), x.shape)
    x.encoder.require(x.minus(y), "<")
    x.encoder.require(y.minus(switch.scaled(x.upper)), "<")
    x.encoder.require(y.minus(x).plus(switch.scaled(x.lower)), "<")
    return y
