"""Projected gradient ascent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from ibpc.attacks import ATTACKS, climb, pgd

Rows = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Problem = tuple[Rows, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def linear(batch: int = 20, n: int = 7, spec: int = 3) -> tuple[Problem, torch.Tensor]:
    """Random affine rows on random boxes of unequal widths, and each box's largest margin."""
    weight, bias = torch.randn(2, spec, n), torch.randn(2, spec)
    lower = torch.rand(batch, n)
    upper = lower + torch.rand(batch, n) * torch.logspace(-3, 1, n)
    x = lower + (upper - lower) * torch.rand(batch, n)
    label = torch.arange(batch) % 2

    def rows(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return (weight[label] @ x[:, :, None])[:, :, 0] + bias[label]

    corner = torch.where(weight[label] > 0, upper[:, None], lower[:, None])
    best = ((weight[label] * corner).sum(2) + bias[label]).amax(1)
    return (rows, lower, upper, x, label), best


def bumpy(batch: int = 12, n: int = 5) -> Problem:
    """A small random ReLU network in boxes around random points."""
    net = torch.nn.Sequential(
        torch.nn.Linear(n, 40), torch.nn.ReLU(), torch.nn.Linear(40, 40), torch.nn.ReLU(),
        torch.nn.Linear(40, 3),
    )  # fmt: skip
    x = torch.rand(batch, n)
    label = net(x).argmax(1)

    def rows(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        z = net(x)
        others = torch.arange(3)[None] != label[:, None]
        return z[others].view(len(x), 2) - z.gather(1, label[:, None])

    return rows, x - 0.3, x + 0.3, x, label


@pytest.mark.parametrize("optimiser", ["adam", "sign"])
def test_the_optimum_of_a_linear_claim_is_found(optimiser: str) -> None:
    # The largest row at the start need not lead to the largest corner, hence `targeted`.
    problem, best = linear()
    _, margin = pgd(
        *problem, steps=60, restarts=4, optimiser=optimiser, enough=torch.inf, targeted=True
    )
    torch.testing.assert_close(margin, best)


@pytest.mark.parametrize("optimiser", ["adam", "sign"])
@pytest.mark.parametrize("step_size", [None, 0.5])
def test_points_lie_in_the_box_and_have_the_margin_told(
    optimiser: str, step_size: float | None
) -> None:
    problem = bumpy()
    rows, lower, upper, _, label = problem
    seen: list[torch.Tensor] = []

    def watched(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return rows(x, label)

    settings: dict[str, Any] = {"steps": 15, "restarts": 3, "optimiser": optimiser}
    points, margin = pgd(watched, *problem[1:], step_size=step_size, enough=torch.inf, **settings)
    assert (lower <= points).all()
    assert (points <= upper).all()
    torch.testing.assert_close(rows(points, label).amax(1), margin)
    # Without an early stop every point tried lies in its box too: 12 boxes, or 12 x 2.
    for x in seen:
        each = len(x) // 12
        if each * 12 == len(x):
            assert (lower.repeat_interleave(each, 0) <= x).all()
            assert (x <= upper.repeat_interleave(each, 0)).all()


def test_the_same_seed_gives_the_same_points() -> None:
    problem = bumpy()
    settings: dict[str, Any] = {"steps": 10, "restarts": 3, "enough": torch.inf}
    points, margin = pgd(*problem, **settings)
    again, equal = pgd(*problem, **settings)
    assert torch.equal(points, again)
    assert torch.equal(margin, equal)
    other, _ = pgd(*problem, seed=1, **settings)
    assert not torch.equal(points, other)


@pytest.mark.parametrize("optimiser", ["adam", "sign"])
@pytest.mark.parametrize("enough", [0.0, torch.inf])
def test_an_examples_result_does_not_depend_on_the_batch(optimiser: str, enough: float) -> None:
    rows, *rest = bumpy()
    exact = [value.double() if value.is_floating_point() else value for value in rest]
    net_rows = _in_double(rows)
    settings: dict[str, Any] = {"steps": 20, "restarts": 4, "optimiser": optimiser}
    settings["enough"] = enough
    keys = torch.arange(12) * 1000 + 7
    points, margin = pgd(net_rows, *exact, keys=keys, **settings)
    some = torch.tensor([11, 3, 8])
    few, few_margin = pgd(
        net_rows, *(value[some] for value in exact), keys=keys[some], points_at_once=9, **settings
    )
    torch.testing.assert_close(few, points[some])
    torch.testing.assert_close(few_margin, margin[some])


def test_a_violation_that_a_grid_finds_is_found() -> None:
    rows, lower, upper, x, label = bumpy(batch=8, n=2)
    shares = torch.cartesian_prod(torch.linspace(0, 1, 60), torch.linspace(0, 1, 60))
    grid = lower[:, None] + (upper - lower)[:, None] * shares
    by_grid = rows(grid.view(-1, 2), label.repeat_interleave(3600)).view(8, -1).amax(1)
    _, margin = pgd(rows, lower, upper, x, label, steps=100, restarts=5, enough=torch.inf)
    assert (margin >= by_grid.detach() - 1e-4).all()


def test_random_starts_find_what_the_datum_does_not_lead_to() -> None:
    # From 0 the slope leads down to the left; the violation is on the right, behind a hill.
    def rows(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return torch.maximum(-0.1 * x, 5 * (x - 0.5)) - 0.5

    x = torch.zeros(1, 1)
    box = (x - 1, x + 1, x, torch.zeros(1, dtype=torch.int64))
    _, alone = pgd(rows, *box, restarts=1)
    assert alone.item() == pytest.approx(-0.4)
    _, many = pgd(rows, *box, restarts=30)
    assert many.item() > 0


def test_a_violated_example_costs_no_more_steps() -> None:
    problem, _ = linear()
    rows, lower, upper, x, label = problem
    at: list[int] = []

    def watched(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        at.append(len(x))
        return rows(x, label) + 100 * (label == 0)[:, None] - 100 * (label == 1)[:, None]

    _, margin = pgd(watched, lower, upper, x, label, steps=40, restarts=3)
    assert (margin[label == 0] > 0).all()
    assert (margin[label == 1] < 0).all()
    assert at[0] == 20
    # The datum alone settles label 0; of the 10 left, 2 starts each; settled points leave early.
    assert max(at[1:]) == 20
    assert at[1] == 10
    assert len(at) < 2 * 41


def test_settled_points_stop_without_changing_the_result() -> None:
    problem, best = linear()
    rows = problem[0]
    calls = 0

    def watched(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return rows(x, label)

    _, margin = pgd(
        watched, *problem[1:], steps=2000, restarts=2, enough=torch.inf, optimiser="sign"
    )
    assert calls < 100
    assert (margin <= best + 1e-4).all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_is_never_reported(bad: float) -> None:
    def rows(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return torch.where(x[:, :1] > 0.5, bad * x[:, :1], x[:, :1] - 2)

    x = torch.tensor([[0.1], [0.9]])
    label = torch.zeros(2, dtype=torch.int64)
    points, margin = pgd(rows, torch.zeros(2, 1), torch.ones(2, 1), x, label, steps=20, restarts=3)
    assert -2 <= margin[0] <= -1.5
    assert points[0] <= 0.5
    none, nothing = pgd(rows, x[1:], x[1:], x[1:], label[1:], steps=5, restarts=3)
    assert nothing.item() == -torch.inf
    assert torch.equal(none, x[1:])


def test_degenerate_boxes_give_their_only_point() -> None:
    rows, _, _, x, label = bumpy()
    points, margin = pgd(rows, x, x, x, label, steps=5, restarts=3)
    assert torch.equal(points, x)
    torch.testing.assert_close(margin, rows(x, label).amax(1).detach())


def test_a_datum_outside_its_box_is_brought_in() -> None:
    rows, lower, upper, x, label = bumpy()
    points, _ = pgd(rows, lower, upper, x + 5, label, steps=1, restarts=1)
    assert (points <= upper).all()


def test_no_examples_are_no_trouble() -> None:
    rows, *rest = bumpy()
    points, margin = pgd(rows, *(value[:0] for value in rest))
    assert points.shape == (0, 5)
    assert margin.shape == (0,)


def test_the_network_keeps_no_gradients() -> None:
    weight = torch.nn.Parameter(torch.randn(2, 3))
    x = torch.rand(4, 3)
    pgd(lambda x, _: x @ weight.T, x - 1, x + 1, x, torch.zeros(4, dtype=torch.int64), steps=3)
    assert weight.grad is None
    assert weight.requires_grad


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_gives_the_same_margins() -> None:
    problem, best = linear()
    moved = [value.cuda() for value in problem[1:]]
    rows = problem[0]
    points, margin = pgd(
        lambda x, label: rows(x.cpu(), label.cpu()).cuda(), *moved, targeted=True, enough=torch.inf
    )
    assert points.is_cuda
    torch.testing.assert_close(margin.cpu(), best)


def test_the_record_names_what_the_function_takes_and_its_defaults() -> None:
    record = ATTACKS["pgd"]
    defaults = climb.__kwdefaults__
    assert record.role == "refute"
    assert {slot.name: slot.default for slot in record.slots}.items() <= defaults.items()


def test_the_record_is_read_without_torch() -> None:
    code = "import sys, ibpc.attacks; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def _in_double(rows: Rows) -> Rows:
    """The same rows with the network's weights in float64."""
    net = next(c.cell_contents for c in rows.__closure__ or () if _is_module(c.cell_contents))
    net.double()
    return rows


def _is_module(value: object) -> bool:
    return isinstance(value, torch.nn.Module)
