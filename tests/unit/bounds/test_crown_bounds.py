from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from bound_nets import argmax, claimed, conv_net
from operator_cases import one_thread

from ibpc.bounds import (
    Choice,
    Crown,
    CrownProblem,
    CrownResult,
    Descent,
    Refining,
    Weights,
    lower_violation,
    roundoff_of,
    value_bounds,
)
from ibpc.bounds.crown_forms import forms_of
from ibpc.claims import append_claim
from ibpc.errors import ModelMistake
from ibpc.graph import Graph, Node

__all__ = ["one_thread"]

DOUBLE = torch.float64


def dense_net(*layers: tuple[list[list[float]], list[float]]) -> Graph:
    """Dense layers with ReLU between them."""
    constants, nodes, value = {}, [], "x"
    for number, (weight, bias) in enumerate(layers):
        constants[f"w{number}"] = np.array(weight)
        constants[f"b{number}"] = np.array(bias)
        operands = (value, f"w{number}", f"b{number}")
        nodes.append(Node(f"z{number}", "Gemm", operands, (f"z{number}",), {"transB": 1}))
        value = f"z{number}"
        if number + 1 < len(layers):
            nodes.append(Node(f"a{number}", "Relu", (value,), (f"a{number}",)))
            value = f"a{number}"
    inputs = {"x": (1, len(layers[0][0][0]))}
    return Graph("dense", inputs, (value,), tuple(nodes), constants)


def random_net(seed: int = 0, widths: tuple[int, ...] = (3, 6, 6, 2)) -> Graph:
    draws = np.random.default_rng(seed)
    return dense_net(
        *(
            (draws.standard_normal((m, n)).tolist(), draws.standard_normal(m).tolist())
            for n, m in pairwise(widths)
        )
    )


def ball(batch: int, shape: tuple[int, ...], eps: float = 0.5) -> CrownProblem:
    x = torch.rand(batch, *shape, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    return CrownProblem(x - eps, x + eps)


def test_one_unit_is_bounded_as_by_hand() -> None:
    """Y = max(x, 0) on [-1, 3]: above by 3/4 (x + 1), below by x (3 > 1)."""
    graph = dense_net(([[1.0]], [0.0]), ([[1.0]], [0.0]))
    box = CrownProblem(torch.tensor([[-1.0]]), torch.tensor([[3.0]]))
    rows = torch.tensor([[[1.0], [-1.0]]])
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(replace(box, rows=rows))
    torch.testing.assert_close(found.slopes.flatten(), torch.tensor([0.75, -1.0], dtype=DOUBLE))
    torch.testing.assert_close(found.offset.flatten(), torch.tensor([0.75, 0.0], dtype=DOUBLE))
    # The interval's lower bound 0 beats the line's, -1.
    torch.testing.assert_close(found.upper.flatten(), torch.tensor([3.0, 0.0], dtype=DOUBLE))


def test_a_graph_without_nonlinearity_is_bounded_exactly() -> None:
    graph = dense_net(([[1.0, -2.0], [3.0, 0.5]], [1.0, 0.0]))
    box = CrownProblem(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 2.0]]))
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(box)
    torch.testing.assert_close(found.upper, torch.tensor([[2.0, 4.0]], dtype=DOUBLE))


def test_every_inner_bound_is_at_least_as_good_as_the_interval() -> None:
    graph = random_net()
    problem = ball(4, (3,))
    found, empty = Crown(graph, Weights(graph, DOUBLE)).intermediate(problem)
    plain = value_bounds(graph, problem.lower.numpy(), problem.upper.numpy())
    assert list(found) == ["z0", "z1"]
    assert not bool(empty.any())
    for name, (lower, upper) in found.items():
        assert (lower.numpy() >= plain[name][0] - 1e-12).all()
        assert (upper.numpy() <= plain[name][1] + 1e-12).all()
    assert (found["z1"][1].numpy() < plain["z1"][1] - 1e-3).any()


def test_where_an_interval_is_exact_nothing_is_refined() -> None:
    graph = random_net()
    assert Crown(graph, Weights(graph)).plan.bent_operands == ("z1",)
    conv = conv_net(batch_norm=True)
    assert Crown(conv, Weights(conv)).plan.bent_operands == ()


