"""Input sets: boxes, a whole domain, sets that the spec names; the others are in `set_words`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language import set_images, set_words
from ibpc.language import tensor_types as types
from ibpc.language.binding import bind
from ibpc.language.blends import as_blend, checked_lengths
from ibpc.language.evaluate import as_interval, entries, evaluate
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import InputSet, Symbol
from ibpc.language.quantities import Quantity, number_text
from ibpc.language.set_words import around
from ibpc.language.values import (
    Blend,
    Datum,
    Definition,
    Interval,
    Many,
    SetValue,
    SetVariable,
    Tensor,
    TypeValue,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.errors import Span
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Value

CORNER = 3 * 10**6
"""The most entries for which the corners of a box are written out."""


def set_of(expr: tree.Expr, inside: Tensor | None, scope: Scope) -> SetValue:
    """The set that a tensor quantifier ranges over.

    `inside` is the input type of the network, where there is one: a box by fields lies in it.
    Raises: TypeMistake E0408, E0414 to E0416; UnitMistake E0304, E0306, E0310; NameMistake E0111.
    """
    scope = replace(scope, inside=inside)
    value = evaluate(expr, scope)
    if isinstance(value, Definition) and isinstance(value.declaration, tree.SetDecl):
        call = tree.Call(expr, (), expr.span)
        value = call_set(value, call, scope)
    if isinstance(value, TypeValue) and isinstance(value.type, Tensor):
        if value.type.type.domain is None:
            fix = "give the type one: `in [0 .. 1]`"
            raise wrong(
                "E0416", "this type has no domain to range over", expr.span, "unbounded", fix
            )
        return SetValue(InputSet("domain"), value.type)
    if not isinstance(value, SetValue):
        fix = "write `ball(x0, eps)`, `box(...)`, or a type with a domain"
        raise wrong("E0111", "a set was expected", expr.span, f"this is {kind_of(value)}", fix)
    return value


def call_set(definition: Definition, expr: tree.Call, scope: Scope) -> Value:
    """A set of the spec's own, with its arguments; raises NameMistake E0112 for a circle."""
    declaration = definition.declaration
    assert isinstance(declaration, tree.SetDecl)
    bound = bind(definition, expr.arguments, expr.span, scope)
    with scope.world.entering(definition, expr.span):
        value = evaluate(declaration.value, replace(bound.scope, inside=scope.inside))
    if not isinstance(value, SetValue):
        label = f"this is {kind_of(value)}"
        raise wrong(
            "E0111", f"`{declaration.name.text}` is not a set", declaration.value.span, label
        )
    return value


def build_set(word: str, expr: tree.Call, scope: Scope) -> SetValue:
    """A set by its word."""
    rule = _WORDS.get(word)
    if rule is None:
        label = "no lowering for it yet"
        fix = "use `ball(x0, eps)` or `box(...)`"
        raise wrong("E0408", f"the set `{word}` is not supported in claims", expr.span, label, fix)
    return rule(expr, scope)


# --- boxes -----------------------------------------------------------------------------------


def _box(expr: tree.Call, scope: Scope) -> SetValue:
    """`box(low, high)`, or `box(field = [low .. high], ...)`."""
    unnamed = [argument for argument in expr.arguments if argument.name is None]
    if not unnamed:
        return _box_by_fields(expr, scope)
    if len(unnamed) != 2 or len(expr.arguments) != 2:
        fix = "write `box(low, high)` or `box(field = [low .. high], ...)`"
        raise wrong(
            "E0210", "a box has two corners", expr.span, f"{len(expr.arguments)} given", fix
        )
    low = evaluate(unnamed[0].value, scope)
    high = evaluate(unnamed[1].value, scope)
    if isinstance(low, Datum | Blend) or isinstance(high, Datum | Blend):
        return _box_around(as_blend(low, expr.span), as_blend(high, expr.span), expr)
    inside = _inside(expr, scope)
    lower = _corner(low, inside, unnamed[0].value.span)
    upper = _corner(high, inside, unnamed[1].value.span)
    return _cut(lower, upper, inside, expr.span)


def _inside(expr: tree.Call, scope: Scope) -> Tensor:
    if scope.inside is not None:
        return scope.inside
    fix = "apply the network in the same quantifier: `forall s in box(...), z = f(s): ...`"
    raise wrong("E0414", "it is not clear what this box lies in", expr.span, fix=fix)


def _box_around(low: Blend, high: Blend, expr: tree.Call) -> SetValue:
    """`box(x0 - eps * m, x0 + eps * m)`: the ball where m is 1, else a width for each entry."""
    if low.datum is None or low.datum != high.datum:
        raise wrong("E0414", "the corners of a box lie around one datum", expr.span)
    datum = low.datum
    down, key = _side_of(low, Fraction(-1), expr)
    up, other = _side_of(high, Fraction(1), expr)
    if key is None and not any(down):
        key = other
    if other is None and not any(up):
        other = key
    if key != other:
        fix = "write `box(x0 - eps * m, x0 + eps * m)`"
        raise wrong("E0414", "the corners name different radii", expr.span, fix=fix)
    if any(a + b < 0 for a, b in zip(*_both(down, up), strict=True)):
        raise wrong("E0306", "this box is empty", expr.span, "the low corner is above the high one")
    if key is None and down == up and len(down) == 1:
        return around(datum, Quantity(down[0]), expr.span)
    if key is None:
        return SetValue(InputSet("pixels", Fraction(1), down, up), datum.type)
    if down == up and len(down) == 1:
        return around(datum, Symbol(key.name, down[0]), expr.span)
    if any(width < 0 for width in (*down, *up)):
        raise wrong("E0306", "a width is negative", expr.span, "the datum itself is left out")
    return SetValue(InputSet("pixels", key, down, up), datum.type)


