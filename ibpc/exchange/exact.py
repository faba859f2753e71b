"""Decimal text to exact numbers and back; sizes are limited so that nothing can hang."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibpc.exchange.property import Exact

NUMBER = re.compile(r"[+-]?(?:\d++\.?+\d*+|\.\d++)(?:[eE]([+-]?\d++))?")
MAX_TEXT = 1000
MAX_EXPONENT = 400
MAX_BITS = 3000
"""Larger numerators and denominators are refused: a product of many could otherwise hang."""

_OUTWARD_DIGITS = 17
"""As many digits as tell every two float64 numbers apart."""


def parse_decimal(text: str) -> Decimal | None:
    """The number that a text spells, or None where it is none, or beyond the limits."""
    found = NUMBER.fullmatch(text) if len(text) <= MAX_TEXT else None
    if found is None or not text.isascii():
        return None
    exponent = found[1]
    if exponent and (len(exponent) > 4 or abs(int(exponent)) > MAX_EXPONENT):
        return None
    return Decimal(text)


def too_big(number: Fraction) -> bool:
    """Whether a number is beyond the limits of exact arithmetic here."""
    return max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS


def negative(number: Exact) -> Exact:
    """`-number`, exactly (the minus sign of `Decimal` rounds to the context's precision)."""
    return number.copy_negate() if isinstance(number, Decimal) else -number


def finite_decimal(number: Exact) -> Decimal | None:
    """The same number as a finite decimal, or None where there is none (1/3)."""
    if isinstance(number, Decimal):
        return number
    twos = (number.denominator & -number.denominator).bit_length() - 1
    rest, fives = number.denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    digits = abs(number.numerator) * 2 ** (places - twos) * 5 ** (places - fives)
    signs = tuple(int(sign) for sign in str(digits))
    return Decimal((int(number < 0), signs, -places))


def outward_decimal(number: Exact, upward: bool) -> Decimal:
    """The number itself if it is a finite decimal, else one of 17 digits beside it."""
    same = finite_decimal(number)
    if same is not None:
        return same
    assert isinstance(number, Fraction)
    rounded = Context(prec=_OUTWARD_DIGITS, rounding=ROUND_CEILING if upward else ROUND_FLOOR)
    return rounded.divide(Decimal(number.numerator), Decimal(number.denominator))


def spelled(number: Decimal, point: bool) -> str:
    """A decimal without exponent; with a point (`1.0`) where `point` asks for one.

    Trailing zeros go, so equal numbers are spelled alike.
    """
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in {"-0", ""}:
        text = "0"
    return text + ".0" if point and "." not in text else text
