from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from ibpc.rounding import add, directed, down, to_float32, up

NUMBERS = [
    Fraction(1, 3),
    Fraction(-1, 3),
    Fraction(1, 10),
    Fraction(3, 4),
    Fraction(0),
    Decimal("0.679857769"),
    Decimal("-1e-400"),
    Decimal("0.50"),
]


@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_down_and_up_are_the_two_neighbours(number: Fraction | Decimal) -> None:
    assert Fraction(down(number)) <= number <= Fraction(up(number))
    exact = Fraction(float(number)) == Fraction(number)
    assert (down(number) == up(number)) == exact
    assert exact or np.nextafter(down(number), np.inf) == up(number)


def test_sums_are_rounded_to_the_asked_side_and_exact_ones_stay() -> None:
    draws = np.random.default_rng(0)
    x = draws.standard_normal(2000) * 10.0 ** draws.integers(-12, 12, 2000)
    for shift in (0.1, -0.3, 1e-9, 12345.678, 0.0, -0.5):
        low, high = add(x, shift, upward=False), add(x, shift, upward=True)
        for a, lo, hi in zip(x, low, high, strict=True):
            exact = Fraction(a) + Fraction(shift)
            assert Fraction(lo) <= exact <= Fraction(hi)
            assert lo == hi or np.nextafter(lo, np.inf) == hi


def test_float32_rounds_to_the_asked_side() -> None:
    draws = np.random.default_rng(1)
    x = draws.standard_normal(2000) * 10.0 ** draws.integers(-44, 30, 2000)
    low, high = to_float32(x, upward=False), to_float32(x, upward=True)
    assert low.dtype == high.dtype == np.float32
    assert (low.astype(np.float64) <= x).all()
    assert (high.astype(np.float64) >= x).all()
    assert (np.nextafter(low, np.float32(np.inf)) >= high).all()


def test_beyond_float32_the_largest_number_is_the_lower_neighbour() -> None:
    huge = np.array([1e300])
    assert to_float32(huge, upward=False)[0] == np.finfo(np.float32).max
    assert to_float32(huge, upward=True)[0] == np.inf


@pytest.mark.parametrize("number", [Decimal("1e400"), Fraction(10**400)], ids=str)
def test_beyond_float64_the_largest_number_is_the_lower_neighbour(
    number: Fraction | Decimal,
) -> None:
    assert down(number) == np.finfo(np.float64).max
    assert up(number) == np.inf
    assert up(-Fraction(number)) == -np.finfo(np.float64).max


def test_one_number_serves_all_entries() -> None:
    np.testing.assert_array_equal(
        directed([Fraction(1, 4)], (2, 3), upward=True), np.full((2, 3), 0.25)
    )
    np.testing.assert_array_equal(
        directed([Fraction(n) for n in range(4)], (2, 2), upward=False), [[0, 1], [2, 3]]
    )
