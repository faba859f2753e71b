"""The body of a claim as a conjunction of linear atoms, or the reason why it is none.

Quantifiers over indices are written out; `not` is pushed down to the atoms; an `or` (also the one
hidden in `=>`, `exists`, `!=`, or under `not`) is allowed where all but one side are constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

from ibpc.language.arithmetic import as_linear, difference
from ibpc.language.evaluate import as_quantity, as_whole, evaluate
from ibpc.language.mistakes import wrong
from ibpc.language.quantities import Quantity
from ibpc.language.scopes import Scope
from ibpc.language.values import (
    DatumLabel,
    Finite,
    Interval,
    Label,
    Linear,
    Many,
    Opaque,
    Outputs,
    Truth,
    TypeValue,
    Value,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

ATOMS = 200_000
"""The most atoms that a claim may be written out to."""

_NEGATED = {"<=": ">", "<": ">=", ">=": "<", ">": "<=", "==": "!=", "!=": "=="}
_WHY = "claims are conjunctions of C z + d <= 0 for now"


@dataclass(frozen=True, slots=True)
class Atom:
    """`sum factor * z[key] + constant <= 0` (`< 0` where strict)."""

    terms: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    strict: bool


Conjunction = bool | tuple[Atom, ...]


class NeedsLabel(Exception):
    """The claim looks at the datum's label, so it must be written out for each label."""

    def __init__(self, label: DatumLabel) -> None:
        super().__init__(label.name)
        self.label = label


def argmax_strictness(body: tree.Expr, scope: Scope) -> bool | None:
    """Whether the body is Eq. 3, for any number of classes: None (no), or its strictness.

    forall k != y: z[k] - z[y] <= 0      argmax(z) == y

    The index k stays a name, so that 1,000 classes cost no more than ten.
    """
    if isinstance(body, tree.Comparison) and len(body.rest) == 1:
        operator, right = body.rest[0]
        output = _argmax_of(body.first, scope)
        fits = output is not None and operator == "=="
        if fits and isinstance(evaluate(right, scope), DatumLabel):
            return False
        return None
    if not isinstance(body, tree.Quantifier) or body.kind != "forall":
        return None
    binder, inner = body.binders[0], body.body
    if len(body.binders) != 1 or binder.kind != "other":
        return None
    if not isinstance(inner, tree.Comparison) or len(inner.rest) != 1:
        return None
    label = evaluate(binder.value, scope)
    if not isinstance(label, DatumLabel):
        return None
    bound = scope.bind(binder.name, Opaque(binder.name.text, label.type))
    sides = evaluate(inner.first, bound), evaluate(inner.rest[0][1], bound)
    if not any(isinstance(side, Linear) for side in sides):
        return None
    left, right_ = as_linear(sides[0], inner.first), as_linear(sides[1], inner.rest[0][1])
    return _overtakes(difference(left, right_, inner.span), inner.rest[0][0])


def _overtakes(form: Linear, operator: str) -> bool | None:
    """Whether `form operator 0` says that an opaque z[k] does not overtake z[y]."""
    sign = {"<=": 1, "<": 1, ">=": -1, ">": -1}.get(operator)
    if sign is None or form.constant or len(form.terms) != 2:
        return None
    opaque = [factor for key, factor in form.terms if isinstance(key, Opaque)]
    label = [factor for key, factor in form.terms if isinstance(key, DatumLabel)]
    if len(opaque) != 1 or len(label) != 1:
        return None
    fits = opaque[0] == -label[0] and opaque[0] * sign > 0
    return operator in "<>" if fits else None


def _argmax_of(expr: tree.Expr, scope: Scope) -> Outputs | None:
    """The z of `argmax(z)`, or None."""
    called = isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name)
    if not called or scope.find("argmax") is not None:
        return None
    assert isinstance(expr, tree.Call)
    assert isinstance(expr.function, tree.Name)
    if expr.function.text != "argmax" or len(expr.arguments) != 1:
        return None
    value = evaluate(expr.arguments[0].value, scope)
    return value if isinstance(value, Outputs) else None


