"""Expressions to values: names resolved, arithmetic exact, nothing approximated.

What an operator does with its operands is in `arithmetic`, what a call does in `calls`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NoReturn

from ibpc.language.arithmetic import negative, operate
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import Symbol
from ibpc.language.quantities import Quantity, number_text
from ibpc.language.values import (
    DataValue,
    Definition,
    Interval,
    Label,
    Many,
    ModuleValue,
    Outputs,
    String,
    Tensor,
    TensorVariable,
    TypeValue,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.errors import Related, Span
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Value


def evaluate(expr: tree.Expr, scope: Scope) -> Value:
    """The value of an expression; raises IbpcError at its first mistake."""
    return _RULES[type(expr)](expr, scope)


def _name(expr: tree.Name, scope: Scope) -> Value:
    return scope.value(expr)


def _number(expr: tree.Number, scope: Scope) -> Value:
    if expr.unit is None:
        return Quantity(expr.value)
    unit = scope.world.unit(scope.module, expr.unit)
    if unit is None:
        known = scope.world.unit_names(scope.module)
        fix = suggestion(expr.unit.text, known) or "declare it: `unit NAME = factor`"
        raise wrong("E0109", f"unknown unit `{expr.unit.text}`", expr.unit.span, "not a unit", fix)
    return Quantity(expr.value * unit.factor, unit.dimension)


def _text(expr: tree.Text, _: Scope) -> Value:
    return String(expr.value)


def _unary(expr: tree.Unary, scope: Scope) -> Value:
    if expr.operator == "not":
        not_a_value(expr)
    return negative(evaluate(expr.operand, scope), expr.span)


def _binary(expr: tree.Binary, scope: Scope) -> Value:
    if expr.operator in {"and", "or", "=>"}:
        not_a_value(expr)
    left = evaluate(expr.left, scope)
    return operate(expr.operator, left, evaluate(expr.right, scope), expr)


def _listing(expr: tree.Listing, scope: Scope) -> Value:
    return Many(tuple(evaluate(item, scope) for item in expr.items))


def _range(expr: tree.Range, scope: Scope) -> Value:
    low, high = evaluate(expr.low, scope), evaluate(expr.high, scope)
    if not isinstance(low, Quantity):
        _no_number(low, expr.low.span)
    if not isinstance(high, Quantity):
        _no_number(high, expr.high.span)
    if low.dimension != high.dimension:
        label = f"from {low} to {high}"
        raise wrong("E0310", "the two ends of an interval have different units", expr.span, label)
    if low.value > high.value:
        fix = f"write `[{high} .. {low}]`"
        raise wrong("E0306", "this interval is empty", expr.span, f"{low} is more than {high}", fix)
    return Interval(low, high)


def _call(expr: tree.Call, scope: Scope) -> Value:
    return scope.world.call(expr, scope)


def _member(expr: tree.Member, scope: Scope) -> Value:
    base = evaluate(expr.base, scope)
    if isinstance(base, ModuleValue):
        return scope.world.member(base.module, expr.name)
    if isinstance(base, DataValue):
        return _part(base, expr.name)
    if isinstance(base, TensorVariable):
        return scope.world.entry_of(base, expr, scope)
    problem = f"{kind_of(base)} has no members"
    raise wrong("E0113", problem, expr.name.span, f"`.{expr.name.text}` of {kind_of(base)}")


def _part(data: DataValue, name: tree.Name) -> Value:
    parts = ("train", "test")
    if name.text not in parts or data.split.part != "all":
        fix = suggestion(name.text, parts)
        raise wrong("E0113", f"data has no part `{name.text}`", name.span, "no such split", fix)
    return DataValue(replace(data.split, part=name.text), data.pair)


def _index(expr: tree.Index, scope: Scope) -> Value:
    base = evaluate(expr.base, scope)
    if isinstance(base, Many):
        return _element(base, expr, scope)
    if isinstance(base, DataValue):
        return _example(base, expr, scope)
    if not isinstance(base, Outputs | TensorVariable):
        raise wrong("E0111", f"{kind_of(base)} cannot be indexed", expr.base.span)
    return scope.world.entry_of(base, expr, scope)


def _element(base: Many, expr: tree.Index, scope: Scope) -> Value:
    if len(expr.items) != 1:
        raise wrong("E0207", "a list has one index", expr.span)
    value = evaluate(expr.items[0], scope)
    if isinstance(value, Label):
        return base.items[_place(value, len(base.items), expr)]
    place = as_whole(value, expr.items[0].span)
    if not 0 <= place < len(base.items):
        label = f"the list has entries 0 to {len(base.items) - 1}"
        raise wrong("E0207", f"index {place} is out of range", expr.items[0].span, label)
    return base.items[place]


def _place(label: Label, size: int, expr: tree.Index) -> int:
    """Where a list with one item for each label, `[full, quick][budget]`, has this one's."""
    if label.type.size != size:
        count = f"{label.type.size} labels, {size} items"
        fix = "write an item for each label, in the order of the labels"
        problem = "a list that a label picks from has an item for each label"
        raise wrong("E0207", problem, expr.span, count, fix)
    return label.index


