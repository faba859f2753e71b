"""Arithmetic of VNN-LIB as linear forms with exact coefficients.

Variables are numbered: input i is i, output j is ~j (that is -1 - j).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Protocol

from ibpc.exchange.exact import finite_decimal, parse_decimal, too_big
from ibpc.exchange.forms import Form, Leaf, fold, span_of
from ibpc.exchange.mistakes import ELEMENT_TYPE, FORM, NOT_LINEAR, NUMBER, mistake
from ibpc.exchange.property import Constraint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.exchange.property import Exact
    from ibpc.exchange.source import Text


@dataclass(slots=True)
class Variable:
    """`X_3`, `X` or `X[0,1]` as written."""

    name: Leaf
    index: Form | None


Term = Leaf | Form | Variable


class Scope(Protocol):
    """What a dialect says of names and element types."""

    text: Text

    def variable(self, found: Variable) -> tuple[int, str]:
        """The number and element type of a variable; raises where it is not declared."""

    def member(self, literal: Leaf, kind: str) -> None:
        """Raises where a constant is no member of an element type."""

    def find(self, written: str) -> int | None:
        """The number of a variable as written without blanks, if all tensors are of reals."""

    def divides(self) -> bool:
        """Whether the dialect has a division."""


@dataclass(slots=True)
class Linear:
    """`sum coefficient * variable + constant`; `kind` is "" while no variable gave a type.

    `loose` are constants whose element type is not known yet. Each form has one owner, who may
    change it: sums of many terms stay linear in time.
    """

    coefficients: dict[int, Fraction] = field(default_factory=dict)
    constant: Fraction = Fraction(0)
    kind: str = ""
    loose: list[Leaf] = field(default_factory=list)


def linear(root: Form | Leaf | Variable, scope: Scope) -> Linear:
    """The linear form of a term.

    Raises: PropertyMistake where it is not linear, ill-typed, or no term at all.
    """

    def finish(term: Term, values: list[Linear]) -> Linear:
        if isinstance(term, Form):
            return _combined(term, values, scope)
        return _atom(term, scope)

    return fold(root, lambda term: _operands(term, scope), finish)


def arguments(form: Form, scope: Scope) -> list[Term]:
    """The operands after a form's head; a name takes the index that follows it."""
    found: list[Term] = []
    for item in form.items[1:]:
        last = found[-1] if found else None
        if isinstance(item, Form) and item.bracket:
            if not isinstance(last, Leaf):
                raise mistake(FORM, "an index stands alone", span_of(scope.text, item))
            found[-1] = Variable(last, item)
        else:
            found.append(item)
    return found


def unify(parts: Sequence[Linear], at: Form, scope: Scope) -> tuple[str, list[Leaf]]:
    """The one element type of operands, and their constants that still wait for one.

    Raises: PropertyMistake where the types differ or a constant is no member of it.
    """
    kinds = sorted({part.kind for part in parts if part.kind})
    if len(kinds) > 1:
        raise mistake(
            ELEMENT_TYPE,
            f"operands have the element types {' and '.join(kinds)}",
            span_of(scope.text, at),
            fix="nothing is converted: declare the tensors with one element type",
        )
    loose = [leaf for part in parts for leaf in part.loose]
    if not kinds:
        return "", loose
    for leaf in loose:
        scope.member(leaf, kinds[0])
    return kinds[0], []


def difference(left: Linear, right: Linear, at: Form, scope: Scope) -> Linear:
    """`left - right`; both are used up."""
    return _sum([left, _scaled(right, Fraction(-1), at, scope)], at, scope)


def constraint(form: Linear, strict: bool) -> Constraint:
    """`form <= 0` as a row whose numbers are finite decimals."""
    terms = sorted(
        (number, value) for number, value in form.coefficients.items() if value and number >= 0
    )
    outputs = sorted(
        (~number, value) for number, value in form.coefficients.items() if value and number < 0
    )
    numbers = [value for _, value in (*terms, *outputs)]
    scale = denominator([*numbers, form.constant])
    return Constraint(
        tuple((index, _plain(value * scale)) for index, value in outputs),
        tuple((index, _plain(value * scale)) for index, value in terms),
        _plain(-form.constant * scale),
        strict,
    )


