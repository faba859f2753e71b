"""Exact numbers with units: rationals whose size is limited, so that nothing can explode.

A quantity is kept in base units: `10 min` is 600 with dimension s. A unit is a rational factor and
a dimension; a base unit is its own dimension. There are no offsets (no degrees Celsius).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.mistakes import wrong

if TYPE_CHECKING:
    from ibpc.errors import Span

Dimension = tuple[tuple[str, int], ...]
"""Base units with their exponents, sorted by name; () is a plain number."""

PLAIN: Dimension = ()
BITS = 4096
"""The most bits that a numerator or denominator may have (1e308 has 1024)."""

PI = Fraction(314159265358979323846264338327950288419716939937510582097494459230, 10**65)
"""Pi from below, less than 1e-65 short of it.

Rounded outward to float64 it gives the same two neighbours as pi itself, so a set whose edge is
pi still encloses it after lowering.
"""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in base units, and its dimension."""

    value: Fraction
    dimension: Dimension = PLAIN

    def __str__(self) -> str:
        unit = spelled(self.dimension)
        return number_text(self.value) + (f" {unit}" if unit else "")


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor to base units, with its dimension and the name it was written with."""

    name: str
    factor: Fraction = Fraction(1)
    dimension: Dimension = PLAIN


NO_UNIT = Unit("")

BUILTIN_UNITS: dict[str, Unit] = {
    "s": Unit("s", Fraction(1), (("s", 1),)),
    "min": Unit("min", Fraction(60), (("s", 1),)),
    "h": Unit("h", Fraction(3600), (("s", 1),)),
    "steps": Unit("steps"),
    "epochs": Unit("epochs", Fraction(1), (("epochs", 1),)),
}


def spelled(dimension: Dimension) -> str:
    """`ft`, `ft s^-1`, or the empty string for a plain number."""
    return " ".join(name if power == 1 else f"{name}^{power}" for name, power in dimension)


def named(dimension: Dimension) -> str:
    """`in ft`, or `a plain number`."""
    return f"in {spelled(dimension)}" if dimension else "a plain number"


LEGIBLE = 40
"""The most characters of a fraction that a message writes out."""


def _in_reach(value: Fraction) -> bool:
    return 1e-300 < abs(value) < 1e300


def number_text(value: Fraction) -> str:
    """A rational as a person would write it: `3`, `0.1`, `8/255`; a long one to nine digits."""
    if value.denominator == 1:
        return str(value.numerator)
    rest, places = value.denominator, 0
    while rest % 10 == 0:
        rest, places = rest // 10, places + 1
    for prime in (2, 5):
        while rest % prime == 0:
            rest, places = rest // prime, places + 1
    if rest != 1 or places > 12:
        text = f"{value.numerator}/{value.denominator}"
        return text if len(text) <= LEGIBLE or not _in_reach(value) else f"about {float(value):.9g}"
    digits = f"{abs(value) * 10**places // 1:0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0")
    return ("-" if value < 0 else "") + text


def limited(value: Fraction, at: Span | None) -> Fraction:
    """The value, unless it is too long to reckon with.

    Raises: UnitMistake E0303.
    """
    if value.numerator.bit_length() > BITS or value.denominator.bit_length() > BITS:
        raise wrong("E0303", "this number has too many digits", at, f"more than {BITS} bits")
    return value


def combine(operator: str, left: Quantity, right: Quantity, at: Span) -> Quantity:
    """`left operator right` for + - * / ^; units must fit.

    Raises: UnitMistake (E0302 by zero, E0303 too long, E0308 exponent, E0310 units).
    """
    if operator in "+-":
        if left.dimension != right.dimension:
            problem = f"`{operator}` needs equal units"
            label = f"left is {named(left.dimension)}, right is {named(right.dimension)}"
            raise wrong("E0310", problem, at, label)
        value = left.value + right.value if operator == "+" else left.value - right.value
        return Quantity(limited(value, at), left.dimension)
    if operator == "^":
        return _power(left, right, at)
    if operator == "*":
        value = left.value * right.value
        return Quantity(limited(value, at), _product(left.dimension, right.dimension, 1))
    if right.value == 0:
        raise wrong("E0302", "division by zero", at, "the divisor is 0")
    value = left.value / right.value
    return Quantity(limited(value, at), _product(left.dimension, right.dimension, -1))


def _power(base: Quantity, exponent: Quantity, at: Span) -> Quantity:
    if exponent.dimension or exponent.value.denominator != 1:
        raise wrong("E0308", "an exponent must be a plain whole number", at, f"it is {exponent}")
    power = exponent.value.numerator
    size = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
    if abs(power) > BITS or size * abs(power) > 2 * BITS:
        raise wrong("E0303", "this power has too many digits", at, f"more than {BITS} bits")
    if base.value == 0 and power < 0:
        raise wrong("E0302", "division by zero", at, "0 to a negative power")
    dimension = tuple((name, old * power) for name, old in base.dimension if old * power)
    return Quantity(limited(base.value**power, at), dimension)


def _product(left: Dimension, right: Dimension, sign: int) -> Dimension:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))
