"""Exact numbers, units, and expressions as text."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpc.errors import UnitMistake
from ibpc.language.quantities import PI, Quantity, combine, number_text
from ibpc.language.spelling import expression_text
from ibpc.syntax import parse_expression

HERE = parse_expression("1", "x").span
FT = (("ft", 1),)


@given(st.fractions(-(10**9), 10**9, max_denominator=10**9))
def test_numbers_are_written_so_that_they_read_back_exactly(value: Fraction) -> None:
    assert Fraction(number_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [("8/255", "8/255"), ("1/10", "0.1"), ("-3/8", "-0.375"), ("20", "20"), ("-1/100", "-0.01")],
)
def test_numbers_are_written_as_people_write_them(value: str, text: str) -> None:
    assert number_text(Fraction(value)) == text


def test_a_fraction_that_nobody_could_read_is_told_to_nine_digits() -> None:
    assert number_text(-2 * PI) == "about -6.28318531"
    assert number_text(Fraction(10**400, 3)).endswith("/3")  # beyond what a float holds


def test_pi_has_the_neighbours_of_pi() -> None:
    """The float below pi (which math.pi is) and the one above enclose the rational strictly."""
    assert Fraction(math.pi) < PI < Fraction(math.nextafter(math.pi, 4))
    assert 0 < Fraction("3.14159265358979323846264338327950288420") - PI < Fraction(1, 10**37)


def test_units_multiply_and_cancel() -> None:
    area = combine("*", Quantity(Fraction(2), FT), Quantity(Fraction(3), FT), HERE)
    assert area == Quantity(Fraction(6), (("ft", 2),))
    assert combine("/", area, area, HERE) == Quantity(Fraction(1))
    assert combine("^", Quantity(Fraction(2), FT), Quantity(Fraction(-1)), HERE).dimension == (
        ("ft", -1),
    )


@pytest.mark.parametrize(
    ("operator", "left", "right"),
    [
        ("+", Quantity(Fraction(1), FT), Quantity(Fraction(1))),
        ("/", Quantity(Fraction(1)), Quantity(Fraction(0))),
        ("^", Quantity(Fraction(0)), Quantity(Fraction(-1))),
        ("^", Quantity(Fraction(2)), Quantity(Fraction(10**9))),
        ("^", Quantity(Fraction(2)), Quantity(Fraction(1), FT)),
        ("*", Quantity(Fraction(2**4000)), Quantity(Fraction(2**4000))),
    ],
)
def test_what_has_no_answer_is_a_mistake(operator: str, left: Quantity, right: Quantity) -> None:
    with pytest.raises(UnitMistake):
        combine(operator, left, right, HERE)


@pytest.mark.parametrize(
    "text",
    [
        "a - (b - c) - d",
        "-a * (b + c)",
        "2^(3^4)",
        "not (a <= b and c < d) or e == f => g != h",
        "forall k != y: z[k] - z[y] <= 0",
        "-tau <= f(x)[k] - g(x)[k] <= tau",
        "box(rho = [1500 ft .. 1800 ft], theta = [-0.06 rad .. 0.06 rad])",
        "f({ a * x0 + b for a in [0.8 .. 1.2], b in [-1 .. 1] })",
        'gowal.table("a.csv")[1, 2]',
    ],
)
def test_expressions_are_written_with_the_parentheses_they_need(text: str) -> None:
    written = expression_text(parse_expression(text, "x"))
    assert expression_text(parse_expression(written, "x")) == written
    assert written.replace(" ", "") == text.replace(" ", "")
