"""The body of a claim in conjunctive normal form, or the reason why it has none.

Quantifiers over indices are written out; `not` is pushed down to the atoms; what is constant goes.
An `or` multiplies the clauses of its sides, so its size is counted before anything is written.
"""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

from ibpc.errors import Related
from ibpc.language.eq3 import argmax_of
from ibpc.language.evaluate import as_quantity, as_whole, evaluate
from ibpc.language.formulas import ATOMS, Atom, both, either, size_of_either
from ibpc.language.linear_forms import as_linear, difference
from ibpc.language.mistakes import wrong
from ibpc.language.predicates import NeedsLabel, equalities, extreme, ranked, ranking
from ibpc.language.quantities import Quantity
from ibpc.language.values import (
    DatumLabel,
    Definition,
    Finite,
    Interval,
    Label,
    Linear,
    Many,
    SetValue,
    Truth,
    TypeValue,
    Value,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ibpc.errors import Span
    from ibpc.language.formulas import Formula
    from ibpc.language.scopes import Scope

_NEGATED = {"<=": ">", "<": ">=", ">=": "<", ">": "<=", "==": "!=", "!=": "=="}


def _names_set(expr: tree.Expr, scope: Scope) -> bool:
    """Whether this is a set by its word, which may lie around a quantified tensor: `ball(x, r)`."""
    if not isinstance(expr, tree.Call) or not isinstance(expr.function, tree.Name):
        return False
    return expr.function.text in scope.world.vocabulary.sets


class Logic:
    """Writes claims out, counting atoms so that nothing explodes."""

    def __init__(self, word: str = "forall") -> None:
        """`word` quantifies over the tensors of the claim."""
        self.left, self._word = ATOMS, word
        self._flips: list[Span] = []

    def formula(self, expr: tree.Expr, scope: Scope, positive: bool) -> Formula:
        """The expression (negated, where not `positive`) in conjunctive normal form.

        Raises: NeedsLabel; TypeMistake E0401, E0405 to E0407, E0208.
        """
        if isinstance(expr, tree.Binary) and expr.operator in {"and", "or", "=>"}:
            return self._binary(expr, scope, positive)
        if isinstance(expr, tree.Unary) and expr.operator == "not":
            with self._turned(expr.span):
                return self.formula(expr.operand, scope, not positive)
        if isinstance(expr, tree.Comparison):
            return self._chain(expr, scope, positive)
        if isinstance(expr, tree.Quantifier):
            return self._binders(expr, expr.binders, scope, positive)
        if isinstance(expr, tree.Call):
            found = self._predicate(expr, scope, positive)
            if found is not None:
                return found
        value = evaluate(expr, scope)
        if isinstance(value, Truth):
            return value.value == positive
        label = f"this is {kind_of(value)}"
        raise wrong("E0401", "a claim was expected", expr.span, label, "compare it: `... <= 0`")

    def either(self, one: Formula, other: Formula, at: tree.Expr | tree.Binder) -> Formula:
        """One or other; raises TypeMistake E0208 where that is too large."""
        self._spend(size_of_either(one, other), at)
        return either(one, other)

    @contextmanager
    def _turned(self, at: Span) -> Iterator[None]:
        """Inside of this, truth and falsehood have changed places."""
        self._flips.append(at)
        yield
        self._flips.pop()

    def _binary(self, expr: tree.Binary, scope: Scope, positive: bool) -> Formula:
        if expr.operator == "=>":
            return self._implication(expr, scope, positive)
        left = self.formula(expr.left, scope, positive)
        right = self.formula(expr.right, scope, positive)
        if (expr.operator == "and") == positive:
            return both(left, right)
        return self.either(left, right, expr)

    def _implication(self, expr: tree.Binary, scope: Scope, positive: bool) -> Formula:
        """`not left or right`, and its negation `left and not right`."""
        with self._turned(expr.left.span):
            left = self.formula(expr.left, scope, not positive)
        if left is positive:
            # a false premise (or, negated, nothing to show): the other side may not even make sense
            return positive
        right = self.formula(expr.right, scope, positive)
        return self.either(left, right, expr) if positive else both(left, right)

    # --- quantifiers over indices ------------------------------------------------------------

    def _binders(
        self,
        expr: tree.Quantifier,
        binders: Sequence[tree.Binder],
        scope: Scope,
        positive: bool,
    ) -> Formula:
        if not binders:
            return self.formula(expr.body, scope, positive)
        binder, rest = binders[0], binders[1:]
        if binder.kind == "bind":
            inner = scope.bind(binder.name, evaluate(binder.value, scope))
            return self._binders(expr, rest, inner, positive)
        conjoined = (expr.kind == "forall") == positive
        result: Formula = conjoined
        for value in self._range(expr, binder, scope):
            one = self._binders(expr, rest, scope.bind(binder.name, value), positive)
            result = both(result, one) if conjoined else self.either(result, one, binder)
            if result is not conjoined and isinstance(result, bool):
                break
        return result

    def _range(self, expr: tree.Quantifier, binder: tree.Binder, scope: Scope) -> Sequence[Value]:
        """The values that an index runs through."""
        if _names_set(binder.value, scope):
            self._nested(expr, binder)
        value = evaluate(binder.value, scope)
        if binder.kind == "other":
            if isinstance(value, DatumLabel):
                raise NeedsLabel(value)
            axis = scope.index_type(value, binder.value.span)
            self._spend(axis.size, binder)
            skipped = value.index if isinstance(value, Label) else -1
            return [Label(k, axis) for k in range(axis.size) if k != skipped]
        if isinstance(value, TypeValue) and isinstance(value.type, Finite):
            self._spend(value.type.type.size, binder)
            return [Label(k, value.type.type) for k in range(value.type.type.size)]
        if isinstance(value, Many):
            self._spend(len(value.items), binder)
            return value.items
        if isinstance(value, Interval):
            low = as_whole(value.low, binder.value.span)
            high = as_whole(value.high, binder.value.span)
            self._spend(high - low + 1, binder)
            return [Quantity(Fraction(number)) for number in range(low, high + 1)]
        return self._no_index(expr, binder, value)

    def _no_index(self, expr: tree.Quantifier, binder: tree.Binder, value: Value) -> NoReturn:
        if not isinstance(value, SetValue | TypeValue | Definition):
            label = f"this is {kind_of(value)}"
            raise wrong("E0111", "an index runs through a finite type", binder.value.span, label)
        self._nested(expr, binder)

    def _nested(self, expr: tree.Quantifier, binder: tree.Binder) -> NoReturn:
        kinds = {"exists": "forall", "forall": "exists"}
        turned = expr.kind if len(self._flips) % 2 == 0 else kinds[expr.kind]
        problem = f"`{turned} {binder.name.text}` under `{self._word}` cannot be compiled"
        fix = "quantify over indices (`exists k`), or turn the inner set into a parameter"
        if turned == self._word:
            problem = "a tensor quantifier inside of a claim's body is not supported"
            fix = f"put it in front: `{self._word} x in SET, {binder.name.text} in SET: ...`"
        label, related = "an inner tensor quantifier", tuple[Related, ...]()
        if turned != expr.kind:
            label = f"becomes `{turned}` under this `not`"
            related = (Related(self._flips[-1], "turned round by this"),)
        raise wrong("E0407", problem, binder.span, label, fix, related)

    def _spend(self, count: int, at: tree.Binder | tree.Expr) -> None:
        self.left -= count
        if self.left < 0:
            label = f"more than {ATOMS} atoms"
            fix = "split it into several specs, or into one with fewer cases in each `or`"
            raise wrong("E0208", "this claim is too large when written out", at.span, label, fix)

    # --- atoms -------------------------------------------------------------------------------

    def _chain(self, expr: tree.Comparison, scope: Scope, positive: bool) -> Formula:
        """`a <= b <= c`: all links hold, or negated, one of them fails."""
        result: Formula = positive
        left = expr.first
        for operator, right in expr.rest:
            one = self._link(left, operator, right, scope, positive)
            result = both(result, one) if positive else self.either(result, one, expr)
            left = right
        return result

    def _link(
        self, left: tree.Expr, operator: str, right: tree.Expr, scope: Scope, positive: bool
    ) -> Formula:
        """`left operator right`, negated where not positive; lists are compared entry by entry."""
        output = argmax_of(left, scope)
        if output is not None:
            found = extreme(output, evaluate(right, scope), right, sign=1)
            if operator not in {"==", "!="}:
                fix = "write `argmax(z) == k`"
                raise wrong("E0406", "`argmax` has no order", left.span, f"`{operator}`", fix)
            self._spend(len(found), left)
            return ranking(found, positive == (operator == "=="))
        one, other = evaluate(left, scope), evaluate(right, scope)
        if not isinstance(one, Many) and not isinstance(other, Many):
            return self._pair(one, other, operator, (left, right), positive)
        conjoined = positive == (operator != "!=")
        result: Formula = conjoined
        for first, second in _paired(one, other, left.span):
            part = self._pair(first, second, operator, (left, right), positive)
            result = both(result, part) if conjoined else self.either(result, part, left)
        return result

    def _pair(
        self,
        one: Value,
        other: Value,
        operator: str,
        written: tuple[tree.Expr, tree.Expr],
        positive: bool,
    ) -> Formula:
        operator = operator if positive else _NEGATED[operator]
        for side in (one, other):
            if isinstance(side, DatumLabel):
                raise NeedsLabel(side)
        left, right = written
        if isinstance(one, Label) or isinstance(other, Label):
            return _compare(_place(one, left), operator, _place(other, right))
        form = difference(as_linear(one, left), as_linear(other, right), left)
        return self._atoms(form, operator, left)

    def _atoms(self, form: Linear, operator: str, at: tree.Expr) -> Formula:
        """`form operator 0` as atoms."""
        if not form.terms:
            return _compare(form.constant, operator, Fraction(0))
        self._spend(2, at)
        if operator == "==":
            return ((_atom(form, 1, False),), (_atom(form, -1, False),))
        if operator == "!=":
            return ((_atom(form, 1, True), _atom(form, -1, True)),)
        return ((_atom(form, 1 if operator in {"<=", "<"} else -1, operator in "<>"),),)

    def _predicate(self, expr: tree.Call, scope: Scope, positive: bool) -> Formula | None:
        """`maximal(z, k)`, `minimal(z, k)`, `agree(x, u, except = i)`; None for another call."""
        function = expr.function
        if not isinstance(function, tree.Name) or scope.find(function.text) is not None:
            return None
        rule = _PREDICATES.get(function.text)
        if rule is None:
            return None
        atoms = rule(expr, scope)
        self._spend(len(atoms), expr)
        return ranking(atoms, positive)


def _maximal(expr: tree.Call, scope: Scope) -> tuple[Atom, ...]:
    return extreme(*ranked(expr, scope), sign=1)


def _minimal(expr: tree.Call, scope: Scope) -> tuple[Atom, ...]:
    return extreme(*ranked(expr, scope), sign=-1)


_PREDICATES: dict[str, Callable[[tree.Call, Scope], tuple[Atom, ...]]] = {
    "maximal": _maximal,
    "minimal": _minimal,
    "agree": equalities,
}


def _paired(one: Value, other: Value, at: Span) -> Iterator[tuple[Value, Value]]:
    """The entries of two lists of one length, or of a list and one value for all of them."""
    first, second = _flat(one), _flat(other)
    if not isinstance(one, Many):
        first = first * len(second)
    if not isinstance(other, Many):
        second = second * len(first)
    if len(first) != len(second):
        label = f"{len(first)} entries against {len(second)}"
        raise wrong("E0211", "these lists have different lengths", at, label)
    yield from zip(first, second, strict=True)


def _flat(value: Value) -> list[Value]:
    if not isinstance(value, Many):
        return [value]
    return [inner for item in value.items for inner in _flat(item)]


def _atom(form: Linear, sign: int, strict: bool) -> Atom:
    for key, _ in form.terms:
        if isinstance(key.index, DatumLabel):
            raise NeedsLabel(key.index)
        assert isinstance(key.index, int)
    terms = tuple((key, factor * sign) for key, factor in form.terms)
    return Atom(terms, form.constant * sign, strict)


def _place(value: Value, at: tree.Expr) -> Fraction:
    """A label as its number, to be compared with another."""
    if isinstance(value, Label):
        return Fraction(value.index)
    return as_quantity(value, at.span).value


def _compare(left: Fraction, operator: str, right: Fraction) -> bool:
    return {
        "<=": left <= right,
        "<": left < right,
        ">=": left >= right,
        ">": left > right,
        "==": left == right,
        "!=": left != right,
    }[operator]
