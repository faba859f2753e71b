"""Samples of a set lie in its boxes; boxes for witnesses lie in the set."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from set_examples import EXAMPLES, SetExample

from ibpc.attacks import climb
from ibpc.graph import Graph, Node
from ibpc.language.program import InputSet, TensorType
from ibpc.milp import encode
from ibpc.milp.solve import maximise_row
from ibpc.passes import prepare
from ibpc.sets import (
    Ground,
    Settled,
    Support,
    encoded,
    exact,
    ground,
    held,
    hull,
    inner_box,
    members,
    outer_box,
    search,
    settle,
    settle_columns,
    settle_datum,
    support,
)
from ibpc.sets.boxes import form_of

fractions = st.fractions(min_value=0, max_value=3, max_denominator=10**6)
data = st.floats(min_value=-4, max_value=4, width=32)
ends = st.fractions(min_value=-4, max_value=4, max_denominator=1000)


@settings(max_examples=200, deadline=None)
@given(datum=data, eps=fractions, one=ends, other=ends, share=st.fractions(0, 1))
def test_points_of_a_ball_lie_in_its_outer_box_and_of_the_inner_box_in_the_ball(
    datum: float, eps: Fraction, one: Fraction, other: Fraction, share: Fraction
) -> None:
    low, high = min(one, other), max(one, other)
    center = Fraction(datum)
    exact_lo, exact_up = max(center - eps, low), min(center + eps, high)
    if exact_lo > exact_up:
        return  # an empty set: tested by itself
    kind, ball = TensorType((1,), ((low, high),)), InputSet("ball", eps)
    x = np.array([datum], dtype=np.float32)
    (out_lo,), (out_up,) = outer_box(ball, kind, x)
    point = exact_lo + share * (exact_up - exact_lo)
    assert Fraction(out_lo) <= point <= Fraction(out_up)
    (in_lo,), (in_up,) = inner_box(ball, kind, x)
    for inside in {in_lo, in_up} if in_lo <= in_up else set():
        assert exact_lo <= Fraction(float(inside)) <= exact_up


@settings(max_examples=100, deadline=None)
@given(datum=data, eps=fractions)
def test_the_training_box_is_the_exact_one_up_to_rounding(datum: float, eps: Fraction) -> None:
    kind = TensorType((1,), ((Fraction(-2), Fraction(2)),))
    x = torch.tensor([[datum]], dtype=torch.float64).clamp(-2, 2)
    lower, upper = hull(InputSet("ball", eps), kind, x, float(eps))
    center = Fraction(x.item())
    assert abs(Fraction(lower.item()) - max(center - eps, -2)) < Fraction(1, 10**12)
    assert abs(Fraction(upper.item()) - min(center + eps, 2)) < Fraction(1, 10**12)
    assert lower.item() <= x.item() <= upper.item()


def test_every_float32_of_an_inner_box_is_in_the_exact_ball_however_narrow() -> None:
    """Radii of a few ulps: the box is walked float by float."""
    kind = TensorType((1,), ((Fraction(0), Fraction(1)),))
    for datum in (0.1, 0.5, 1 / 3, 0.999):
        x = np.array([datum], dtype=np.float32)
        for ulps in (Fraction(1, 2), Fraction(5, 3), Fraction(7, 2)):
            eps = ulps * Fraction(float(np.spacing(x[0])))
            lower, upper = inner_box(InputSet("ball", eps), kind, x)
            value, seen = lower[0], 0
            while value <= upper[0]:
                assert abs(Fraction(float(value)) - Fraction(float(x[0]))) <= eps
                value, seen = np.nextafter(value, np.float32(np.inf)), seen + 1
            assert 1 <= seen <= 3 * ulps + 1  # below a power of two, floats lie twice as close


# --- every record -----------------------------------------------------------------------------


def grounds(example: SetExample, seed: int, count: int = 3) -> Ground:
    rng = np.random.default_rng(seed)
    x = np.stack([example.data(rng) for _ in range(count)]).reshape(count, *example.kind.shape)
    return ground(example.given, example.kind, x)


def check_hull(example: SetExample, around: Ground) -> None:
    rng = np.random.default_rng(3)
    for x, lower, upper in zip(*around.flat(), strict=True):
        drawn = example.samples(x, rng, 10_000)
        assert example.outside(x, drawn).max() < 1e-9, "the sampler itself is wrong"
        assert (lower <= drawn + 1e-15).all()
        assert (drawn <= upper + 1e-15).all()


def check_maximum(example: SetExample, around: Ground, bound: Support) -> None:
    """No sample is above the bound; where it is exact, its gradient is a point that reaches it."""
    rng = np.random.default_rng(4)
    x = around.flat()[0]
    rows = torch.from_numpy(rng.normal(size=(len(x), 6, x.shape[1])))
    rows.requires_grad_()
    found = bound(rows.reshape(len(x), 6, *example.kind.shape), 2.0**-53)
    for own, datum, most in zip(rows.detach().numpy(), x, found.detach().numpy(), strict=True):
        reached = own @ example.samples(datum, rng, 10_000).T
        assert (reached.max(1) <= most + 1e-12).all()
    if not form_of(example.given).exact.maximum:
        return
    (points,) = torch.autograd.grad(found.sum(), rows)
    for own, datum, best, most in zip(
        rows.detach().numpy(), x, points.numpy(), found.detach().numpy(), strict=True
    ):
        assert example.outside(datum, best).max() < 1e-6
        assert np.abs((own * best).sum(1) - most).max() < 1e-6


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_hull_contains_ten_thousand_samples(kind: str) -> None:
    check_hull(EXAMPLES[kind], grounds(EXAMPLES[kind], 0))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_training_hull_is_the_exact_one_up_to_rounding(kind: str) -> None:
    around = grounds(EXAMPLES[kind], 0)
    lower, upper = hull(around.given, around.kind, torch.from_numpy(around.x).double())
    np.testing.assert_allclose(lower, around.lower, atol=1e-12)
    np.testing.assert_allclose(upper, around.upper, atol=1e-12)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_linear_maximum_is_above_every_sample_and_reached(kind: str) -> None:
    for seed in range(4):
        around = grounds(EXAMPLES[kind], seed)
        bound = support(around)
        if bound is not None:
            check_maximum(EXAMPLES[kind], around, bound)


@pytest.mark.parametrize(
    "kind", [kind for kind, one in EXAMPLES.items() if form_of(one.given).maximum]
)
def test_a_linear_maximum_that_is_too_small_is_found_out(kind: str) -> None:
    around = grounds(EXAMPLES[kind], 0)
    right = support(around)
    assert right is not None
    wrong = Support(lambda rows, *rest: right.rule(rows, *rest) - 0.5, right.tensors)
    with pytest.raises(AssertionError):
        check_maximum(EXAMPLES[kind], around, wrong)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_search_stays_inside_and_a_second_projection_changes_nothing(kind: str) -> None:
    example = EXAMPLES[kind]
    around = grounds(example, 1)
    region = search(around).to("cpu", example.kind.shape)
    draws = torch.Generator().manual_seed(0)
    for _ in range(20):
        far = region.start + torch.randn(region.start.shape, generator=draws)
        once = region.inside(far)
        torch.testing.assert_close(region.inside(once), once, atol=1e-5, rtol=0)
        inputs = region.inputs(once).reshape(len(once), -1).double().numpy()
        for x, point in zip(around.flat()[0], inputs, strict=True):
            assert example.outside(x, point[None]).max() < 1e-5


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_settled_lies_exactly_in_the_set(kind: str) -> None:
    example, rng = EXAMPLES[kind], np.random.default_rng(6)
    for seed in range(5):
        around = grounds(example, seed, count=1)
        region = search(around)
        size = region.start.reshape(1, -1).shape[1]
        for far in (rng.normal(size=size), region.start.reshape(-1).double().numpy()):
            found = settle(around, far)
            if found is None:
                assert example.given.kind in {"box", "choice", "simplex"}
                continue
            assert found.point.dtype == np.float32
            assert exactly_inside(example, around, found)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_datum_that_is_settled_is_the_datum_and_lies_in_the_set(kind: str) -> None:
    """Only a box that stands still, and a text that is no text, may leave the datum out."""
    example, seen = EXAMPLES[kind], 0
    for seed in range(5):
        around = grounds(example, seed, count=1)
        found = settle_datum(around)
        if found is None:
            assert kind == "box"
            continue
        seen += 1
        assert np.array_equal(found.point, around.x.reshape(-1))
        assert exactly_inside(example, around, found)
        held_again = held(around, found.point, found.facts)
        assert held_again is not None
        assert np.array_equal(held_again.point, found.point)
    assert seen or kind == "box"


def exactly_inside(example: SetExample, around: Ground, found: Settled) -> bool:
    """In rational arithmetic for the balls; by the plain description of the set for the others."""
    away = [
        Fraction(float(a)) - Fraction(float(b))
        for a, b in zip(found.point, around.x.reshape(-1), strict=True)
    ]
    if example.given.kind == "ball_2":
        return sum(one * one for one in away) <= example.given.eps**2
    if example.given.kind == "ball_1":
        return sum(abs(one) for one in away) <= example.given.eps
    x = around.flat()[0][0]
    return bool(example.outside(x, found.point[None].astype(np.float64)).max() < 1e-7)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_milp_agrees_with_ascent_on_a_tiny_net(kind: str) -> None:
    example = EXAMPLES[kind]
    around = grounds(example, 2, count=1)
    size = around.x.size
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=(6, size)) / size**0.5, rng.normal(size=(2, 6))
    graph = two_layers(example.kind, first, second)
    lower, upper = around.lower.reshape(-1), around.upper.reshape(-1)
    encoding = encode(graph, 0, lower, upper, None, start=lambda to: encoded(around, to))
    region = search(around).to("cpu", example.kind.shape)
    net = torch.from_numpy(first).float(), torch.from_numpy(second).float()

    def rows(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return torch.relu(x.flatten(1) @ net[0].T) @ net[1].T

    for row in range(2):
        found = maximise_row(encoding, row, 60.0)
        assert found.point is not None
        _, best = climb(
            lambda x, label, row=row: rows(x, label)[:, row : row + 1],
            region,
            torch.zeros(1, dtype=torch.int64),
            steps=120,
            restarts=20,
            enough=float("inf"),
        )
        x = around.flat()[0][0]
        drawn = torch.from_numpy(example.samples(x, rng, 10_000)).float()
        most = max(float(best), float(rows(drawn, drawn)[:, row].max()))
        assert found.bound >= most - 1e-5
        if exact(example.given).milp:
            assert found.value <= most + 5e-2
            settled = settle_columns(around, found.point)
            assert settled is not None
            reached = rows(torch.from_numpy(settled.point[None]), drawn)[0, row]
            assert abs(float(reached) - found.value) < 1e-4
        else:
            assert found.value <= most + 0.05 * abs(most)


def two_layers(kind: TensorType, first: np.ndarray, second: np.ndarray) -> Graph:
    """relu(first x) and then second: the goals are the outputs."""
    nodes = (
        Node("flat", "Flatten", ("x",), ("v",), {"axis": 1}),
        Node("one", "Gemm", ("v", "W"), ("h",), {"transB": 1}),
        Node("relu", "Relu", ("h",), ("a",)),
        Node("two", "Gemm", ("a", "V"), ("z",), {"transB": 1}),
    )
    constants = {"W": first.astype(np.float32), "V": second.astype(np.float32)}
    return prepare(Graph("tiny", {"x": (1, *kind.shape)}, ("z",), nodes, constants), "evaluation")


# --- unions: taken apart into their members ---------------------------------------------------

TOGETHER = ("ball_2", "free", "pixels", "image")
UNION = InputSet("union", parts=tuple(EXAMPLES[kind].given for kind in TOGETHER))


def test_a_union_is_its_members_for_every_lowering() -> None:
    """Its hull holds samples of all members, and no sample is above the largest of their maxima."""
    rng = np.random.default_rng(8)
    assert members(UNION) == UNION.parts
    for seed in range(3):
        whole = ground(UNION, EXAMPLES["free"].kind, grounds(EXAMPLES["free"], seed).x)
        rows = torch.from_numpy(rng.normal(size=(len(whole.x), 4, *whole.kind.shape)))
        flat = rows.flatten(2).numpy()
        bounds, reached = [], []
        for kind in TOGETHER:
            example = EXAMPLES[kind]
            part = ground(example.given, whole.kind, whole.x)
            bound = support(part)
            bounds.append(box_maximum(part, flat) if bound is None else bound(rows, 2.0**-53))
            for x, lower, upper, own in zip(*whole.flat(), flat, strict=True):
                drawn = example.samples(x, rng, 10_000)
                assert (lower <= drawn + 1e-15).all()
                assert (drawn <= upper + 1e-15).all()
                reached.append((own @ drawn.T).max(1))
        most = np.max([np.asarray(bound) for bound in bounds], axis=0)
        found = np.max(np.array(reached).reshape(len(TOGETHER), *most.shape), axis=0)
        assert (found <= most + 1e-12).all()


def box_maximum(part: Ground, rows: np.ndarray) -> np.ndarray:
    _, lower, upper = part.flat()
    center, radius = (lower + upper) / 2, (upper - lower) / 2
    return np.einsum("bsn,bn->bs", rows, center) + np.einsum("bsn,bn->bs", np.abs(rows), radius)


def test_the_training_hull_of_a_union_encloses_those_of_its_members() -> None:
    around = grounds(EXAMPLES["free"], 0)
    x = torch.from_numpy(around.x).double()
    lower, upper = hull(UNION, around.kind, x)
    for part in UNION.parts:
        low, up = hull(part, around.kind, x)
        assert (lower <= low).all()
        assert (up <= upper).all()
