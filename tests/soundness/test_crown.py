"""CROWN never cuts off a value: operator by operator, on drawn graphs, and against exact maxima."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from crown_networks import SHAPES, boxes, inside, values_at
from drawn_networks import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_cases import Case, cases, one_thread, points
from test_networks import exact_maxima, rows_at

from ibpc.bounds import Crown, CrownProblem, Descent, Refining, Weights
from ibpc.domains import Interval
from ibpc.ops import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.graph import Graph

__all__ = ["one_thread"]

DOUBLE = torch.float64
UNIT = 2.0**-53


def is_linear(case: Case) -> bool:
    record = case.record
    return record.affine or (len(case.variable) == 1 and case.variable[0] in record.linear)


VARIABLE = [case for case in cases() if case.values[0].variable]
TRANSPOSED = [
    case
    for case in VARIABLE
    if case.values[0].record.transpose is not None and is_linear(case.values[0])
]
AFFINE = [case for case in VARIABLE if is_linear(case.values[0])]
BENT = [
    case
    for case in VARIABLE
    if case.values[0].record.relax is not None and not is_linear(case.values[0])
]


@pytest.mark.parametrize("case", TRANSPOSED)
def test_rows_go_back_through_the_transposed_matrix(case: Case) -> None:
    """Rows . f(x) differs from the rows' image . x by the same number at every x."""
    torch.manual_seed(0)
    out = case.site.out_shapes[0][1:]
    rows = torch.randn(1, 3, *out, dtype=DOUBLE)
    back = case.record.transpose(case.site, rows, *case.operands([None] * 9, DOUBLE))
    drawn_points = points(case.box(1, DOUBLE), 40)
    values = case.forward(drawn_points)
    gap = torch.einsum("sn,pn->ps", rows.reshape(3, -1), values.reshape(40, -1))
    for position, at in zip(case.variable, drawn_points, strict=True):
        assert back[position].shape[2:] == (case.site.shapes[position] or ())[1:]
        gap = gap - torch.einsum("sn,pn->ps", back[position].reshape(3, -1), at.reshape(40, -1))
    torch.testing.assert_close(gap, gap[:1].expand_as(gap), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", AFFINE)
def test_what_is_called_affine_has_one_slope_everywhere(case: Case) -> None:
    """Autograd stands in for a missing `transpose` only because this holds."""
    first, second = (
        torch.autograd.functional.jacobian(
            lambda *given: case.forward(given), tuple(low for low, _ in case.box(seed, DOUBLE))
        )
        for seed in (1, 2)
    )
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other)