def _side_of(
    corner: Blend, sign: Fraction, expr: tree.Call
) -> tuple[tuple[Fraction, ...], Symbol | None]:
    """How far a corner lies from the datum, times the schedule that is given back."""
    assert corner.datum is not None
    checked_lengths(corner, entries(corner.datum.type), expr.span)
    fix = "around a datum there are `x0 - r` and `x0 + r`, r a number or a list of widths"
    width: tuple[Fraction, ...] | None = None
    found: Symbol | None = None
    for key, gain, shift in corner.terms:
        if set(gain) != {Fraction(1 if key is None else 0)} or isinstance(key, SetVariable):
            raise wrong("E0414", "this is not a corner of a box", expr.span, fix=fix)
        if key is None and not any(shift):
            continue
        if width is not None:
            raise wrong("E0414", "this is not a corner of a box", expr.span, "two shifts", fix)
        width, found = tuple(sign * number for number in shift), key
    return width or (Fraction(0),), found


def _both(
    one: tuple[Fraction, ...], other: tuple[Fraction, ...]
) -> tuple[tuple[Fraction, ...], ...]:
    size = max(len(one), len(other))
    return tuple(side * size if len(side) == 1 else side for side in (one, other))


def _corner(value: Value, inside: Tensor, at: Span) -> tuple[Fraction, ...]:
    """One number for each entry, each in its own unit."""
    size = entries(inside)
    if size > CORNER:
        raise wrong("E0208", "this box is too large", at, f"{size} entries, at most {CORNER}")
    if isinstance(value, Many):
        items = value.items
    else:  # one number for all: where their units are one, it is worked out once
        items = (value,) * len(inside.units)
        size = len(items) if len(items) == 1 else size
    if len(items) != size:
        label = f"{len(items)} numbers for {size} entries"
        raise wrong("E0211", "this corner does not fit the input", at, label)
    corner = []
    for position, item in enumerate(items):
        unit = inside.unit(position)
        if not isinstance(item, Quantity):
            raise wrong("E0301", "a corner is a list of numbers", at, f"holds {kind_of(item)}")
        if item.dimension != unit.dimension:
            types.wrong_unit(unit, item.dimension, at)
        corner.append(item.value / unit.factor)
    return tuple(corner) * (entries(inside) // len(corner) if corner else 1)


def _box_by_fields(expr: tree.Call, scope: Scope) -> SetValue:
    inside = _inside(expr, scope)
    if not inside.fields:
        fix = "write `box(low, high)`"
        raise wrong("E0414", "the input has no fields", expr.span, "a box by fields", fix)
    given: dict[str, tree.Argument] = {}
    for argument in expr.arguments:
        assert argument.name is not None
        name = argument.name.text
        if name not in inside.fields:
            fix = suggestion(name, inside.fields)
            problem = f"`{inside.name}` has no field `{name}`"
            raise wrong("E0113", problem, argument.name.span, "no such field", fix)
        if name in given:
            raise wrong("E0114", f"`{name}` is given twice", argument.span, "again here")
        given[name] = argument
    sides = [
        _side(given.get(name), inside, position, expr, scope)
        for position, name in enumerate(inside.fields)
    ]
    lower, upper = (tuple(side[end] for side in sides) for end in (0, 1))
    return _cut(lower, upper, inside, expr.span)


def _side(
    argument: tree.Argument | None, inside: Tensor, position: int, expr: tree.Call, scope: Scope
) -> tuple[Fraction, Fraction]:
    """The range of one field, in the field's unit; its domain where the box does not name it."""
    if argument is None:
        if inside.type.domain is None:
            name = inside.fields[position]
            problem = f"the box gives no range for `{name}`, and its type has none"
            raise wrong("E0416", problem, expr.span, fix=f"add `{name} = [low .. high]`")
        return inside.type.domain[position if len(inside.type.domain) > 1 else 0]
    value = evaluate(argument.value, scope)
    if isinstance(value, Quantity):
        value = Interval(value, value)
    interval = as_interval(value, argument.value.span)
    return types.in_unit(interval, inside.unit(position), argument.value.span)


def _cut(
    lower: tuple[Fraction, ...], upper: tuple[Fraction, ...], inside: Tensor, at: Span
) -> SetValue:
    """The box, cut with the domain; raises UnitMistake E0306 where nothing is left."""
    domain = inside.type.domain
    alike = all(len(set(map(id, side))) == 1 for side in (lower, upper))
    if alike and len(lower) > 1 and len(domain or ()) < 2 and not inside.fields:
        cut = _cut(lower[:1], upper[:1], inside, at).set  # one number on each side: cut it once
        whole = replace(cut, lower=cut.lower * len(lower), upper=cut.upper * len(upper))
        return SetValue(whole, inside)
    sides = []
    for position, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if domain is not None:
            least, most = domain[position if len(domain) > 1 else 0]
            low, high = max(low, least), min(high, most)
        if low > high:
            name = inside.fields[position] if inside.fields else f"entry {position}"
            label = f"nothing is left of {name}"
            ours = f"[{number_text(lower[position])} .. {number_text(upper[position])}]"
            raise wrong("E0306", "this box is empty", at, label, notes=(f"{name} in {ours}",))
        sides.append((low, high))
    lower, upper = zip(*sides, strict=True)
    return SetValue(InputSet("box", lower=lower, upper=upper), inside)


_WORDS: Mapping[str, Callable[[tree.Call, Scope], SetValue]] = {
    "box": _box,
    **set_words.WORDS,
    **set_images.WORDS,
}
