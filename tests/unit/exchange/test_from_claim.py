from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from ibpc.errors import InternalError, Span
from ibpc.exchange import PropertyMistake, claim_property, parse_property, write_vnnlib1
from ibpc.language import Claim, InputSet, Row, Symbol, TensorType

NOWHERE = Span("spec.ibp", 1, 1, 1, 2)
IMAGE = TensorType((1, 2), ((Fraction(0), Fraction(1)),))


def claim(rows: tuple[tuple[Row, ...], ...], given: InputSet, argmax: bool = False) -> Claim:
    return Claim("robust", given, 3, rows, argmax, False, "", NOWHERE)


def ball(eps: Fraction | Symbol) -> InputSet:
    return InputSet("ball", eps)


def test_an_argmax_claim_gives_one_case_for_each_other_class() -> None:
    found = claim_property(claim((), ball(Fraction(1, 4)), argmax=True), IMAGE, [0.5, 0.875], 1)
    assert [case.rows[0].outputs for case in found.disjuncts] == [
        ((0, -1), (1, 1)),
        ((1, 1), (2, -1)),
    ]
    assert all(case.rows[0].strict for case in found.disjuncts)
    case = found.disjuncts[0]
    assert (case.lower, case.upper) == ((Fraction(1, 4), Fraction(5, 8)), (Fraction(3, 4), 1))
    assert found.interface.input.shape == (1, 1, 2)


def test_the_unsafe_set_is_where_a_row_fails() -> None:
    rows = (
        Row(((0, Fraction(2)), (2, Fraction(-1))), Fraction(1, 2), strict=False),
        Row(((1, Fraction(1)),), Fraction(-3), strict=True),
    )
    found = claim_property(claim((rows,), ball(Fraction(1, 8))), IMAGE, [0.5, 0.5], 0)
    draws = np.random.default_rng(0)
    points = [draws.integers(-8, 8, 3) / 2 for _ in range(300)]
    points += [np.array([0.0, 3.0, 0.5]), np.array([0.0, 2.0, 0.5])]
    for z in points:
        fails = 2 * z[0] - z[2] + 0.5 > 0 or z[1] - 3 >= 0
        assert any(case.rows[0].holds([], z) for case in found.disjuncts) == fails


def test_a_radius_with_no_finite_decimal_is_written_rounded_outward() -> None:
    found = claim_property(claim((), ball(Fraction(8, 255)), argmax=True), IMAGE, [0.5, 1.0], 0)
    assert found.disjuncts[0].lower[1] == Fraction(247, 255)
    text = write_vnnlib1(found)
    assert text.startswith("; strict")
    again = parse_property(text).disjuncts[0]
    assert again.lower[1] < Fraction(247, 255)
    assert again.upper[1] == Decimal(1)


def test_a_schedule_needs_its_value() -> None:
    named = claim((), ball(Symbol("eps")), argmax=True)
    with pytest.raises(InternalError, match="eps"):
        claim_property(named, IMAGE, [0.5, 0.5], 0)
    found = claim_property(named, IMAGE, [0.5, 0.5], 0, eps=Fraction(1, 2))
    assert found.disjuncts[0].lower == (0, 0)


def test_boxes_and_domains_give_bounds() -> None:
    box = InputSet("box", None, (Fraction(1, 4),), (Fraction(2),))
    found = claim_property(claim((), box, argmax=True), IMAGE, [0.5, 0.5], 0)
    assert (found.disjuncts[0].lower, found.disjuncts[0].upper) == ((Fraction(1, 4),) * 2, (1, 1))
    whole = claim_property(claim((), InputSet("domain"), argmax=True), IMAGE, [0.5, 0.5], 0)
    assert (whole.disjuncts[0].lower, whole.disjuncts[0].upper) == ((0, 0), (1, 1))


def test_a_set_without_bounds_or_points_is_refused() -> None:
    free = TensorType((2,), None)
    with pytest.raises(PropertyMistake, match="no bounds"):
        claim_property(claim((), InputSet("domain"), argmax=True), free, [0.5, 0.5], 0)
    with pytest.raises(PropertyMistake, match="empty"):
        claim_property(claim((), ball(Fraction(1, 8)), argmax=True), IMAGE, [0.5, 3.0], 0)