def test_claims_are_bounded_alike_elided_or_not() -> None:
    plain = append_claim(conv_net(), argmax(4))
    label = torch.tensor([0, 3, 1])
    problem = replace(ball(3, (2, 6, 6), 0.05), label=label)
    found = Crown(plain, Weights(plain, DOUBLE)).bounds(problem)
    elided = claimed(conv_net())
    other = Crown(elided, Weights(elided, DOUBLE)).bounds(problem)
    torch.testing.assert_close(found.upper, other.upper)
    program = lower_violation(elided, Weights(elided, DOUBLE), roundoff_of(DOUBLE))
    with torch.no_grad():
        interval = program(problem.lower, problem.upper, label)
    assert bool((found.upper <= interval + 1e-9).all())
    assert bool((found.upper < interval - 1e-3).any())


def test_a_batch_is_bounded_as_its_members_and_in_parts_of_any_size() -> None:
    graph = random_net(widths=(3, 8, 8, 8, 2))
    problem = ball(5, (3,))
    whole = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    for elements in (1, 60, 500):
        crown = Crown(graph, Weights(graph, DOUBLE), Refining(elements=elements))
        torch.testing.assert_close(crown.bounds(problem).upper, whole.upper)
    for index in range(5):
        one = CrownProblem(problem.lower[index : index + 1], problem.upper[index : index + 1])
        alone = Crown(graph, Weights(graph, DOUBLE)).bounds(one)
        torch.testing.assert_close(alone.upper[0], whole.upper[index])


def test_effort_limits_what_is_refined() -> None:
    graph = random_net(widths=(3, 8, 8, 8, 2))
    problem = ball(3, (3,))

    def widths(refining: Refining) -> float:
        bounds, _ = Crown(graph, Weights(graph, DOUBLE), refining).intermediate(problem)
        return sum(float((upper - lower).sum()) for lower, upper in bounds.values())

    plain, some = widths(Refining(refine=False)), widths(Refining(effort=2))
    assert widths(Refining(until=0.0)) == plain
    assert widths(Refining()) < some < plain


def test_single_precision_searches_near_what_double_precision_decides() -> None:
    graph = random_net()
    problem = ball(4, (3,))
    found = Crown(graph, Weights(graph, torch.float32)).bounds(problem)
    wanted = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    assert found.upper.dtype == torch.float32
    torch.testing.assert_close(found.upper.double(), wanted.upper, rtol=1e-4, atol=1e-4)


def test_descent_only_helps_and_its_choice_can_be_used_again() -> None:
    graph = random_net(widths=(3, 8, 8, 8, 2))
    crown = Crown(graph, Weights(graph, DOUBLE))
    problem = ball(4, (3,))
    plain = crown.bounds(problem)
    better = crown.alpha_bounds(problem, Descent(steps=20))
    assert bool((better.upper <= plain.upper + 1e-9).all())
    assert bool((better.upper < plain.upper - 1e-3).any())
    torch.testing.assert_close(crown.bounds(problem, better.choice).upper, better.upper)
    single = Crown(graph, Weights(graph, torch.float32)).alpha_bounds(problem, Descent(steps=20))
    decided = crown.bounds(problem, single.choice.to(DOUBLE)).upper
    torch.testing.assert_close(decided, better.upper, rtol=0.05, atol=0.05)
    some = torch.tensor([2, 0])
    part = CrownProblem(problem.lower[some], problem.upper[some])
    torch.testing.assert_close(
        crown.bounds(part, better.choice.select(some)).upper, better.upper[some]
    )


def test_descent_ends_when_nothing_is_wanted() -> None:
    graph = random_net()
    asked: list[int] = []

    def wanted(upper: torch.Tensor) -> torch.Tensor:
        asked.append(1)
        return torch.zeros_like(upper, dtype=torch.bool)

    Crown(graph, Weights(graph)).alpha_bounds(ball(2, (3,)), Descent(steps=50), wanted=wanted)
    assert len(asked) == 1


def split_everywhere(graph: Graph, problem: CrownProblem, descent: Descent) -> CrownResult:
    """Bounds over the parts of one box in which the signs of all hidden units are fixed."""
    units = 5
    signs = torch.tensor(list(product((-1, 1), repeat=units)))
    wide = CrownProblem(
        problem.lower.expand(len(signs), -1),
        problem.upper.expand(len(signs), -1),
        splits={"z0": signs},
    )
    crown = Crown(graph, Weights(graph, DOUBLE))
    return crown.alpha_bounds(wide, descent, wanted=lambda upper: torch.ones_like(upper) > 0)


