from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ibpc.exchange import (
    Constraint,
    Disjunct,
    Property,
    PropertyMistake,
    back_to_spec,
    through_maps,
)
from ibpc.exchange.property import flat_interface
from ibpc.language import AffineMap

BEFORE = AffineMap((Fraction(1, 3), Fraction(-2)), (Fraction(1), Fraction(1, 7)))
AFTER = AffineMap((Fraction(5, 2),), (Fraction(-1, 3),))


def drawn(seed: int) -> Property:
    """A property over two inputs and two outputs, with mixed rows."""
    draws = np.random.default_rng(seed)
    numbers = [Fraction(int(n), 2) for n in draws.integers(-4, 5, 5)]
    row = Constraint(
        tuple((k, n) for k, n in enumerate(numbers[:2]) if n),
        tuple((k, n) for k, n in enumerate(numbers[2:4]) if n),
        numbers[4],
        bool(draws.integers(2)),
    )
    box = ((Fraction(-1), Fraction(0)), (Fraction(2), Fraction(1)))
    return Property(2, 2, (Disjunct(*box, (row,)),), flat_interface(2, 2))


@pytest.mark.parametrize("seed", range(40))
def test_a_point_is_unsafe_in_one_unit_where_it_is_in_the_other(seed: int) -> None:
    given = drawn(seed)
    found = through_maps(given, BEFORE, AFTER)
    draws = np.random.default_rng(seed)
    (mine,), (theirs,) = given.disjuncts, found.disjuncts
    for _ in range(50):
        x = [Fraction(int(n), 4) for n in draws.integers(-8, 12, 2)]
        y = [Fraction(int(n), 4) for n in draws.integers(-8, 8, 2)]
        u = [s * one + t for one, s, t in zip(x, BEFORE.scale, BEFORE.offset, strict=True)]
        z = [AFTER.scale[0] * one + AFTER.offset[0] for one in y]
        assert holds(mine, x, z) == holds(theirs, u, y)


def holds(case: Disjunct, x: list[Fraction], y: list[Fraction]) -> bool:
    inside = all(lo <= one <= up for lo, one, up in zip(case.lower, x, case.upper, strict=True))
    return inside and all(row_holds(row, x, y) for row in case.rows)


def row_holds(row: Constraint, x: list[Fraction], y: list[Fraction]) -> bool:
    total = sum(Fraction(a) * y[i] for i, a in row.outputs)
    total += sum(Fraction(b) * x[i] for i, b in row.inputs)
    return total < row.bound if row.strict else total <= row.bound


def test_a_witness_is_told_in_the_units_of_the_spec() -> None:
    assert back_to_spec(BEFORE, [1.5, 0.0]) == [1.5, pytest.approx(1 / 14)]
    assert back_to_spec(None, [0.25]) == [0.25]


def test_a_map_that_forgets_an_input_is_refused_where_a_row_reads_it() -> None:
    forgets = AffineMap((Fraction(0),), (Fraction(1),))
    row = Constraint((), ((0, Fraction(1)),), Fraction(0))
    sides = ((Fraction(0),) * 2, (Fraction(1),) * 2)
    given = Property(2, 2, (Disjunct(*sides, (row,)),), flat_interface(2, 2))
    with pytest.raises(PropertyMistake, match="constant"):
        through_maps(given, forgets, None)
