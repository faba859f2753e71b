"""Balls around a datum, and what all words of sets read alike: options, and the datum."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language import tensor_types as types
from ibpc.language.evaluate import evaluate, in_range
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import InputSet, Symbol
from ibpc.language.quantities import Quantity
from ibpc.language.values import Datum, SetValue, kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.errors import Span
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Value


def _ball(expr: tree.Call, scope: Scope) -> SetValue:
    """`ball(x0, eps)`, `ball(x0, eps, norm = 2)`."""
    given = options(expr, ("center", "eps", "norm"))
    for name in ("center", "eps"):
        if name not in given:
            fix = "write `ball(x0, eps)`"
            raise wrong("E0210", "a ball has a centre and a radius", expr.span, f"no {name}", fix)
    kind = _norm(given.get("norm"), scope)
    center = datum_of(given["center"].value, scope, "a ball lies around a datum")
    at = given["eps"].value.span
    return around(center, evaluate(given["eps"].value, scope), at, kind)


def datum_of(expr: tree.Expr, scope: Scope, problem: str) -> Datum:
    """The datum that an expression names; raises TypeMistake E0408."""
    center = evaluate(expr, scope)
    if not isinstance(center, Datum):
        fix = "the centre is the spec's parameter for the datum"
        raise wrong("E0408", problem, expr.span, f"this is {kind_of(center)}", fix)
    return center


def _norm(argument: tree.Argument | None, scope: Scope) -> str:
    """The kind of the ball: in the infinity norm where nothing is said."""
    if argument is None:
        return "ball"
    value = argument.value
    if isinstance(value, tree.Name) and value.text == "inf" and "inf" not in scope.names:
        return "ball"
    number = evaluate(value, scope) if isinstance(value, tree.Number) else None
    if number in (Quantity(Fraction(1)), Quantity(Fraction(2))):
        return f"ball_{number}"
    fix = "write `norm = inf`, `norm = 2` or `norm = 1`"
    raise wrong("E0408", "there is no ball in this norm", value.span, fix=fix)


def around(center: Datum, radius: Value, at: Span, kind: str = "ball") -> SetValue:
    """The ball of a radius that is a number, or a multiple of a schedule."""
    if isinstance(radius, Symbol):
        in_range(radius.factor, at, 0, None)
        return SetValue(InputSet(kind, eps=radius), center.type)
    units = {(unit.dimension, unit.factor) for unit in center.type.units}
    if len(units) > 1:
        fix = "use a box, with a range for each field"
        raise wrong("E0310", "the fields of this type have different units", at, "one radius", fix)
    unit = center.type.unit(0)
    if not isinstance(radius, Quantity):
        raise wrong("E0301", "a radius is a number", at, f"this is {kind_of(radius)}")
    if radius.dimension != unit.dimension:
        types.wrong_unit(unit, radius.dimension, at)
    in_range(radius.value, at, 0, None)
    return SetValue(InputSet(kind, eps=radius.value / unit.factor), center.type)


def options(expr: tree.Call, names: tuple[str, ...]) -> dict[str, tree.Argument]:
    """The arguments of a word by name; raises NameMistake E0107, E0114, TypeMistake E0210."""
    given: dict[str, tree.Argument] = {}
    for position, argument in enumerate(expr.arguments):
        if argument.name is not None:
            name = argument.name.text
        elif position < len(names):
            name = names[position]
        else:
            raise wrong("E0210", "too many arguments", argument.span, "one too many")
        if name not in names:
            fix = suggestion(name, names)
            raise wrong(
                "E0107", f"there is no option `{name}`", argument.span, "unknown option", fix
            )
        if name in given:
            raise wrong("E0114", f"`{name}` is given twice", argument.span, "again here")
        given[name] = argument
    return given


WORDS: Mapping[str, Callable[[tree.Call, Scope], SetValue]] = {"ball": _ball}