def exact_maximum(graph: Graph, problem: CrownProblem) -> np.ndarray:
    """By a fine grid over two inputs."""
    ends = zip(problem.lower[0].tolist(), problem.upper[0].tolist(), strict=True)
    x = np.stack(np.meshgrid(*(np.linspace(lo, up, 401) for lo, up in ends)), -1).reshape(-1, 2)
    for node in graph.nodes:
        if node.op == "Relu":
            x = np.maximum(x, 0)
        else:
            weight, bias = (graph.constants[name] for name in node.inputs[1:])
            x = x @ weight.T + bias
    return x.max(0)


def test_with_every_unit_split_multipliers_close_the_gap() -> None:
    """Each part is then a linear program, which the multipliers solve by duality."""
    graph = random_net(4, (2, 5, 2))
    problem = ball(1, (2,), 1.0)
    exact = exact_maximum(graph, problem)
    whole = Crown(graph, Weights(graph, DOUBLE)).bounds(problem).upper[0]
    without = split_everywhere(graph, problem, Descent(steps=0))
    found = split_everywhere(graph, problem, Descent(steps=100, beta_rate=0.2, decay=0.97))

    def worst(result: CrownResult) -> np.ndarray:
        best: np.ndarray = result.upper[~result.empty].amax(0).numpy()
        return best

    assert (exact <= worst(found) + 1e-9).all()
    assert (worst(found) <= worst(without) + 1e-9).all()
    assert (worst(found) - exact <= 0.1 * (whole.numpy() - exact) + 1e-3).all()


def test_splits_that_no_point_meets_leave_nothing() -> None:
    graph = dense_net(([[1.0], [1.0]], [2.0, 0.0]), ([[1.0, 1.0]], [0.0]))
    problem = CrownProblem(
        torch.tensor([[-1.0], [-1.0]]),
        torch.tensor([[1.0], [1.0]]),
        splits={"z0": torch.tensor([[-1, 0], [0, 1]])},
    )
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    assert found.empty.tolist() == [True, False]
    assert bool(found.upper[0].isnan().all())
    torch.testing.assert_close(found.upper[1], torch.tensor([4.0], dtype=DOUBLE))
    assert found.bounds["z0"][0][1, 1] == 0


def test_known_bounds_are_used_and_the_parents_serve_the_child() -> None:
    graph = random_net()
    crown = Crown(graph, Weights(graph, DOUBLE))
    problem = ball(1, (3,))
    parent = crown.bounds(problem)
    lower, upper = parent.bounds["z1"]
    tenth = (upper - lower) / 10
    tight = {"z1": (lower + tenth, upper - tenth)}
    assert bool((crown.bounds(replace(problem, known=tight)).upper < parent.upper).any())
    child = replace(problem, upper=(problem.lower + problem.upper) / 2)
    inherited = crown.bounds(replace(child, known=parent.bounds)).upper
    assert bool((inherited <= parent.upper + 1e-9).all())
    assert bool((crown.bounds(child).upper <= inherited + 1e-9).all())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_box_in_doubt_gets_no_bound(bad: float) -> None:
    graph = random_net()
    problem = ball(2, (3,))
    problem.upper[0, 1] = bad
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    assert not bool(found.upper[0].isfinite().any())
    assert bool(found.upper[1].isfinite().all())


def test_a_crossed_box_gets_no_bound() -> None:
    graph = random_net()
    problem = ball(2, (3,))
    problem.upper[1] = problem.lower[1] - 1
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(problem)
    assert found.empty.tolist() == [False, True]
    assert bool(found.upper[1].isnan().all())


def test_coefficients_at_the_nonlinear_nodes_are_handed_out() -> None:
    graph = random_net()
    found = Crown(graph, Weights(graph, DOUBLE)).bounds(ball(3, (3,)))
    assert {name: tuple(rows.shape[1:]) for name, rows in found.coefficients.items()} == {
        "a0": (2, 6),
        "a1": (2, 6),
    }


