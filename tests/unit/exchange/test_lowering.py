from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from property_texts import SMALL, properties

from ibpc.exchange import (
    Property,
    inward_box,
    inward_boxes,
    outward_box,
    outward_boxes,
    parse_property,
    row_matrices,
)


def exactly(array: np.ndarray) -> list[Fraction]:
    return [Fraction(float(value)) for value in array]


@settings(max_examples=60, deadline=None)
@given(properties())
def test_boxes_are_rounded_outward_and_inward_by_less_than_one_step(given: Property) -> None:
    for case in given.disjuncts:
        low, high = outward_box(case)
        assert low.dtype == high.dtype == np.float64
        for float_low, exact, float_high, top in zip(
            low, case.lower, high, case.upper, strict=True
        ):
            assert Fraction(float_low) <= exact < Fraction(np.nextafter(float_low, np.inf))
            assert Fraction(np.nextafter(float_high, -np.inf)) < top <= Fraction(float_high)
        inner_low, inner_high = inward_box(case)
        assert inner_low.dtype == inner_high.dtype == np.float32
        down, up = np.float32(-np.inf), np.float32(np.inf)
        for exact, a, below in zip(
            case.lower, exactly(inner_low), exactly(np.nextafter(inner_low, down)), strict=True
        ):
            assert below < exact <= a
        for exact, a, above in zip(
            case.upper, exactly(inner_high), exactly(np.nextafter(inner_high, up)), strict=True
        ):
            assert a <= exact < above


def test_a_box_without_a_float32_comes_out_crossed_between_its_neighbours() -> None:
    text = SMALL + "(assert (= X_0 0.1))"
    lower, upper = inward_box(parse_property(text).disjuncts[0])
    assert lower[0] > upper[0]
    assert np.nextafter(upper[0], np.float32(1)) == lower[0]
    assert Fraction(float(upper[0])) < Fraction(1, 10) < Fraction(float(lower[0]))


def test_a_shared_box_is_lowered_once_for_all_cases() -> None:
    cases = parse_property(SMALL).disjuncts
    assert cases[0].lower is cases[1].lower
    for many, one in ((outward_boxes, outward_box), (inward_boxes, inward_box)):
        lower, upper = many(cases)
        assert lower.shape == upper.shape == (2, 2)
        for position, case in enumerate(cases):
            np.testing.assert_array_equal((lower[position], upper[position]), one(case))


@settings(max_examples=60, deadline=None)
@given(properties())
def test_rows_are_the_nearest_numbers_with_their_errors(given: Property) -> None:
    for case in given.disjuncts:
        found = row_matrices(case, given)
        assert found.outputs.shape == (len(case.rows), given.outputs)
        assert (found.inputs is None) == (not any(row.inputs for row in case.rows))
        for position, row in enumerate(case.rows):
            exact = dict(row.outputs)
            for index in range(given.outputs):
                gap = abs(Fraction(found.outputs[position, index]) - Fraction(exact.get(index, 0)))
                assert gap <= Fraction(found.outputs_error[position, index])
                assert (gap == 0) == (found.outputs_error[position, index] == 0)
            assert Fraction(found.bound[position]) >= Fraction(row.bound)
            assert found.strict[position] == row.strict


def test_rows_over_inputs_have_their_own_matrix() -> None:
    given = parse_property(SMALL)
    first, second = (row_matrices(case, given) for case in given.disjuncts)
    assert first.inputs is None
    np.testing.assert_array_equal(first.outputs, [[1, -1]])
    np.testing.assert_array_equal(second.outputs, [[0, -1], [1, 0]])
    np.testing.assert_array_equal(second.inputs, [[0, 0], [0, 2]])
    np.testing.assert_array_equal(second.bound, [-3.5, 1])


def test_a_row_is_judged_exactly() -> None:
    (row,) = parse_property(SMALL).disjuncts[0].rows
    tenth = np.float32(0.1)
    assert row.holds([0, 0], [tenth, tenth])
    assert not row.holds([0, 0], [np.nextafter(tenth, np.float32(1)), tenth])
    mixed = parse_property(SMALL).disjuncts[1].rows[1]
    assert mixed.excess([0, 0.25], [0.5, 9]) == 0
    assert mixed.bound == Decimal(1)