def _example(base: DataValue, expr: tree.Index, scope: Scope) -> Value:
    """One example of a split: `mnist.test[247]`."""
    if len(expr.items) != 1 or base.split.only is not None:
        raise wrong("E0207", "an example has one index", expr.span)
    at = as_whole(evaluate(expr.items[0], scope), expr.items[0].span, low=0, high=10**9)
    return DataValue(replace(base.split, only=at), base.pair)


def not_a_value(expr: tree.Expr, _: Scope | None = None) -> NoReturn:
    """Refuse a true-or-false expression where a number is needed."""
    label = "this is true or false"
    raise wrong("E0301", "a claim stands where a value is needed", expr.span, label)


def _tuple(expr: tree.Tuple, _: Scope) -> NoReturn:
    fix = "lists are written `[a, b]`"
    raise wrong("E0111", "a tuple means nothing here", expr.span, fix=fix)


def _image(expr: tree.Image, scope: Scope) -> Value:
    return scope.world.image(expr, scope)


_RULES: dict[type, Callable[..., Value]] = {
    tree.Name: _name,
    tree.Number: _number,
    tree.Text: _text,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Listing: _listing,
    tree.Range: _range,
    tree.Call: _call,
    tree.Member: _member,
    tree.Index: _index,
    tree.Comparison: not_a_value,
    tree.Quantifier: not_a_value,
    tree.Tuple: _tuple,
    tree.Image: _image,
}


# --- what a place needs ----------------------------------------------------------------------


def as_quantity(value: Value, at: Span) -> Quantity:
    """A number; raises UnitMistake E0301."""
    if not isinstance(value, Quantity):
        _no_number(value, at)
    return value


def _no_number(value: Value, at: Span) -> NoReturn:
    if isinstance(value, Symbol):
        fix = "schedules may stand in the loss, and as an argument of the spec"
        raise wrong(
            "E0608", f"the schedule `{value.name}` is not known here", at, "a schedule", fix
        )
    if isinstance(value, Definition | TypeValue):
        raise wrong("E0111", f"{kind_of(value)} stands where a number is needed", at)
    raise wrong("E0301", "a number was expected", at, f"this is {kind_of(value)}")


def as_number(value: Value, at: Span) -> Fraction:
    """A number without a unit; raises UnitMistake E0301, E0310."""
    quantity = as_quantity(value, at)
    if quantity.dimension:
        label = f"this is {quantity}"
        raise wrong("E0310", "expected a plain number, found one with a unit", at, label)
    return quantity.value


def as_whole(value: Value, at: Span, low: int | None = None, high: int | None = None) -> int:
    """A whole number in [low, high]; raises UnitMistake E0304, E0305."""
    number = as_number(value, at)
    if number.denominator != 1:
        raise wrong("E0305", "a whole number was expected", at, f"this is {number_text(number)}")
    in_range(number, at, low, high)
    return number.numerator


def in_range(
    number: Fraction,
    at: Span,
    low: float | Fraction | None,
    high: float | Fraction | None,
    related: tuple[Related, ...] = (),
) -> None:
    """Raise UnitMistake E0304 where the number is below `low` or above `high`."""
    if low is not None and number < low:
        label = f"must be at least {number_text(Fraction(low))}"
        raise wrong("E0304", f"{number_text(number)} is too small", at, label, related=related)
    if high is not None and number > high:
        label = f"must be at most {number_text(Fraction(high))}"
        raise wrong("E0304", f"{number_text(number)} is too large", at, label, related=related)


def as_float(value: Fraction, at: Span) -> float:
    """The nearest float64; raises UnitMistake E0303 where there is none."""
    try:
        return float(value)
    except OverflowError:
        raise wrong("E0303", "this number is too large", at, "beyond 1e308") from None


def as_interval(value: Value, at: Span) -> Interval:
    """An interval; raises UnitMistake E0301."""
    if not isinstance(value, Interval):
        fix = "write `[low .. high]`"
        raise wrong("E0301", "an interval was expected", at, f"this is {kind_of(value)}", fix)
    return value


def as_numbers(value: Value, at: Span) -> tuple[Fraction, ...]:
    """The plain numbers of a list; raises UnitMistake E0301, E0310."""
    if not isinstance(value, Many):
        fix = "write `[a, b, c]`"
        raise wrong("E0301", "a list of numbers was expected", at, f"this is {kind_of(value)}", fix)
    return tuple(as_number(item, at) for item in value.items)


def entries(tensor: Tensor) -> int:
    """How many numbers a tensor holds."""
    return prod(tensor.type.shape)
