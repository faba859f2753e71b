"""Arguments to parameters: by position, by name, by default; generics found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from ibpc.errors import Related
from ibpc.language import tensor_types as types
from ibpc.language.blends import numbers_of
from ibpc.language.evaluate import as_whole, evaluate
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import Symbol
from ibpc.language.quantities import Quantity, Unit
from ibpc.language.scopes import Scope
from ibpc.language.spelling import type_text
from ibpc.language.values import (
    Datum,
    DatumLabel,
    Finite,
    Label,
    Many,
    Network,
    Scalar,
    Tensor,
    TensorVariable,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.errors import Span
    from ibpc.language.values import Checked, Definition, Value
    from ibpc.syntax import tree


@dataclass(frozen=True, slots=True)
class Bound:
    """A callee's scope with its parameters bound; which of them the call gave explicitly."""

    scope: Scope
    values: dict[str, Value]
    explicit: tuple[str, ...]


def bind(
    definition: Definition,
    arguments: Sequence[tree.Argument],
    at: Span,
    scope: Scope,
) -> Bound:
    """The callee's scope for a call.

    Raises: TypeMistake E0205 (type), E0210 (number of arguments); NameMistake E0107 (name).
    """
    declaration = definition.declaration
    parameters = declaration.parameters
    given = _assigned(declaration.name.text, parameters, arguments, at)
    inner = Scope(scope.world, definition.module)
    generics: dict[str, Checked | None] = {
        name.text: None for name in getattr(declaration, "generics", ())
    }
    values: dict[str, Value] = {}
    bound = inner
    for parameter in parameters:
        name = parameter.name.text
        argument = given.get(name)
        if argument is not None:
            value, place = evaluate(argument.value, scope), argument.value.span
        elif parameter.default is not None:
            value, place = evaluate(parameter.default, inner), parameter.default.span
        else:
            related = (Related(parameter.span, "declared here"),)
            problem = f"`{declaration.name.text}` needs an argument for `{name}`"
            raise wrong("E0210", problem, at, f"no `{name}` given", related=related)
        value = _checked(parameter, value, generics, bound, place)
        values[name] = value
        bound = bound.bind(parameter.name, value)
    known = {name: one for name, one in generics.items() if one is not None}
    return Bound(bound.with_types(known), values, tuple(given))


def _assigned(
    callee: str,
    parameters: Sequence[tree.Parameter],
    arguments: Sequence[tree.Argument],
    at: Span,
) -> dict[str, tree.Argument]:
    names = [parameter.name.text for parameter in parameters]
    given: dict[str, tree.Argument] = {}
    for position, argument in enumerate(arguments):
        if argument.name is None:
            if position >= len(names):
                problem = f"`{callee}` takes {len(names)} arguments, {len(arguments)} are given"
                raise wrong("E0210", problem, argument.span, "one too many")
            name = names[position]
        else:
            name = argument.name.text
            if name not in names:
                fix = suggestion(name, names)
                problem = f"`{callee}` has no parameter `{name}`"
                raise wrong("E0107", problem, argument.name.span, "unknown parameter", fix)
        if name in given:
            raise wrong("E0114", f"`{name}` is given twice", argument.span, "again here")
        given[name] = argument
    return given


def _checked(
    parameter: tree.Parameter,
    value: Value,
    generics: dict[str, Checked | None],
    scope: Scope,
    at: Span,
) -> Value:
    """The value, once it is of the parameter's type (and generics agree)."""
    found = type_of(value)
    if isinstance(value, Many):
        return _entries(parameter, value, scope, generics, at)
    if isinstance(value, Symbol):
        found = Scalar("real")
    if found is None:
        wanted = f"`{parameter.name.text}`"
        related = (Related(parameter.span, "declared here"),)
        label = f"this is {kind_of(value)}"
        raise wrong("E0111", f"{wanted} cannot be {kind_of(value)}", at, label, related=related)
    if isinstance(found, Scalar):
        return _number(parameter, value, found, scope, generics, at)
    if isinstance(value, Datum) and _holds_words(value, parameter, generics, scope):
        return value
    types.unify(parameter.type, found, generics, scope, at)
    return value


def _holds_words(
    value: Datum, parameter: tree.Parameter, generics: dict[str, Checked | None], scope: Scope
) -> bool:
    """Whether a datum has a one-hot row for each word of `set synonyms(w: Word) = choice(...)`."""
    name = getattr(getattr(parameter.type, "name", None), "text", "")
    if name in generics or not value.type.type.shape:
        return False
    wanted = types.resolve(parameter.type, scope)
    return isinstance(wanted, Finite) and value.type.type.shape[-1] == wanted.type.size


def _entries(
    parameter: tree.Parameter,
    value: Many,
    scope: Scope,
    generics: dict[str, Checked | None],
    at: Span,
) -> Value:
    """A list for a tensor parameter, as the mask of `set pixels(x0: Image, m: Image, ...)`."""
    known = {name: one for name, one in generics.items() if one is not None}
    wanted = types.resolve(parameter.type, scope.with_types(known))
    related = (Related(parameter.span, "declared here"),)
    if not isinstance(wanted, Tensor):
        problem = f"`{parameter.name.text}` is `{type_text(wanted)}`, not a list"
        raise wrong("E0205", problem, at, "a list", related=related)
    numbers, size = numbers_of(value, at), prod(wanted.type.shape)
    if len(numbers) != size:
        label = f"{len(numbers)} numbers for {size} entries"
        raise wrong("E0211", "this list does not fit the tensor", at, label, related=related)
    return value


def _number(
    parameter: tree.Parameter,
    value: Value,
    found: Scalar,
    scope: Scope,
    generics: dict[str, Checked | None],
    at: Span,
) -> Value:
    known = {name: one for name, one in generics.items() if one is not None}
    wanted = types.resolve(parameter.type, scope.with_types(known))
    if isinstance(wanted, Finite):
        label = as_whole(value, at, low=0, high=wanted.type.size - 1)
        return Label(label, wanted.type)
    if not isinstance(wanted, Scalar):
        problem = f"`{parameter.name.text}` is `{type_text(wanted)}`, not a number"
        related = (Related(parameter.span, "declared here"),)
        raise wrong("E0205", problem, at, "a number", related=related)
    if wanted.dimension != found.dimension:
        unit = Unit(wanted.name, wanted.factor, wanted.dimension)
        types.wrong_unit(unit, found.dimension, at)
    if wanted.whole:
        as_whole(value, at)
    return value


def type_of(value: Value) -> Checked | None:
    """The type of a value that can be an argument."""
    if isinstance(value, Network):
        return value.arrow
    if isinstance(value, Datum | TensorVariable):
        return value.type
    if isinstance(value, Label | DatumLabel):
        return Finite(value.type)
    if isinstance(value, Quantity):
        return Scalar("real", dimension=value.dimension)
    return None
