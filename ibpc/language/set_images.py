"""Sets made of others: images of intervals under affine maps, unions, patches, intersections.

{ clip(a * x0 + b, 0, 1) for a in [0.8 .. 1.2], b in [-0.1 .. 0.1] }
union({ free(x0, window(i, j, 2, 2)) for i in range(7), j in range(7) })
intersect(ball(x0, 0.1), light(x0))
choice(table("synonyms.tsv"), x0, max_swaps = 2)
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from ibpc.language.blends import as_blend, checked_lengths
from ibpc.language.evaluate import as_number, as_whole, entries, evaluate
from ibpc.language.mistakes import wrong
from ibpc.language.program import InputSet
from ibpc.language.quantities import Quantity
from ibpc.language.set_words import datum_of, options
from ibpc.language.values import (
    Blend,
    Datum,
    Finite,
    Interval,
    Label,
    Many,
    SetValue,
    SetVariable,
    TypeValue,
    kind_of,
)
from ibpc.language.word_tables import substitutes_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ibpc.errors import Span
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Tensor, Value

MEMBERS = 10_000
"""The most members of a union."""

VARIABLES = 32
"""The most variables of an image."""


# --- images ----------------------------------------------------------------------------------


def image(expr: tree.Image, scope: Scope) -> SetValue:
    """`{ e for a in [low .. high], i in range(n) }`: intervals make an image, indices a union.

    Raises: TypeMistake E0208, E0408, E0415; NameMistake E0111; UnitMistake E0301, E0310.
    """
    members: list[SetValue] = []
    variables: list[SetVariable] = []
    for inner in _bound(expr.binders, scope, variables):
        value = evaluate(expr.body, inner)
        if isinstance(value, SetValue) and not variables:
            members.append(value)
        elif isinstance(value, Blend | Datum):
            members.append(_blend_image(as_blend(value, expr.span), variables, expr))
        else:
            fix = "write `{ clip(a * x0 + b, 0, 1) for a in [low .. high], ... }`"
            label = f"this is {kind_of(value)}"
            raise wrong("E0408", "this is no set", expr.body.span, label, fix)
        if len(members) > MEMBERS:
            raise wrong("E0208", "this union is too large", expr.span, f"over {MEMBERS} members")
    return _union(members, expr.span)


def _bound(
    binders: Sequence[tree.Binder], scope: Scope, variables: list[SetVariable]
) -> Iterator[Scope]:
    """The scope of the body, for each value of the indices."""
    if not binders:
        yield scope
        return
    binder, rest = binders[0], binders[1:]
    value = evaluate(binder.value, scope) if binder.kind == "in" else None
    if isinstance(value, Interval):
        variable = _variable(binder, value)
        if variable not in variables:
            variables.append(variable)
        if len(variables) > VARIABLES:
            raise wrong("E0208", "an image has too many variables", binder.span, "one too many")
        yield from _bound(rest, scope.bind(binder.name, variable), variables)
        return
    items: tuple[Value, ...]
    if isinstance(value, Many):
        items = value.items
    elif isinstance(value, TypeValue) and isinstance(value.type, Finite):
        axis = value.type.type
        items = tuple(Label(index, axis) for index in range(axis.size))
    else:
        fix = "an interval `[0.8 .. 1.2]`, or indices: `range(7)`, `[1, 2, 3]`"
        raise wrong("E0111", "a set runs through intervals and indices", binder.span, fix=fix)
    for item in items:
        yield from _bound(rest, scope.bind(binder.name, item), variables)


def _variable(binder: tree.Binder, interval: Interval) -> SetVariable:
    at = binder.value.span
    return SetVariable(binder.name.text, as_number(interval.low, at), as_number(interval.high, at))


def _blend_image(blend: Blend, variables: list[SetVariable], expr: tree.Image) -> SetValue:
    """The image of the variables' box under an affine map, clipped to the domain."""
    if blend.datum is None:
        raise wrong("E0415", "an image lies around a datum", expr.body.span, "names no datum")
    if not variables:
        fix = "give it a variable: `{ ... for a in [0.8 .. 1.2] }`"
        raise wrong("E0415", "this image is a single point", expr.span, fix=fix)
    kind = blend.datum.type
    checked_lengths(blend, entries(kind), expr.span)
    zero = (Fraction(0),)
    found = {key: (gain, shift) for key, gain, shift in blend.terms}
    foreign = [key for key in found if key is not None and key not in variables]
    if foreign:
        raise wrong("E0415", "an image has no schedule", expr.body.span, foreign[0].name)
    _check_limits(blend, kind, expr)
    rows = [found.get(key, (zero, zero)) for key in (None, *variables)]
    settings = (
        ("variables", tuple(variable.name for variable in variables)),
        ("gain", tuple(gain for gain, _ in rows)),
        ("shift", tuple(shift for _, shift in rows)),
        ("limits", blend.limits),
    )
    lower = tuple(variable.low for variable in variables)
    upper = tuple(variable.high for variable in variables)
    return SetValue(InputSet("image", None, lower, upper, settings), kind)