def wild(case: Case, seed: int, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Boxes of all sizes, on one side of 0 and around it.

    Where an operator's example keeps to one side of 0, so do they.
    """
    draws = torch.Generator().manual_seed(seed)

    def random(shape: tuple[int, ...]) -> torch.Tensor:
        return torch.rand(shape, generator=draws, dtype=DOUBLE)

    found = []
    for lower, _ in case.box(seed, DOUBLE):
        shape = (count, *lower.shape[1:])
        each = (count, *(1,) * (len(shape) - 1))
        size = 10.0 ** (random(each) * 14 - 9).round()
        width = random(shape) * size * (random(shape) > 0.1)
        start = torch.where(
            random(each) < 0.3, torch.zeros(each, dtype=DOUBLE), random(shape) - 0.7
        )
        low = start * 10.0 ** (random(each) * 3 - 1).round()
        high = low + width
        if case.example.low > 0:
            low, high = low.abs() + case.example.low, low.abs() + case.example.low + width
        elif case.example.high < 0:
            low, high = case.example.high - low.abs() - width, case.example.high - low.abs()
        found.append((low, high))
    return found


def check_relaxation(case: Case, seed: int, count: int = 250) -> None:
    """Rows . f(x) <= pulled rows . x + constant at samples, with lines as they start and drawn.

    What the check may lose to rounding is what the backward pass pays for it.
    """
    torch.manual_seed(seed)
    box = wild(case, seed, count)
    given = case.operands([Interval.from_bounds(*sides, UNIT) for sides in box], DOUBLE)
    relaxation = case.record.relax(case.site, *given)
    choices = [relaxation]
    if relaxation.knobs is not None:
        knobs = torch.rand(*relaxation.knobs.shape, dtype=DOUBLE)
        choices += [case.record.relax(case.site, *given, knobs=k) for k in (knobs, knobs.round())]
    out = case.site.out_shapes[0][1:]
    rows = torch.randn(count, 4, *out, dtype=DOUBLE)
    rows[:, :2] *= torch.rand(2, *out) < 0.4
    at = [_points_of(lower, upper) for lower, upper in box]
    flat = case.forward([points.flatten(0, 1) for points in at])
    values = flat.reshape(count, -1, flat[0].numel())
    reach = [torch.maximum(lower.abs(), upper.abs()) for lower, upper in box]
    for chosen in choices:
        pulled, constant = chosen.pull(rows)
        bound = constant.unsqueeze(1) if isinstance(constant, torch.Tensor) else constant
        for part, points_at in zip(pulled, at, strict=True):
            bound = bound + torch.einsum("bsn,bpn->bps", part.flatten(2), points_at.flatten(2))
        real = torch.einsum("bsn,bpn->bps", rows.flatten(2), values)
        sizes = chosen.sizes(*reach).flatten(2)
        paid = (rows.flatten(2).abs() * sizes).sum(2) * (2 * (chosen.terms + 64) * UNIT)
        told = bound.isfinite()
        assert int(told.sum()) >= told.numel() / 2
        above = real <= bound + paid.unsqueeze(1) + 1e-300
        assert bool((above | ~told).all()), "a line cuts a value off"


def _points_of(lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """Samples, both ends and a chord between them.  Shape: (batch, points, *dims)."""
    share = torch.rand(len(lower), 12, *lower.shape[1:], dtype=DOUBLE)
    share[:, :4] = share[:, :4].round()
    share[:, 4] = 0.5
    low, high = lower.unsqueeze(1), upper.unsqueeze(1)
    return torch.minimum(torch.maximum(low + share * (high - low), low), high)


@pytest.mark.parametrize("case", BENT)
def test_no_line_cuts_off_a_value(case: Case) -> None:
    for seed in range(4):
        check_relaxation(case, seed)


@pytest.mark.parametrize("case", BENT)
def test_a_relaxation_is_tight_where_the_box_has_no_width(case: Case) -> None:
    (lower, _), *rest = box = case.box(0, DOUBLE)
    given = [Interval.from_bounds(low, low) for low, _ in box]
    relaxation = case.record.relax(case.site, *case.operands(given, DOUBLE))
    rows = torch.randn(1, 3, *case.site.out_shapes[0][1:], dtype=DOUBLE)
    pulled, bound = relaxation.pull(rows)
    for part, (low, _) in zip(pulled, [(lower, None), *rest], strict=True):
        bound = bound + (part * low.unsqueeze(1)).flatten(2).sum(2)
    real = (rows * case.forward([low for low, _ in box]).unsqueeze(1)).flatten(2).sum(2)
    torch.testing.assert_close(bound, real, rtol=1e-9, atol=1e-9)


def flat_lines(site: Any, x: Interval, knobs: Any = None) -> Any:
    """A planted error: the chord of ReLU a hundredth too flat, its offset unchanged."""
    lines = OPERATORS["Relu"].relax(site, x, knobs)
    return replace(lines, slope_upper=lines.slope_upper * 0.99)


def steep_lines(site: Any, x: Interval, knobs: Any = None) -> Any:
    """A planted error: the lower line of ReLU a little steeper than 1."""
    lines = OPERATORS["Relu"].relax(site, x, knobs)
    return replace(lines, slope_lower=lines.slope_lower * 1.01)


@pytest.mark.parametrize("facet", [flat_lines, steep_lines])
def test_a_planted_slope_error_is_found(facet: Any) -> None:
    planted = Case(replace(OPERATORS["Relu"], relax=facet), 0)
    with pytest.raises(AssertionError, match="cuts a value off"):
        check_relaxation(planted, 0)


def problem_of(graph: Graph, count: int, draws: np.random.Generator) -> CrownProblem:
    lower, upper = boxes(graph, count, draws)
    return CrownProblem(lower, upper, rows=torch.from_numpy(draws.standard_normal((1, 4, 3))))


def check_graph(family: str, seed: int, count: int, alpha: bool = True) -> None:
    """Bounds, linear forms and inner bounds at points, for CROWN and alpha-CROWN."""
    draws = np.random.default_rng(seed)
    graph = SHAPES[family](draws)
    crown = Crown(graph, Weights(graph, DOUBLE), Refining(elements=2**14, inputs=24 * (seed % 2)))
    problem = problem_of(graph, count, draws)
    at = inside(problem.lower, problem.upper, 60, draws)
    rows = torch.einsum("sk,bpk->bps", problem.rows[0], values_at(graph, at))
    results = [crown.bounds(problem)]
    if alpha:
        results.append(crown.alpha_bounds(problem, Descent(steps=3, rate=0.3)))
    for found in results:
        assert not bool(found.empty.any())
        assert bool(found.upper.isfinite().all())
        assert bool((rows <= found.upper.unsqueeze(1)).all()), "a bound cuts a value off"
        form = torch.einsum("bsn,bpn->bps", found.slopes.flatten(2), at.flatten(2))
        form = form + found.offset.unsqueeze(1)
        noise = 1e-12 * (1 + form.abs() + rows.abs())
        assert bool((rows <= form + noise).all()), "the linear form cuts a value off"
    for name, (lower, upper) in results[0].bounds.items():
        values = values_at(graph, at, name)
        assert bool((lower.unsqueeze(1) <= values).all()), name
        assert bool((values <= upper.unsqueeze(1)).all()), name


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("family", SHAPES)
def test_no_bound_cuts_off_a_value(family: str, seed: int) -> None:
    check_graph(family, seed, 20)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(family=st.sampled_from(sorted(SHAPES)), seed=st.integers(1000, 2**31 - 1))
def test_no_bound_cuts_off_a_value_in_ten_thousand_cases(family: str, seed: int) -> None:
    """200 graphs, each with 50 boxes."""
    check_graph(family, seed, 50)


def test_a_planted_slope_error_is_found_in_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(op: str) -> Any:
        return replace(OPERATORS[op], relax=flat_lines) if op == "Relu" else OPERATORS[op]

    monkeypatch.setattr("ibpc.bounds.crown_plan.operator", planted)
    assert caught(lambda seed: check_graph("mlp", seed, 20)) >= 5


def caught(check: Callable[[int], None]) -> int:
    found = 0
    for seed in range(8):
        try:
            check(seed)
        except AssertionError:
            found += 1
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_maximum_lies_below_every_bound(seed: int) -> None:
    graph, lower, upper, label = drawn("shallow", seed)
    exact = torch.from_numpy(exact_maxima(graph, lower, upper, label))
    box = (torch.from_numpy(lower), torch.from_numpy(upper))
    crown = Crown(graph, Weights(graph, DOUBLE))
    problem = CrownProblem(*box, torch.tensor([label]))
    for found in (crown.bounds(problem), crown.alpha_bounds(problem, Descent(steps=5))):
        assert bool((exact <= found.upper[0] + 1e-7 * (1 + exact.abs())).all())


def check_splits(family: str, seed: int) -> None:
    """Under splits, bounds hold at every point that meets them; empty boxes hold no such point."""
    draws = np.random.default_rng(seed)
    graph = SHAPES[family](draws)
    crown = Crown(graph, Weights(graph, DOUBLE))
    problem = problem_of(graph, 12, draws)
    at = inside(problem.lower, problem.upper, 200, draws)
    splits, meets = {}, torch.ones(at.shape[:2], dtype=torch.bool)
    for name in crown.pre_activations:
        shape = (12, *crown.plan.values[name][1:])
        signs = torch.from_numpy(draws.choice([-1, 0, 0, 0, 1], size=shape))
        values = values_at(graph, at, name)
        keep = (values * signs.unsqueeze(1) >= 0).flatten(2).all(2)
        splits[name] = signs
        meets &= keep
    rows = torch.einsum("sk,bpk->bps", problem.rows[0], values_at(graph, at))
    split = replace(problem, splits=splits)
    for found in (
        crown.bounds(split),
        crown.alpha_bounds(split, Descent(steps=6, rate=0.3, beta_rate=0.3)),
    ):
        assert not bool((found.empty.unsqueeze(1) & meets).any()), "an empty box holds a point"
        kept = meets.unsqueeze(2) & ~found.empty.reshape(-1, 1, 1)
        assert bool((~kept | (rows <= found.upper.unsqueeze(1))).all()), "a value is cut off"


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("family", ["mlp", "residual", "conv", "branching"])
def test_bounds_hold_wherever_the_splits_do(family: str, seed: int) -> None:
    check_splits(family, seed)


def exact_rows(graph: Graph, x: np.ndarray) -> list[Fraction]:
    """Dense layers and ReLUs at one point in rational arithmetic."""
    value = [Fraction(float(number)) for number in x]
    for node in graph.nodes:
        if node.op == "Relu":
            value = [max(number, Fraction(0)) for number in value]
            continue
        weight, bias = (graph.constants[name] for name in node.inputs[1:])
        value = [
            sum(
                (Fraction(float(w)) * v for w, v in zip(row, value, strict=True)),
                Fraction(float(b)),
            )
            for row, b in zip(weight, bias, strict=True)
        ]
    return value


@pytest.mark.parametrize("seed", range(12))
def test_bounds_of_points_enclose_exact_arithmetic(seed: int) -> None:
    """On a box without width all that is left is rounding; large opposite biases cancel."""
    draws = np.random.default_rng(seed)
    graph = SHAPES["mlp"](draws)
    bias = graph.nodes[0].inputs[2]
    graph = graph.replace(
        constants={**graph.constants, bias: graph.constants[bias] * np.float32(1e6)}
    )
    x = draws.standard_normal(graph.inputs["x"])
    point = torch.from_numpy(x)
    eye = torch.eye(3, dtype=DOUBLE)
    rows = torch.cat([eye, -eye]).unsqueeze(0)
    crown = Crown(graph, Weights(graph, DOUBLE))
    found = crown.bounds(CrownProblem(point, point, rows=rows)).upper[0].tolist()
    exact = exact_rows(graph, x[0])
    for number, above, below in zip(exact, found[:3], found[3:], strict=True):
        assert -Fraction(below) <= number <= Fraction(above)
        assert above + below <= 1e-8 * (1 + abs(above)) * 10


def test_the_exact_maximum_of_a_claim_is_sampled_too() -> None:
    """The rows that the exact maxima speak of are those of the forward program."""
    graph, lower, upper, label = drawn("shallow", 3)
    exact = exact_maxima(graph, lower, upper, label)
    sampled = rows_at(graph, np.concatenate([lower, upper]), label).max(0)
    assert (sampled <= exact + 1e-7).all()


def test_an_operator_without_a_transpose_goes_back_by_autograd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draws = np.random.default_rng(0)
    graph = SHAPES["conv"](draws)
    problem = problem_of(graph, 5, draws)
    wanted = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    monkeypatch.setattr(
        "ibpc.bounds.crown_plan.operator", lambda op: replace(OPERATORS[op], transpose=None)
    )
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    torch.testing.assert_close(found.upper, wanted.upper)
    torch.testing.assert_close(found.slopes, wanted.slopes)


def test_an_operator_without_lines_is_bounded_by_its_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ibpc.bounds.crown_plan.operator", lambda op: replace(OPERATORS[op], relax=None)
    )
    for family in ("mlp", "branching"):
        for seed in range(3):
            check_graph(family, seed, 10, alpha=False)