def test_two_inputs_are_refused() -> None:
    node = Node("sum", "Add", ("x", "y"), ("sum",))
    graph = Graph("two", {"x": (1, 2), "y": (1, 2)}, ("sum",), (node,), {})
    with pytest.raises(ModelMistake, match="2 inputs"):
        Crown(graph, Weights(graph))


def test_an_empty_choice_is_crowns_own() -> None:
    graph = random_net()
    crown = Crown(graph, Weights(graph, DOUBLE))
    problem = ball(2, (3,))
    assert torch.equal(crown.bounds(problem, Choice()).upper, crown.bounds(problem).upper)


def test_sparse_weights_give_the_bounds_that_dense_ones_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draws = np.random.default_rng(4)
    weight = draws.standard_normal((40, 40)) * (draws.random((40, 40)) < 0.04)
    graph = dense_net(
        (draws.standard_normal((40, 3)).tolist(), draws.standard_normal(40).tolist()),
        (weight.tolist(), draws.standard_normal(40).tolist()),
        (draws.standard_normal((2, 40)).tolist(), [0.0, 1.0]),
    )
    problem = ball(6, (3,))
    dense = Crown(graph, Weights(graph, DOUBLE)).alpha_bounds(problem, Descent(steps=4))
    monkeypatch.setattr("ibpc.bounds.crown_plan.SPARSE_FROM", 1000)
    crown = Crown(graph, Weights(graph, DOUBLE))
    kept = [step.constants[1] for step in crown.plan.steps if step.node.name == "z1"]
    assert kept[0] is not None
    assert kept[0].layout == torch.sparse_csr
    sparse = crown.alpha_bounds(problem, Descent(steps=4))
    torch.testing.assert_close(sparse.upper, dense.upper, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(sparse.slopes, dense.slopes, rtol=1e-9, atol=1e-9)


def test_rows_may_stand_at_an_inner_value() -> None:
    graph = random_net(2, (3, 6, 6, 2))
    crown = Crown(graph, Weights(graph, DOUBLE))
    problem = ball(4, (3,))
    rows = torch.randn(1, 5, 6, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    found = crown.alpha_bounds(replace(problem, rows=rows, at="z1"), Descent(steps=8))
    share = torch.rand(500, 4, 3, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    points = problem.lower + share * (problem.upper - problem.lower)
    inner = crown.values(points.reshape(-1, 3))["z1"].reshape(500, 4, 6)
    reached = torch.einsum("sk,pbk->pbs", rows[0], inner)
    assert bool((reached <= found.upper).all())
    assert bool((reached.amax(0) > found.upper - 5).all())


def test_widths_of_rounding_make_no_input_vary() -> None:
    graph = random_net(5, (40, 6, 2))
    crown = Crown(graph, Weights(graph, DOUBLE), Refining(inputs=3))
    x = torch.rand(1, 40, dtype=DOUBLE, generator=torch.Generator().manual_seed(0)) + 1
    lower, upper = x * (1 - 2.0**-52), x * (1 + 2.0**-52)
    upper[0, :2] += 0.5
    narrow, (wide_lower, wide_upper) = crown._frame(CrownProblem(lower, upper))[0], (lower, upper)
    assert forms_of(narrow, 3) is not None
    wide_upper = wide_upper + 1e-3
    assert forms_of(crown._frame(CrownProblem(wide_lower, wide_upper))[0], 3) is None


def test_entries_that_matter_are_refined_first() -> None:
    graph = random_net(6, (3, 8, 8, 2))
    weights = Weights(graph, DOUBLE)
    problem = ball(1, (3,), 2.0)
    matter = {"z1": torch.zeros(8, dtype=DOUBLE)}
    matter["z1"][3] = 1.0
    plain = Crown(graph, weights, Refining(refine=False)).intermediate(problem)[0]["z1"]
    whole = Crown(graph, weights).intermediate(problem)[0]["z1"]
    one = Crown(graph, weights, Refining(effort=1, matter=matter)).intermediate(problem)[0]["z1"]
    width = [(upper - lower)[0] for lower, upper in (plain, whole, one)]
    assert width[2][3] == width[1][3] < width[0][3]
    kept = torch.arange(8) != 3
    torch.testing.assert_close(width[2][kept], width[0][kept])