def _check_limits(blend: Blend, kind: Tensor, expr: tree.Image) -> None:
    """Raise TypeMistake E0415 where an image may leave the domain: it is cut, and not clipped."""
    if kind.type.domain is None:
        return
    low = max(low for low, _ in kind.type.domain)
    high = min(high for _, high in kind.type.domain)
    if blend.limits is None or blend.limits[0] < low or blend.limits[1] > high:
        fix = "clip it: `{ clip(a * x0 + b, 0, 1) for ... }`"
        problem = "this image may leave the input's domain"
        raise wrong("E0415", problem, expr.body.span, "not clipped to it", fix)


def clip(expr: tree.Call, scope: Scope) -> Value:
    """`clip(e, low, high)` over a datum's entries."""
    if len(expr.arguments) != 3:
        raise wrong("E0210", "`clip` has three arguments", expr.span, fix="clip(e, low, high)")
    body, low, high = (argument.value for argument in expr.arguments)
    blend = as_blend(evaluate(body, scope), body.span)
    limits = tuple(as_number(evaluate(end, scope), end.span) for end in (low, high))
    if limits[0] > limits[1]:
        raise wrong("E0306", "this clip leaves nothing", expr.span, "low is above high")
    if blend.limits is not None:
        raise wrong("E0415", "one clip is enough", expr.span, "clipped twice")
    return Blend(blend.datum, blend.terms, (limits[0], limits[1]))


def whole_range(expr: tree.Call, scope: Scope) -> Value:
    """`range(n)`: 0 to n - 1; `range(first, end)`: first to end - 1."""
    if len(expr.arguments) not in {1, 2} or any(one.name for one in expr.arguments):
        raise wrong("E0210", "`range` has one or two numbers", expr.span, fix="range(7)")
    ends = [as_whole(evaluate(one.value, scope), one.span) for one in expr.arguments]
    first, end = (0, ends[0]) if len(ends) == 1 else ends
    if end - first > MEMBERS:
        raise wrong("E0208", "this range is too long", expr.span, f"at most {MEMBERS}")
    return Many(tuple(Quantity(Fraction(number)) for number in range(first, end)))


# --- patches ---------------------------------------------------------------------------------


def _free(expr: tree.Call, scope: Scope) -> SetValue:
    """`free(x0, window(i, j, h, w))`: the window's pixels are anything, in all channels."""
    given = options(expr, ("center", "where"))
    if set(given) != {"center", "where"}:
        fix = "write `free(x0, window(row, column, high, wide))`"
        raise wrong("E0210", "`free` has a datum and a window", expr.span, fix=fix)
    datum = datum_of(given["center"].value, scope, "a patch lies on a datum")
    window = given["where"].value
    called = isinstance(window, tree.Call) and isinstance(window.function, tree.Name)
    if not called or window.function.text != "window" or len(window.arguments) != 4:  # type: ignore[union-attr]
        fix = "write `window(row, column, high, wide)`"
        raise wrong("E0408", "a patch has a window", window.span, "not a window", fix)
    assert isinstance(window, tree.Call)
    numbers = [as_whole(evaluate(one.value, scope), one.span) for one in window.arguments]
    shape = datum.type.type.shape
    if len(shape) < 2:
        raise wrong("E0408", "a window lies in an image", window.span, "no height and width")
    for start, size, extent in zip(numbers[:2], numbers[2:], shape[-2:], strict=True):
        if size < 1 or start < 0 or start + size > extent:
            label = f"{start} to {start + size - 1} of {extent}"
            raise wrong("E0207", "this window leaves the image", window.span, label)
    if datum.type.type.domain is None:
        fix = "give the type one: `in [0 .. 1]`"
        raise wrong("E0416", "a free pixel ranges over the domain", expr.span, "no domain", fix)
    return SetValue(InputSet("free", options=(("window", tuple(numbers)),)), datum.type)


# --- unions and intersections ----------------------------------------------------------------


