"""Intervals cover their own rounding: checked against exact rationals."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
import torch

from ibpc.domains import Interval

UNIT = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}
FORMATS = pytest.mark.parametrize("dtype", list(UNIT))

CANCELLING = (
    [[1e6, -1e6, 1e6, -1e6, 0.1]],
    [[1e6, 1.0, -1e6, 1e-3, 1e-6]],
    [[1e-30, 3e25, -3e25, 1e-12, 7.0]],
    [[1e-25, 1e-25, 1e-25, 1e-25, 1e-25]],
)


def exact(tensor: torch.Tensor) -> list[Fraction]:
    return [Fraction(value) for value in tensor.reshape(-1).tolist()]


def exact_sums(
    weight: torch.Tensor, bias: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor
) -> list[tuple[Fraction, Fraction]]:
    """The exact range of W x + b over the box, row by row."""
    ends = list(zip(exact(lower), exact(upper), strict=True))
    found = []
    for row, shift in zip(weight, exact(bias), strict=True):
        pairs = [(w * lo, w * up) for w, (lo, up) in zip(exact(row), ends, strict=True)]
        found.append(
            (shift + sum(min(pair) for pair in pairs), shift + sum(max(pair) for pair in pairs))
        )
    return found


def box(seed: int, dtype: torch.dtype, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    lower = (torch.rand(1, 5, generator=generator, dtype=dtype) - 0.5) * scale
    width = torch.rand(1, 5, generator=generator, dtype=dtype) * scale * 10.0 ** -(seed % 9)
    return lower, lower + width


def affine(x: Interval, weight: torch.Tensor, bias: torch.Tensor) -> Interval:
    linear = torch.nn.functional.linear
    return x.affine(lambda v: linear(v, weight, bias), lambda v: linear(v, weight.abs()), 6)


@FORMATS
@pytest.mark.parametrize("rows", CANCELLING)
@pytest.mark.parametrize("scale", [1.0, 1e4, 1e-18])
def test_an_affine_rule_covers_its_rounding(
    rows: list[list[float]], scale: float, dtype: torch.dtype
) -> None:
    weight = torch.tensor(rows, dtype=dtype)
    bias = torch.tensor([0.7 * scale], dtype=dtype)
    for seed in range(40):
        lower, upper = box(seed, dtype, scale)
        found = affine(Interval.from_bounds(lower, upper, UNIT[dtype]), weight, bias)
        low, high = exact_sums(weight, bias, lower, upper)[0]
        assert exact(found.lower)[0] <= low <= high <= exact(found.upper)[0]


@FORMATS
def test_without_rounding_covered_the_same_rule_does_fail(dtype: torch.dtype) -> None:
    weight, bias = torch.tensor(CANCELLING[0], dtype=dtype), torch.zeros(1, dtype=dtype)
    outside = 0
    for seed in range(40):
        lower, upper = box(seed, dtype)
        found = affine(Interval.from_bounds(lower, upper), weight, bias)
        low, high = exact_sums(weight, bias, lower, upper)[0]
        outside += exact(found.lower)[0] > low or high > exact(found.upper)[0]
    assert outside > 0


@FORMATS
def test_a_chain_of_rules_stays_sound(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    for seed in range(30):
        first = torch.randn(5, 5, dtype=dtype) * 1e3
        second = torch.randn(1, 5, dtype=dtype) * 1e-3
        lower, upper = box(seed, dtype)
        x = Interval.from_bounds(lower, upper, UNIT[dtype])
        hidden = affine(x, first, torch.randn(5, dtype=dtype)).monotone(torch.relu)
        found = affine(hidden, second, torch.zeros(1, dtype=dtype))
        low, high = exact_sums(second, torch.zeros(1, dtype=dtype), hidden.lower, hidden.upper)[0]
        assert exact(found.lower)[0] <= low <= high <= exact(found.upper)[0]


@FORMATS
def test_changes_of_form_cover_their_rounding(dtype: torch.dtype) -> None:
    for seed in range(200):
        lower, upper = box(seed, dtype, 10.0 ** (seed % 7 - 3))
        x = Interval.from_bounds(lower, upper, UNIT[dtype])
        around = Interval.from_center(x.center, x.radius, UNIT[dtype])
        for lo, up, c, r, back_lo, back_up in zip(
            *map(exact, (lower, upper, x.center, x.radius, around.lower, around.upper)),
            strict=True,
        ):
            assert c - r <= lo <= up <= c + r
            assert back_lo <= c - r
            assert c + r <= back_up


@FORMATS
def test_sums_and_products_cover_their_rounding(dtype: torch.dtype) -> None:
    for seed in range(100):
        (a, b), (c, d) = box(seed, dtype, 1e3), box(seed + 1000, dtype, 1e-3)
        left, right = (Interval.from_bounds(*ends, UNIT[dtype]) for ends in ((a, b), (c, d)))
        total, gap, times = left + right, left - right, left.times(right)
        both = left.bilinear(right, torch.mul, 1)
        for i in range(5):
            ends = list(product((exact(a)[i], exact(b)[i]), (exact(c)[i], exact(d)[i])))
            for found, values in (
                (total, [v + w for v, w in ends]),
                (gap, [v - w for v, w in ends]),
                (times, [v * w for v, w in ends]),
                (both, [v * w for v, w in ends]),
            ):
                assert exact(found.lower)[i] <= min(values)
                assert max(values) <= exact(found.upper)[i]


def test_training_bounds_add_nothing() -> None:
    x = Interval.from_bounds(torch.tensor([[-1.0, 2.0]]), torch.tensor([[3.0, 2.0]]))
    moved = x.scaled(torch.tensor([2.0, -1.0])) + torch.tensor([1.0, 1.0])
    assert moved.lower.tolist() == [[-1.0, -1.0]]
    assert moved.upper.tolist() == [[7.0, -1.0]]
    assert (-moved).lower.tolist() == [[-7.0, 1.0]]


def test_widening_never_leaves_the_limits_of_a_function() -> None:
    x = Interval.from_bounds(torch.tensor([-200.0]), torch.tensor([200.0]), 2.0**-24)
    found = x.monotone(torch.sigmoid, error=16, limits=(0.0, 1.0))
    assert (found.lower.item(), found.upper.item()) == (0.0, 1.0)
