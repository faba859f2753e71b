"""Expressions in a datum: `x0 - eps * mask`, `a * x0 + b`, as gains and shifts of its entries.

A blend is affine in the datum for fixed variables, and affine in the variables for a fixed datum;
a product that is neither is refused.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.mistakes import wrong
from ibpc.language.program import Symbol
from ibpc.language.quantities import Quantity, limited
from ibpc.language.values import Blend, Datum, Many, SetVariable, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.errors import Span
    from ibpc.language.values import Numbers, Value
    from ibpc.syntax import tree

    Key = SetVariable | Symbol | None

ZERO, ONE = (Fraction(0),), (Fraction(1),)


def blends(left: Value, right: Value) -> bool:
    """Whether an operator between the two makes a blend."""
    kinds = (left, right)
    if any(isinstance(side, Datum | Blend | SetVariable) for side in kinds):
        return True
    return any(isinstance(s, Symbol) for s in kinds) and any(isinstance(s, Many) for s in kinds)


def blended(operator: str, left: Value, right: Value, expr: tree.Binary) -> Blend:
    """`left operator right`; raises TypeMistake E0405, E0415, UnitMistake E0301, E0302, E0310."""
    one, other = as_blend(left, expr.left.span), as_blend(right, expr.right.span)
    if one.limits or other.limits:
        fix = "`clip(..., low, high)` stands outermost"
        raise wrong("E0415", "a clipped expression is reckoned with", expr.span, fix=fix)
    if one.datum and other.datum and one.datum != other.datum:
        raise wrong("E0415", "an expression speaks of two data", expr.span, "two data")
    datum = one.datum or other.datum
    if operator == "+":
        return Blend(datum, _sum(one, other, expr.span))
    if operator == "-":
        return Blend(datum, _sum(one, _times(other, (Fraction(-1),), expr.span), expr.span))
    if operator == "*":
        return Blend(datum, _product(one, other, expr.span))
    if operator == "/" and not other.datum and _constant(other) is not None:
        divisors = _constant(other)
        assert divisors is not None
        if 0 in divisors:
            raise wrong("E0302", "division by zero", expr.right.span, "holds a 0")
        inverse = tuple(1 / number for number in divisors)
        return Blend(datum, _times(one, inverse, expr.span).terms)
    raise _not_affine(expr.span, f"`{operator}`")


def as_blend(value: Value, at: Span) -> Blend:
    """A number, list, datum, variable or schedule as a blend."""
    if isinstance(value, Blend):
        return value
    if isinstance(value, Datum):
        return Blend(value, ((None, ONE, ZERO),))
    if isinstance(value, SetVariable):
        return Blend(None, ((value, ZERO, ONE),))
    if isinstance(value, Symbol):
        return Blend(None, ((Symbol(value.name), ZERO, (value.factor,)),))
    return Blend(None, ((None, ZERO, numbers_of(value, at)),))


def numbers_of(value: Value, at: Span) -> Numbers:
    """A plain number, or those of a list or of a list of lists, flat."""
    if isinstance(value, Many):
        return tuple(number for item in value.items for number in numbers_of(item, at))
    if not isinstance(value, Quantity):
        raise wrong("E0301", "a number was expected", at, f"this is {kind_of(value)}")
    if value.dimension:
        raise wrong("E0310", "expected a plain number", at, f"this is {value}")
    return (value.value,)


def spread(
    left: Numbers, right: Numbers, rule: Callable[[Fraction, Fraction], Fraction]
) -> Numbers:
    """The rule entry by entry; a single number stands for all entries."""
    size = max(len(left), len(right))
    left = left if len(left) == size else left * size
    right = right if len(right) == size else right * size
    return tuple(map(rule, left, right))


def checked_lengths(blend: Blend, size: int, at: Span) -> None:
    """Raise TypeMistake E0211 where a list has another length than the tensor."""
    for _, *sides in blend.terms:
        for numbers in sides:
            if len(numbers) not in {1, size}:
                label = f"{len(numbers)} numbers for {size} entries"
                raise wrong("E0211", "this list does not fit the tensor", at, label)


def _sum(one: Blend, other: Blend, at: Span) -> tuple[tuple[Key, Numbers, Numbers], ...]:
    found: dict[Key, tuple[Numbers, Numbers]] = {}
    for key, gain, shift in (*one.terms, *other.terms):
        known = found.get(key, (ZERO, ZERO))
        found[key] = (_add(known[0], gain, at), _add(known[1], shift, at))
    return tuple((key, *sides) for key, sides in found.items())


def _times(blend: Blend, factors: Numbers, at: Span) -> Blend:
    terms = ((k, _multiply(g, factors, at), _multiply(s, factors, at)) for k, g, s in blend.terms)
    return Blend(blend.datum, tuple(terms))


def _product(one: Blend, other: Blend, at: Span) -> tuple[tuple[Key, Numbers, Numbers], ...]:
    if one.datum and other.datum:
        raise _not_affine(at, "the datum times itself")
    if _constant(one) is None and _constant(other) is None:
        raise _not_affine(at, "two variables multiplied")
    total = Blend(None, ())
    for key, gain, shift in one.terms:
        for second, other_gain, other_shift in other.terms:
            gains = _add(_multiply(gain, other_shift, at), _multiply(shift, other_gain, at), at)
            shifts = _multiply(shift, other_shift, at)
            term = Blend(None, ((key if second is None else second, gains, shifts),))
            total = Blend(None, _sum(total, term, at))
    return total.terms


def _constant(blend: Blend) -> Numbers | None:
    """The numbers of a blend without datum and keys; with a datum only its being keyless counts."""
    if any(key is not None for key, _, _ in blend.terms):
        return None
    return blend.terms[0][2] if blend.terms else ZERO


def _add(one: Numbers, other: Numbers, at: Span) -> Numbers:
    _same_length(one, other, at)
    return spread(one, other, lambda a, b: limited(a + b, at))


def _multiply(one: Numbers, other: Numbers, at: Span) -> Numbers:
    _same_length(one, other, at)
    return spread(one, other, lambda a, b: limited(a * b, at))


def _same_length(one: Numbers, other: Numbers, at: Span) -> None:
    if len(one) != len(other) and 1 not in {len(one), len(other)}:
        label = f"{len(one)} and {len(other)} entries"
        raise wrong("E0211", "these lists have different lengths", at, label)


def _not_affine(at: Span, label: str) -> Exception:
    fix = "write it like `a * x0 + b`: affine in the datum, and in the variables"
    return wrong("E0405", "this expression is not affine", at, label, fix)