def _sets(expr: tree.Call, scope: Scope) -> list[SetValue]:
    found: list[SetValue] = []
    for argument in expr.arguments:
        value = evaluate(argument.value, scope)
        if argument.name is not None or not isinstance(value, SetValue):
            label = f"this is {kind_of(value)}"
            raise wrong("E0111", "a set was expected", argument.span, label)
        if found and found[0].type.type != value.type.type:
            raise wrong("E0205", "these sets lie in different types", argument.span)
        found.append(value)
    if not found:
        raise wrong("E0210", "of which sets?", expr.span, "none is given")
    _one_schedule(found, expr.span)
    return found


def _one_schedule(found: list[SetValue], at: Span) -> None:
    names = {one.set.schedule.name for one in found if one.set.schedule is not None}
    if len(names) > 1:
        label = " and ".join(f"`{name}`" for name in sorted(names))
        raise wrong("E0408", "a set has one schedule for all its radii", at, label)


def _union_word(expr: tree.Call, scope: Scope) -> SetValue:
    """`union(A, B, ...)`, `union({ SET for i in range(n) })`."""
    return _union(_sets(expr, scope), expr.span)


def _union(found: list[SetValue], at: Span) -> SetValue:
    """The members, unions among them taken apart, each once."""
    if not found:
        raise wrong("E0408", "this union has no members", at, "empty")
    parts = tuple(dict.fromkeys(part for one in found for part in members(one.set)))
    if len(parts) > MEMBERS:
        raise wrong("E0208", "this union is too large", at, f"{len(parts)} members")
    if len(parts) == 1:
        return SetValue(parts[0], found[0].type)
    return SetValue(InputSet("union", parts=parts), found[0].type)


def members(given: InputSet) -> tuple[InputSet, ...]:
    """The members of a union; any other set is its own only one."""
    return given.parts if given.kind == "union" else (given,)


def _intersect(expr: tree.Call, scope: Scope) -> SetValue:
    """`intersect(A, B, ...)`; of unions, the union of the intersections."""
    found = _sets(expr, scope)
    choices = [members(one.set) for one in found]
    if prod(map(len, choices)) > MEMBERS:
        raise wrong("E0208", "this intersection is too large", expr.span, "too many members")
    met = []
    for chosen in product(*choices):
        flat = (part.parts if part.kind == "intersect" else (part,) for part in chosen)
        parts = tuple(dict.fromkeys(one for some in flat for one in some))
        met.append(parts[0] if len(parts) == 1 else InputSet("intersect", parts=parts))
    return _union([SetValue(one, found[0].type) for one in met], expr.span)


# --- words -----------------------------------------------------------------------------------


def _choice(expr: tree.Call, scope: Scope) -> SetValue:
    """`choice(table("synonyms.tsv"), x0, max_swaps = 2)`: some words are replaced."""
    given = options(expr, ("table", "text", "max_swaps"))
    found = _words("choice", given, expr, scope)
    if "max_swaps" not in given:
        return found
    at = given["max_swaps"].value
    swaps = as_whole(evaluate(at, scope), at.span, low=0, high=10**6)
    return SetValue(
        InputSet("choice", options=(*found.set.options, ("max_swaps", swaps))), found.type
    )


def _simplex(expr: tree.Call, scope: Scope) -> SetValue:
    """`simplex(table("synonyms.tsv"), x0)`: each word mixed with its substitutes."""
    return _words("simplex", options(expr, ("table", "text")), expr, scope)


def _words(
    kind: str, given: Mapping[str, tree.Argument], expr: tree.Call, scope: Scope
) -> SetValue:
    """The substitutes of each word, by number, in the order of the table's rows."""
    if not {"table", "text"} <= set(given):
        fix = f'write `{kind}(table("synonyms.tsv"), x0)`'
        raise wrong("E0210", f"`{kind}` has a table and a datum", expr.span, fix=fix)
    substitutes = substitutes_of(given["table"].value, scope)
    datum = datum_of(given["text"].value, scope, "words are replaced in a datum")
    shape = datum.type.type.shape
    if len(shape) < 2 or shape[-1] != len(substitutes):
        fix = f"declare the text as `real[positions, {len(substitutes)}] in [0 .. 1]`: one-hot rows"
        label = f"{len(substitutes)} words, and rows of {shape[-1]} entries"
        raise wrong("E0205", "text and table do not fit", expr.span, label, fix)
    if datum.type.type.domain not in (None, ((Fraction(0), Fraction(1)),)):
        fix = "declare it `in [0 .. 1]`"
        raise wrong("E0205", "one-hot rows lie in [0 .. 1]", expr.span, "another domain", fix)
    return SetValue(InputSet(kind, options=(("substitutes", substitutes),)), datum.type)


WORDS: Mapping[str, Callable[[tree.Call, Scope], SetValue]] = {
    "choice": _choice,
    "free": _free,
    "intersect": _intersect,
    "simplex": _simplex,
    "union": _union_word,
}