def denominator(numbers: Sequence[Exact]) -> int:
    """The least positive integer that makes all numbers finite decimals (1 where they are)."""
    odd = [Fraction(number).denominator for number in numbers if finite_decimal(number) is None]
    return lcm(*odd) if odd else 1


def _plain(number: Fraction) -> Exact:
    plain = finite_decimal(number)
    return number if plain is None else plain


def _operands(term: Term, scope: Scope) -> list[Term]:
    if not isinstance(term, Form):
        return []
    operands = arguments(term, scope)
    if term.head not in {"+", "-", "*", "/"}:
        written = term.head or "a parenthesis"
        raise mistake(
            FORM,
            f"`{written}` is no arithmetic",
            span_of(scope.text, term),
            "a number, a variable, or +, - or * of such belongs here",
        )
    if not operands:
        raise mistake(FORM, f"`{term.head}` has no operands", span_of(scope.text, term))
    return operands


def _atom(term: Leaf | Variable, scope: Scope) -> Linear:
    name, index = (term.name, term.index) if isinstance(term, Variable) else (term, None)
    if name.text[0] in "+-.0123456789":
        number = parse_decimal(name.text)
        if number is None or index is not None:
            raise mistake(
                NUMBER,
                f"cannot read the number `{name.text[:40]}`",
                span_of(scope.text, name),
                fix="write 12, -0.5 or (in VNN-LIB 1.0) 1e-6",
            )
        return Linear({}, Fraction(number), "", [name])
    variable, kind = scope.variable(Variable(name, index))
    return Linear({variable: Fraction(1)}, Fraction(0), kind)


def _combined(form: Form, values: list[Linear], scope: Scope) -> Linear:
    if form.head == "+":
        return _sum(values, form, scope)
    if form.head == "*":
        return _product(values, form, scope)
    if form.head == "/":
        return _quotient(values, form, scope)
    if len(values) == 1:
        return _scaled(values[0], Fraction(-1), form, scope)
    rest = [_scaled(value, Fraction(-1), form, scope) for value in values[1:]]
    return _sum([values[0], *rest], form, scope)


def _sum(values: list[Linear], at: Form, scope: Scope) -> Linear:
    kind, loose = unify(values, at, scope)
    total = max(values, key=lambda value: len(value.coefficients))
    for value in values:
        if value is total:
            continue
        total.constant += value.constant
        for number, coefficient in value.coefficients.items():
            total.coefficients[number] = total.coefficients.get(number, 0) + coefficient
    total.kind, total.loose = kind, loose
    _check_size(total.constant, at, scope)
    return total


def _product(values: list[Linear], at: Form, scope: Scope) -> Linear:
    kind, loose = unify(values, at, scope)
    moving = [value for value in values if value.coefficients]
    if len(moving) > 1:
        raise mistake(
            NOT_LINEAR,
            "a product of two variables is not linear",
            span_of(scope.text, at),
            fix="ibpc verifies linear constraints; put the product into the network",
        )
    factor = Fraction(1)
    for value in values:
        if not value.coefficients:
            factor *= value.constant
            _check_size(factor, at, scope)
    total = _scaled(moving[0], factor, at, scope) if moving else Linear({}, factor)
    total.kind, total.loose = kind, loose
    return total


def _quotient(values: list[Linear], at: Form, scope: Scope) -> Linear:
    if not scope.divides():
        raise mistake(
            FORM,
            "VNN-LIB 2.x has no division",
            span_of(scope.text, at),
            fix="multiply by the reciprocal",
        )
    if len(values) != 2 or values[1].coefficients or not values[1].constant:
        raise mistake(
            NOT_LINEAR,
            "a division is by one constant that is not zero",
            span_of(scope.text, at),
        )
    return _scaled(values[0], 1 / values[1].constant, at, scope)


def _scaled(value: Linear, factor: Fraction, at: Form, scope: Scope) -> Linear:
    value.constant *= factor
    _check_size(value.constant, at, scope)
    for number in value.coefficients:
        value.coefficients[number] *= factor
        _check_size(value.coefficients[number], at, scope)
    return value


def _check_size(number: Fraction, at: Form, scope: Scope) -> None:
    if too_big(number):
        raise mistake(NUMBER, "a number of this term has too many digits", span_of(scope.text, at))