class Logic:
    """Writes claims out, counting atoms so that nothing explodes."""

    def __init__(self) -> None:
        self.left = ATOMS

    def conjunction(self, expr: tree.Expr, scope: Scope, positive: bool) -> Conjunction:
        """The expression (negated, where not `positive`) as a conjunction.

        Raises: NeedsLabel; TypeMistake E0401, E0403 to E0407.
        """
        if isinstance(expr, tree.Binary) and expr.operator in {"and", "or", "=>"}:
            return self._binary(expr, scope, positive)
        if isinstance(expr, tree.Unary) and expr.operator == "not":
            return self.conjunction(expr.operand, scope, not positive)
        if isinstance(expr, tree.Comparison):
            return self._chain(expr, scope, positive)
        if isinstance(expr, tree.Quantifier):
            return self._quantifier(expr, scope, positive)
        if isinstance(expr, tree.Call):
            ranked = self._ranked(expr, scope, positive)
            if ranked is not None:
                return ranked
        value = evaluate(expr, scope)
        if isinstance(value, Truth):
            return value.value == positive
        label = f"this is {kind_of(value)}"
        raise wrong("E0401", "a claim was expected", expr.span, label, "compare it: `... <= 0`")

    def both(self, one: Conjunction, other: Conjunction) -> Conjunction:
        """One and other."""
        if one is False or other is False:
            return False
        if one is True:
            return other
        return one if other is True else one + other

    def either(self, one: Conjunction, other: Conjunction, at: tree.Expr, what: str) -> Conjunction:
        """One or other; raises TypeMistake E0403, E0404 where both depend on the output."""
        if one is True or other is True:
            return True
        if one is False:
            return other
        if other is False:
            return one
        code = "E0404" if what == "exists" else "E0403"
        problem = f"this `{what}` does not reduce to a conjunction"
        fix = "split the claim into several specs, or strengthen it to one of the cases"
        raise wrong(
            code, problem, at.span, "two cases that both depend on the output", fix, notes=(_WHY,)
        )

    def _binary(self, expr: tree.Binary, scope: Scope, positive: bool) -> Conjunction:
        conjoined = (expr.operator == "and") == positive
        left = self.conjunction(expr.left, scope, positive != (expr.operator == "=>"))
        if expr.operator == "=>" and left is positive:
            # a false premise (or, negated, nothing to show): the other side may not even make sense
            return positive
        right = self.conjunction(expr.right, scope, positive)
        if expr.operator == "=>":
            conjoined = not positive
        if conjoined:
            return self.both(left, right)
        return self.either(left, right, expr, _hidden(expr.operator, positive))

    # --- quantifiers over indices ------------------------------------------------------------

    def _quantifier(self, expr: tree.Quantifier, scope: Scope, positive: bool) -> Conjunction:
        return self._binders(expr, expr.binders, scope, positive)

    def _binders(
        self,
        expr: tree.Quantifier,
        binders: Sequence[tree.Binder],
        scope: Scope,
        positive: bool,
    ) -> Conjunction:
        if not binders:
            return self.conjunction(expr.body, scope, positive)
        binder, rest = binders[0], binders[1:]
        if binder.kind == "bind":
            inner = scope.bind(binder.name, evaluate(binder.value, scope))
            return self._binders(expr, rest, inner, positive)
        conjoined = (expr.kind == "forall") == positive
        result: Conjunction = conjoined
        for value in self._range(binder, scope):
            one = self._binders(expr, rest, scope.bind(binder.name, value), positive)
            if conjoined:
                result = self.both(result, one)
            else:
                hidden = "exists" if expr.kind == "exists" else "forall under not"
                result = self.either(result, one, expr, hidden)
            if result is not conjoined and isinstance(result, bool):
                break
        return result

    def _range(self, binder: tree.Binder, scope: Scope) -> Sequence[Value]:
        """The values that an index runs through."""
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
        return self._no_index(binder, value)

    def _no_index(self, binder: tree.Binder, value: Value) -> NoReturn:
        if type(value).__name__ in {"SetValue", "TypeValue", "Definition"}:
            fix = "quantify over indices here, or turn the inner set into a parameter"
            problem = "a tensor quantifier inside of another one is not supported"
            raise wrong("E0407", problem, binder.span, "an inner tensor quantifier", fix)
        label = f"this is {kind_of(value)}"
        raise wrong("E0111", "an index runs through a finite type", binder.value.span, label)

    def _spend(self, count: int, at: tree.Binder | tree.Expr) -> None:
        self.left -= count
        if self.left < 0:
            label = f"more than {ATOMS} atoms"
            raise wrong("E0208", "this claim is too large when written out", at.span, label)

    # --- atoms -------------------------------------------------------------------------------

    def _chain(self, expr: tree.Comparison, scope: Scope, positive: bool) -> Conjunction:
        result: Conjunction = positive
        left = expr.first
        for operator, right in expr.rest:
            one = self._link(left, operator, right, scope, positive)
            if positive:
                result = self.both(result, one)
            else:
                result = self.either(result, one, expr, "chain under not")
            left = right
        return result

    def _link(
        self, left: tree.Expr, operator: str, right: tree.Expr, scope: Scope, positive: bool
    ) -> Conjunction:
        """`left operator right`, negated where not positive."""
        operator = operator if positive else _NEGATED[operator]
        output = _argmax_of(left, scope)
        if output is not None:
            return self._argmax(output, operator, left, evaluate(right, scope), right)
        one, other = evaluate(left, scope), evaluate(right, scope)
        for side in (one, other):
            if isinstance(side, DatumLabel):
                raise NeedsLabel(side)
        if isinstance(one, Label) or isinstance(other, Label):
            return _compare(_place(one, left), operator, _place(other, right))
        if isinstance(one, Quantity) and isinstance(other, Quantity):
            _same_unit(one, other, right)
            return _compare(one.value, operator, other.value)
        form = difference(as_linear(one, left), as_linear(other, right), left.span)
        return self._atoms(form, operator, left)

    def _atoms(self, form: Linear, operator: str, at: tree.Expr) -> Conjunction:
        """`form operator 0` as atoms."""
        if not form.terms:
            return _compare(form.constant, operator, Fraction(0))
        if operator == "!=":
            fix = "claims cannot exclude a value; use `<` or `>`"
            problem = "`!=` over the network's output is an `or`"
            raise wrong("E0403", problem, at.span, "not a conjunction", fix, notes=(_WHY,))
        self._spend(1, at)
        if operator == "==":
            return (self._atom(form, 1, False), self._atom(form, -1, False))
        return (self._atom(form, 1 if operator in {"<=", "<"} else -1, operator in "<>"),)

    def _atom(self, form: Linear, sign: int, strict: bool) -> Atom:
        terms = []
        for key, factor in form.terms:
            if isinstance(key, DatumLabel):
                raise NeedsLabel(key)
            assert isinstance(key, int)
            terms.append((key, factor * sign))
        return Atom(tuple(terms), form.constant * sign, strict)

    # --- rankings ----------------------------------------------------------------------------

    def _argmax(
        self, output: Outputs, operator: str, left: tree.Expr, value: Value, right: tree.Expr
    ) -> Conjunction:
        """`argmax(z) == k`: no other entry is larger (a tie counts for k)."""
        if operator != "==":
            problem = "only `argmax(z) == k` is a conjunction"
            raise wrong("E0403", problem, left.span, f"`{operator}`", notes=(_WHY,))
        return self._extreme(output, value, right, sign=1)

    def _ranked(self, expr: tree.Call, scope: Scope, positive: bool) -> Conjunction | None:
        """`maximal(z, k)` and `minimal(z, k)`; None for another call."""
        function = expr.function
        if not isinstance(function, tree.Name) or scope.find(function.text) is not None:
            return None
        sign = {"maximal": 1, "minimal": -1}.get(function.text)
        if sign is None:
            return None
        if len(expr.arguments) != 2:
            raise wrong("E0210", f"write `{function.text}(z, k)`", expr.span, "two arguments")
        output = evaluate(expr.arguments[0].value, scope)
        if not isinstance(output, Outputs):
            at = expr.arguments[0].span
            raise wrong("E0301", f"`{function.text}` ranks a network's output", at, kind_of(output))
        place = expr.arguments[1].value
        key = tree.Index(expr.arguments[0].value, (place,), expr.span)
        entry = evaluate(key, scope)
        assert isinstance(entry, Linear)
        chosen = entry.terms[0][0]
        if isinstance(chosen, DatumLabel):
            raise NeedsLabel(chosen)
        conjunction = self._extreme(output, Quantity(Fraction(_known(chosen))), place, sign)
        if positive or isinstance(conjunction, bool):
            return conjunction if positive else not conjunction
        if len(conjunction) == 1:
            atom = conjunction[0]
            terms = tuple((k, -factor) for k, factor in atom.terms)
            return (Atom(terms, -atom.constant, not atom.strict),)
        problem = f"`not {function.text}(...)` is an `or` over the entries"
        raise wrong("E0403", problem, expr.span, "not a conjunction", notes=(_WHY,))

    def _extreme(self, output: Outputs, value: Value, at: tree.Expr, sign: int) -> Conjunction:
        if isinstance(value, DatumLabel):
            raise NeedsLabel(value)
        size = output.type.type.shape[0]
        if len(output.type.type.shape) != 1:
            raise wrong("E0406", "only vectors have a largest entry", at.span, "several axes")
        place = value.index if isinstance(value, Label) else as_whole(value, at.span)
        if not 0 <= place < size:
            raise wrong("E0207", f"index {place} is out of range", at.span, f"0 to {size - 1}")
        self._spend(size, at)
        return tuple(
            Atom(((k, Fraction(sign)), (place, Fraction(-sign))), Fraction(0), False)
            for k in range(size)
            if k != place
        )


def _known(key: object) -> int:
    assert isinstance(key, int)
    return key


def _hidden(operator: str, positive: bool) -> str:
    return operator if positive else f"{operator} under not"


def _place(value: Value, at: tree.Expr) -> Fraction:
    """A label as its number, to be compared with another."""
    if isinstance(value, Label):
        return Fraction(value.index)
    return as_quantity(value, at.span).value


def _same_unit(one: Quantity, other: Quantity, at: tree.Expr) -> None:
    if one.dimension != other.dimension:
        label = f"{one} against {other}"
        raise wrong("E0310", "a comparison needs equal units", at.span, label)


def _compare(left: Fraction, operator: str, right: Fraction) -> bool:
    return {
        "<=": left <= right,
        "<": left < right,
        ">=": left >= right,
        ">": left > right,
        "==": left == right,
        "!=": left != right,
    }[operator]
