from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from property_texts import SMALL, SMALL_2, properties

from ibpc.exchange import (
    Constraint,
    Disjunct,
    Property,
    PropertyMistake,
    Tensor,
    export_notes,
    parse_property,
    with_tensors,
    write_vnnlib1,
    write_vnnlib2,
)

BOX = (Decimal(0), Decimal(0)), (Decimal(1), Decimal(1))
ROW = Constraint(((0, Decimal(1)),), (), Decimal(1))


@settings(max_examples=150, deadline=None)
@given(properties())
def test_what_is_written_reads_back_equal(given: Property) -> None:
    assert parse_property(write_vnnlib2(given)) == given
    assert parse_property(write_vnnlib2(given)).interface == given.interface
    assert parse_property(write_vnnlib1(given.closed())) == given.closed()


@settings(max_examples=50, deadline=None)
@given(properties())
def test_1_0_holds_the_closed_superset_and_says_so(given: Property) -> None:
    text = write_vnnlib1(given)
    assert parse_property(text) == given.closed()
    strict = any(row.strict for case in given.disjuncts for row in case.rows)
    assert strict == any(note.code == "W0906" for note in export_notes(given, 1))
    assert strict == text.startswith("; strict comparisons")
    assert not export_notes(given, 2)


def test_writing_is_stable() -> None:
    for text in (SMALL, SMALL_2):
        given = parse_property(text)
        once, twice = write_vnnlib1(given), write_vnnlib2(given)
        assert write_vnnlib1(parse_property(twice)) == once
        assert write_vnnlib2(parse_property(once), given.interface) == twice


def test_2_0_prints_what_all_texts_of_the_standard_accept() -> None:
    given = parse_property(SMALL + "(assert (= Y_0 1e-3))(assert (not (<= Y_1 12)))")
    text = write_vnnlib2(given)
    assert "(declare-input X real [2])" in text
    for part in ("Real", "(= ", "( ", "1e", "(and)", "(or)", "not"):
        assert part not in text
    for word in text.replace("(", " ").replace(")", " ").split():
        if word.lstrip("-")[0].isdigit():
            assert "." in word, word


def test_an_empty_property_stays_empty() -> None:
    given = parse_property(SMALL + "(assert (<= X_0 -7))")
    assert given.empty
    for text in (write_vnnlib1(given), write_vnnlib2(given)):
        again = parse_property(text)
        assert again.empty
        assert (again.inputs, again.outputs) == (2, 2)


def test_bounds_without_a_finite_decimal_are_rounded_outward() -> None:
    given = parse_property(SMALL + "(assert (<= (* 3 X_0) 1))(assert (>= (* 7 X_1) 1))")
    assert {note.code for note in export_notes(given, 1)} == {"W0907"}
    for text in (write_vnnlib1(given), write_vnnlib2(given)):
        case = parse_property(text).disjuncts[0]
        assert 0 < Fraction(case.upper[0]) - Fraction(1, 3) < Fraction(1, 10**16)
        assert 0 < Fraction(1, 7) - Fraction(case.lower[1]) < Fraction(1, 10**16)


def test_the_interface_must_fit() -> None:
    given = parse_property(SMALL)
    fitting = with_tensors(
        given.interface, Tensor("image", "float32", (1, 2)), Tensor("logits", "float32", (2, 1))
    )
    again = parse_property(write_vnnlib2(given, fitting))
    assert again == given
    assert again.interface.input == fitting.input
    wrong = replace(fitting, input=Tensor("image", "float32", (1, 3)))
    with pytest.raises(PropertyMistake, match="3 entries, the property 2"):
        write_vnnlib2(given, wrong)
    with pytest.raises(PropertyMistake, match="no element type of real numbers"):
        write_vnnlib2(given, replace(fitting, output=Tensor("Y", "int8", (2,))))


def test_what_has_no_words_is_refused() -> None:
    interface = parse_property(SMALL).interface
    third = Constraint(((0, Fraction(1, 3)),), (), Decimal(1))
    with pytest.raises(PropertyMistake, match="1/3 has no finite decimal"):
        write_vnnlib1(Property(2, 2, (Disjunct(*BOX, (third,)),), interface))
    bare = Constraint((), (), Decimal(1))
    with pytest.raises(PropertyMistake, match="without variables"):
        write_vnnlib1(Property(2, 2, (Disjunct(*BOX, (bare,)),), interface))


def test_a_case_may_have_no_rows() -> None:
    given = parse_property(SMALL + "(assert (or (<= 0 1) (<= Y_0 7)))")
    assert given.disjuncts[0] == parse_property(SMALL).disjuncts[0]
    bare = Property(2, 2, (Disjunct(*BOX, ()), Disjunct(*BOX, (ROW,))), given.interface)
    assert parse_property(write_vnnlib1(bare)) == bare
    assert parse_property(write_vnnlib2(bare)) == bare
