"""Sampled maximum <= exact maximum <= interval bound, on networks drawn at random."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from drawn_networks import FAMILIES, drawn, points_of

from ibpc.bounds import (
    Weights,
    lower_interval,
    lower_rows,
    lower_violation,
    roundoff_of,
    value_bounds,
)
from ibpc.claims import claim_node
from ibpc.domains import Interval
from ibpc.ops import operator
from ibpc.passes import elide

if TYPE_CHECKING:
    from ibpc.graph import Graph
    from ibpc.ops import Operator, Site

SEEDS = range(12)
DOUBLE = torch.float64


def bounds_of(graph: Graph, lower: np.ndarray, upper: np.ndarray, label: int) -> np.ndarray:
    """Upper bounds of the claim's rows, rounding covered.  Shape: (rows,)."""
    program = lower_violation(graph, Weights(graph, DOUBLE), roundoff_of(DOUBLE))
    box = torch.from_numpy(lower), torch.from_numpy(upper)
    with torch.no_grad():
        found: np.ndarray = program(*box, torch.tensor([label]))[0].numpy()
    return found


def rows_at(graph: Graph, points: np.ndarray, label: int) -> np.ndarray:
    """The claim's rows at points.  Shape: (points, rows)."""
    program = lower_rows(graph, Weights(graph, DOUBLE))
    with torch.no_grad():
        labels = torch.full((len(points),), label)
        found: np.ndarray = program(torch.from_numpy(points), labels).numpy()
    return found


def check_samples(family: str, seed: int) -> None:
    """No sampled value of any row exceeds its bound, elided or not."""
    graph, lower, upper, label = drawn(family, seed)
    points = points_of(lower, upper, 500, np.random.default_rng(seed))
    sampled = rows_at(graph, points, label).max(0)
    plain = bounds_of(graph, lower, upper, label)
    elided = bounds_of(elide(graph), lower, upper, label)
    assert (sampled <= elided).all()
    assert (elided <= plain + 1e-9 * np.abs(plain)).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_no_sample_exceeds_a_bound_and_elision_only_helps(family: str, seed: int) -> None:
    check_samples(family, seed)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_value_of_the_network_stays_in_its_bounds(family: str) -> None:
    graph, lower, upper, _ = drawn(family, 100)
    bounds = value_bounds(graph, lower, upper)
    points = points_of(lower, upper, 300, np.random.default_rng(0))
    for name in [node.outputs[0] for node in graph.nodes if not node.op.startswith("ibpc.")]:
        upto = graph.replace(
            inputs={"x": graph.inputs["x"]},
            nodes=tuple(node for node in graph.nodes if node is not claim_node(graph)),
            outputs=(name,),
        )
        program = lower_interval(upto, Weights(upto, DOUBLE))
        at = torch.from_numpy(points)
        values = program(at, at)[0].detach().numpy()
        assert (bounds[name][0] <= values).all(), name
        assert (values <= bounds[name][1]).all(), name


def exact_maxima(graph: Graph, lower: np.ndarray, upper: np.ndarray, label: int) -> np.ndarray:
    """The exact maxima of the rows of one hidden layer's network, pattern by pattern (Eq. 4).

    For each pattern of active units the network is affine on a polyhedron: one linear program.
    """
    from scipy.optimize import linprog

    first, _, last = graph.nodes[:3]
    w, b, v, c = (
        graph.constants[name].astype(np.float64) for name in (*first.inputs[1:], *last.inputs[1:])
    )
    matrix, offset = (graph.constants[name] for name in claim_node(graph).inputs[2:])
    own = label if len(matrix) > 1 else 0
    best = np.full(matrix.shape[1], -np.inf)
    for pattern in product((0.0, 1.0), repeat=len(b)):
        active = np.array(pattern)
        signs = 1.0 - 2.0 * active
        box = list(zip(lower[0], upper[0], strict=True))
        slopes = matrix[own] @ v @ (active[:, None] * w)
        base = matrix[own] @ (v @ (active * b) + c) + offset[own]
        for row, slope in enumerate(slopes):
            found = linprog(-slope, A_ub=signs[:, None] * w, b_ub=-signs * b, bounds=box)
            if found.status == 0:
                best[row] = max(best[row], base[row] - found.fun)
    return best


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_maximum_lies_between_samples_and_bounds(seed: int) -> None:
    graph, lower, upper, label = drawn("shallow", seed)
    exact = exact_maxima(graph, lower, upper, label)
    points = points_of(lower, upper, 2000, np.random.default_rng(seed))
    sampled = rows_at(graph, points, label).max(0)
    slack = 1e-7 * (1 + np.abs(exact))
    assert (sampled <= exact + slack).all()
    assert (exact <= bounds_of(elide(graph), lower, upper, label) + slack).all()


