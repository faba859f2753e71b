from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from ibpc.claims import claim_rows, clause_table
from ibpc.claims.rows import claim_table
from ibpc.errors import Span
from ibpc.language.program import Claim, InputSet, Row

SPAN = Span("spec.ibp", 1, 1, 1, 2)
BALL = InputSet("ball", Fraction(1, 10))


def argmax(size: int) -> Claim:
    return Claim("robust", BALL, size, (), True, False, "argmax", SPAN)


def rows(size: int, *per_label: tuple[Row, ...]) -> Claim:
    return Claim("rows", BALL, size, per_label, False, False, "rows", SPAN)


def test_an_argmax_claim_has_a_row_for_each_other_class_in_order() -> None:
    matrix, constants = claim_rows(argmax(4), 2)
    z = np.array([10.0, 20.0, 30.0, 40.0])
    np.testing.assert_array_equal(matrix @ z + constants, [-20.0, -10.0, 10.0])


def test_the_table_agrees_with_the_rows_of_each_label() -> None:
    matrices, constants = claim_table(argmax(5))
    assert matrices.shape == (5, 4, 5)
    for label in range(5):
        matrix, offset = claim_rows(argmax(5), label)
        np.testing.assert_array_equal(matrices[label], matrix)
        np.testing.assert_array_equal(constants[label], offset)


def test_a_constant_is_rounded_against_us() -> None:
    for constant in (Fraction(1, 3), Fraction(-1, 3), Fraction(1, 10), Fraction(1, 4)):
        row = Row(((0, Fraction(1)),), constant, strict=False)
        _, constants = claim_rows(rows(2, (row,)), 0)
        given = Fraction(float(constants[0]))
        assert given >= constant
        assert given - constant < Fraction(1, 2**50)
        assert Fraction(float(np.nextafter(constants[0], -np.inf))) < constant


def test_terms_on_one_output_are_added_before_rounding() -> None:
    terms = ((0, Fraction(1, 3)), (0, Fraction(2, 3)), (1, Fraction(-1)))
    matrix, _ = claim_rows(rows(2, (Row(terms, Fraction(0), strict=True),)), 0)
    np.testing.assert_array_equal(matrix, [[1.0, -1.0]])


def test_a_claim_without_labels_has_one_table_for_all() -> None:
    row = Row(((1, Fraction(2)),), Fraction(-3), strict=False)
    matrices, constants = claim_table(rows(3, (row,)))
    assert matrices.shape == (1, 1, 3)
    np.testing.assert_array_equal(claim_rows(rows(3, (row,)), 7)[0], matrices[0])
    np.testing.assert_array_equal(constants, [[-3.0]])


def test_labels_with_fewer_rows_repeat_their_last_and_labels_without_hold() -> None:
    first, second = (Row(((k, Fraction(1)),), Fraction(k, 2), strict=False) for k in range(2))
    matrices, constants = claim_table(rows(2, (first, second), (second,), ()))
    np.testing.assert_array_equal(matrices[1], [[0.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(constants[1], [0.5, 0.5])
    np.testing.assert_array_equal(matrices[2], np.zeros((2, 2)))
    assert (constants[2] < 0).all()


def test_a_table_of_clauses_repeats_what_a_label_lacks() -> None:
    row = Row(((0, Fraction(1)),), Fraction(0), strict=False)
    other = Row(((1, Fraction(1)),), Fraction(0), strict=False)
    found = rows(2, (row, other), (row,), ())
    clauses = (((0, 1), (1,)), ((0,),), ())
    table = clause_table(replace(found, clauses=clauses))
    assert table is not None
    assert table.tolist() == [[[0, 1], [1, 1]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]]
    assert clause_table(found) is None
