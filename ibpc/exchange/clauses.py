"""And/or/not over comparisons to disjunctive normal form, within limits.

A clause is a tuple of atoms that hold together; a formula becomes a list of clauses of which one
holds. No clause at all is "false", an empty clause "true".
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, product
from math import prod
from typing import TYPE_CHECKING

from ibpc.exchange.exact import finite_decimal, negative
from ibpc.exchange.forms import Form, Leaf, fold, span_of
from ibpc.exchange.mistakes import FORM, LOOSE, MALFORMED, TOO_MANY, mistake
from ibpc.exchange.property import Bound, Constraint
from ibpc.exchange.terms import Linear, arguments, constraint, difference, linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.errors import Span
    from ibpc.exchange.mistakes import Warnings
    from ibpc.exchange.property import Exact
    from ibpc.exchange.terms import Scope, Term

Atom = Bound | Constraint
Clause = tuple[Atom, ...]

MAX_CLAUSES = 100_000
MAX_ATOMS = 10_000_000

_OPPOSITE = {"<=": ">", ">=": "<", "<": ">=", ">": "<=", "=": "!=", "!=": "="}
_COMPARISONS = frozenset(_OPPOSITE) | {"=="}


@dataclass(slots=True)
class _Formula:
    """A Boolean form, and whether it stands under an odd number of `not`."""

    form: Form
    negated: bool


def clauses(root: Form | Leaf, scope: Scope, warnings: Warnings, dialect: int) -> list[Clause]:
    """The disjunctive normal form of a Boolean form.

    `dialect` is 1 (with `not` and `=`) or 2 (with `==` and `!=`).
    Raises: PropertyMistake where it is no Boolean form, or its normal form is too large.
    """

    def children(formula: _Formula) -> list[_Formula]:
        form = formula.form
        if form.head not in {"and", "or", "not"}:
            return []
        negated = formula.negated ^ (form.head == "not")
        return [_Formula(_boolean(item, scope), negated) for item in _parts(form, scope, dialect)]

    def finish(formula: _Formula, values: list[list[Clause]]) -> list[Clause]:
        form = formula.form
        if form.head == "not":
            return values[0]
        if form.head in {"and", "or"}:
            if (form.head == "and") != formula.negated:
                return conjunction(values, span_of(scope.text, form))
            return list(chain.from_iterable(values))
        return _comparison(formula, scope, warnings, dialect)

    return fold(_Formula(_boolean(root, scope), False), children, finish)


def conjunction(parts: Sequence[list[Clause]], at: Span) -> list[Clause]:
    """The clauses of a conjunction: every choice of one clause from each part."""
    if len(parts) == 1:
        return parts[0]
    count = prod(len(part) for part in parts)
    if count > 1:
        atoms = sum(count // len(part) * sum(map(len, part)) for part in parts)
        if count > MAX_CLAUSES or atoms > MAX_ATOMS:
            raise mistake(
                TOO_MANY,
                f"there are {_amount(count)} cases to tell apart here",
                at,
                "all combinations of these alternatives",
                fix=f"at most {MAX_CLAUSES} cases are read; split the property into several files",
            )
    return [tuple(chain.from_iterable(choice)) for choice in product(*parts)]


def atoms_of(row: Constraint) -> tuple[Atom, ...] | None:
    """A row as atoms: a bound where it has one input only; None where it is false.

    A strict bound keeps its row beside the closed bound.
    """
    if row.outputs or len(row.inputs) > 1:
        return (row,)
    if not row.inputs:
        holds = row.bound > 0 or (row.bound == 0 and not row.strict)
        return () if holds else None
    index, coefficient = row.inputs[0]
    number: Exact
    if abs(coefficient) == 1:
        number = row.bound if coefficient == 1 else negative(row.bound)
    else:
        quotient = Fraction(row.bound) / Fraction(coefficient)
        number = finite_decimal(quotient) or quotient
    bound = (index, coefficient > 0, number)
    return (bound, row) if row.strict else (bound,)


def _amount(count: int) -> str:
    return str(count) if count < 10**12 else "more than 10^12"


def _boolean(item: Leaf | Form, scope: Scope) -> Form:
    if isinstance(item, Form) and not item.bracket:
        return item
    raise mistake(
        FORM,
        "a comparison, `and` or `or` in parentheses belongs here",
        span_of(scope.text, item),
    )


def _parts(form: Form, scope: Scope, dialect: int) -> list[Leaf | Form]:
    parts = form.items[1:]
    wrong = len(parts) != 1 if form.head == "not" else not parts
    if wrong:
        raise mistake(FORM, f"`{form.head}` has {len(parts)} operands", span_of(scope.text, form))
    if form.head == "not" and dialect == 2:
        raise mistake(
            FORM,
            "VNN-LIB 2.x has no `not`",
            span_of(scope.text, form),
            fix="turn the comparison round",
        )
    return parts


def _comparison(formula: _Formula, scope: Scope, warnings: Warnings, dialect: int) -> list[Clause]:
    form = formula.form
    operator = _operator(form, scope, warnings, dialect)
    left, right = (
        linear(term, scope) for term in _compared(form, scope, warnings, paired=dialect == 1)
    )
    if formula.negated:
        operator = _OPPOSITE[operator]
    form_value = difference(left, right, form, scope)
    if form_value.loose and not form_value.kind and dialect == 2:
        warnings.add(
            LOOSE,
            "a comparison without variables has no element type",
            span_of(scope.text, form),
            fix="the standard forbids it; leave it out",
        )
    return _cases(operator, form_value)


def _cases(operator: str, value: Linear) -> list[Clause]:
    """`value operator 0` as clauses."""
    turned = Linear({n: -c for n, c in value.coefficients.items()}, -value.constant)
    sides = {
        "<=": [[(value, False)]],
        "<": [[(value, True)]],
        ">=": [[(turned, False)]],
        ">": [[(turned, True)]],
        "=": [[(value, False), (turned, False)]],
        "!=": [[(value, True)], [(turned, True)]],
    }
    found: list[Clause] = []
    for case in sides[operator]:
        parts = [atoms_of(constraint(side, strict)) for side, strict in case]
        whole = [part for part in parts if part is not None]
        if len(whole) == len(parts):
            found.append(tuple(chain.from_iterable(whole)))
    return found


def _operator(form: Form, scope: Scope, warnings: Warnings, dialect: int) -> str:
    """The comparison sign, with one spelling for equality."""
    sign = form.head
    if sign not in _COMPARISONS:
        raise mistake(
            FORM,
            f"`{sign[:40] or '('}` is no comparison",
            span_of(scope.text, form.items[0] if form.items else form),
            fix="write one of <= >= < >, or `and`, `or`",
        )
    if dialect == 2 and sign == "=":
        warnings.add(LOOSE, "equality is written `==`", span_of(scope.text, form.items[0]))
    if dialect == 1 and sign in {"==", "!="}:
        warnings.add(MALFORMED, f"VNN-LIB 1.0 has no `{sign}`", span_of(scope.text, form.items[0]))
    return "=" if sign == "==" else sign


def _compared(form: Form, scope: Scope, warnings: Warnings, paired: bool) -> list[Term]:
    """The two sides; `(<= (c e))`, which official 1.0 files have, is `(<= c e)`."""
    sides = arguments(form, scope)
    only = sides[0] if len(sides) == 1 else None
    if paired and isinstance(only, Form) and _is_pair(only):
        sides = arguments(Form(only.start, False, only.end, 0, [only.items[0], *only.items]), scope)
        warnings.add(
            MALFORMED,
            "the two sides of a comparison stand in one pair of parentheses",
            span_of(scope.text, only),
            fix=f"write ({form.head} a b), not ({form.head} (a b))",
        )
    if len(sides) != 2:
        raise mistake(
            FORM, f"`{form.head}` compares two terms, not {len(sides)}", span_of(scope.text, form)
        )
    return sides


def _is_pair(form: Form) -> bool:
    return len(form.items) == 2 and form.head not in {"+", "-", "*", "/"}