def exact_interval(
    graph: Graph, lower: np.ndarray, upper: np.ndarray
) -> list[tuple[Fraction, Fraction]]:
    """Interval propagation through dense layers and ReLUs in rational arithmetic."""
    box = [(Fraction(lo), Fraction(up)) for lo, up in zip(lower[0], upper[0], strict=True)]
    for node in graph.nodes:
        if node.op == "Relu":
            box = [(max(lo, Fraction(0)), max(up, Fraction(0))) for lo, up in box]
            continue
        weight, bias = (graph.constants[name] for name in node.inputs[1:])
        found = []
        for row, shift in zip(weight, bias, strict=True):
            terms = [
                sorted((Fraction(float(w)) * lo, Fraction(float(w)) * up))
                for w, (lo, up) in zip(row, box, strict=True)
            ]
            offset = Fraction(float(shift))
            found.append((sum((t[0] for t in terms), offset), sum((t[1] for t in terms), offset)))
        box = found
    return box


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_floating_bounds_enclose_those_of_exact_arithmetic(seed: int, dtype: torch.dtype) -> None:
    graph, lower, upper, _ = drawn("mlp", seed)
    claim = claim_node(graph)
    net = graph.replace(
        inputs={"x": graph.inputs["x"]}, nodes=graph.nodes[:-1], outputs=(claim.inputs[0],)
    )
    # Large opposite biases: sums cancel, and what rounding leaves is all there is.
    bias = net.nodes[0].inputs[2]
    net = net.replace(constants={**net.constants, bias: net.constants[bias] * np.float32(1e5)})
    box = [torch.from_numpy(bound).to(dtype) for bound in (lower, upper)]
    program = lower_interval(net, Weights(net, dtype), roundoff_of(dtype))
    low, high = (bound[0].tolist() for bound in program(*box))
    exact = exact_interval(net, *(bound.double().numpy() for bound in box))
    for (exact_lo, exact_up), lo, up in zip(exact, low, high, strict=True):
        assert Fraction(lo) <= exact_lo
        assert exact_up <= Fraction(up)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_elided_bounds_enclose_those_of_exact_arithmetic(seed: int, dtype: torch.dtype) -> None:
    """Eq. 9 in rational arithmetic on a last layer, with the claim's exact coefficients."""
    graph, _, _, label = drawn("mlp", seed)
    claim = claim_node(graph)
    last = graph.nodes[-2]
    width = graph.constants[last.inputs[1]].shape[1]
    tail = elide(
        graph.replace(
            inputs={last.inputs[0]: (1, width), claim.inputs[1]: (1,)}, nodes=graph.nodes[-2:]
        )
    )
    draws = np.random.default_rng(seed)
    lower = (1e4 + draws.random((1, width))).astype(np.float32)
    upper = lower + np.float32(0.01)
    box = [torch.from_numpy(bound).to(dtype) for bound in (lower, upper)]
    program = lower_violation(tail, Weights(tail, dtype), roundoff_of(dtype))
    bound = program(*box, torch.tensor([label]))[0].tolist()
    weight, bias = (graph.constants[name] for name in last.inputs[1:])
    matrix, offset = (graph.constants[name] for name in claim.inputs[2:])
    own = label if len(matrix) > 1 else 0
    for row, found in enumerate(bound):
        coefficients = [Fraction(float(c)) for c in matrix[own][row]]
        total = Fraction(float(offset[own][row]))
        total += sum(c * Fraction(float(b)) for c, b in zip(coefficients, bias, strict=True))
        for unit in range(width):
            slope = sum(
                c * Fraction(float(w)) for c, w in zip(coefficients, weight[:, unit], strict=True)
            )
            ends = [Fraction(float(side[0, unit])) * slope for side in (lower, upper)]
            total += max(ends)
        assert total <= Fraction(found)


def without_absolute_value(record: Operator) -> Operator:
    """The record with a planted error: the radius is multiplied by W, not by |W|."""

    def interval(site: Site, x: Interval, weight: torch.Tensor, bias: torch.Tensor) -> Interval:
        linear = torch.nn.functional.linear
        return Interval.from_center(linear(x.center, weight, bias), linear(x.radius, weight))

    return replace(record, interval=interval)


def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(op: str) -> Operator:
        return without_absolute_value(operator(op)) if op == "Gemm" else operator(op)

    monkeypatch.setattr("ibpc.bounds.recorder.operator", planted)
    caught = 0
    for seed in SEEDS:
        try:
            check_samples("mlp", seed)
        except AssertionError:
            caught += 1
    assert caught > len(SEEDS) // 2
