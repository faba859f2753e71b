"""From a declaration to its value, and from a call to what is called: two tables of rules."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ibpc.errors import Related
from ibpc.language import data, nets, onnx_nets, recipes, set_images, sets, specs, tables
from ibpc.language import tensor_types as types
from ibpc.language.binding import type_of
from ibpc.language.evaluate import (
    as_interval,
    as_quantity,
    as_whole,
    evaluate,
    in_range,
)
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.quantities import Quantity, Unit, limited
from ibpc.language.spelling import expression_text
from ibpc.language.values import (
    Applied,
    Arrow,
    Definition,
    Label,
    Many,
    Network,
    Outputs,
    Scalar,
    TensorVariable,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.errors import Span
    from ibpc.language.modules import Declared
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Checked, Value


def build(declaration: Declared, scope: Scope) -> Value:
    """The value of a declaration; raises IbpcError at its first mistake."""
    rule: Callable[[Any, Scope], Value] = _RULES[type(declaration)]
    return rule(declaration, scope)


def _define(declaration: Any, scope: Scope) -> Value:
    return Definition(declaration, scope.module)


def _const(declaration: tree.Const, scope: Scope) -> Value:
    value = evaluate(declaration.value, scope)
    if not isinstance(value, Quantity | Many | Label):
        label = f"this is {kind_of(value)}"
        raise wrong(
            "E0301", "a `const` is a number or a list of numbers", declaration.value.span, label
        )
    if declaration.type is not None:
        wanted = types.resolve(declaration.type, scope)
        require_value(wanted, value, declaration.value.span)
    return value


def _param(declaration: tree.Param, scope: Scope) -> Value:
    wanted = types.resolve(declaration.type, scope)
    name = declaration.name.text
    value = scope.world.overrides.get((scope.module.path, name))
    at = declaration.name.span
    if value is None:
        if declaration.default is None:
            fix = f"give it on the command line: `-p {name}=...`"
            raise wrong("E0601", f"param `{name}` has no value", at, "no default", fix)
        value, at = evaluate(declaration.default, scope), declaration.default.span
    at = scope.world.cache.get(("place", scope.module.path, name), at)
    require_value(wanted, value, at)
    if declaration.range is not None:
        _within(name, declaration.range, value, scope, at)
    return value


def _within(name: str, written: tree.Expr, value: Value, scope: Scope, at: Span) -> None:
    """Raise UnitMistake E0304 where a param lies outside its range."""
    interval = as_interval(evaluate(written, scope), written.span)
    number = as_quantity(value, at)
    if interval.low.dimension != number.dimension and any(
        end.dimension for end in (interval.low, interval.high)
    ):
        raise wrong(
            "E0310", "a param and its range have different units", written.span, str(number)
        )
    related = (Related(written.span, f"`{name}` lies in this range"),)
    in_range(number.value, at, interval.low.value, interval.high.value, related)


def require_value(wanted: Checked, value: Value, at: Span) -> None:
    """Raise IbpcError where a value is not of the type that is declared for it."""
    if isinstance(wanted, Scalar):
        number = as_quantity(value, at)
        if wanted.whole:
            as_whole(value, at)
        if number.dimension != wanted.dimension:
            types.wrong_unit(
                Unit(wanted.name, wanted.factor, wanted.dimension), number.dimension, at
            )
        if wanted.domain is not None:
            low, high = (end * wanted.factor for end in wanted.domain)
            in_range(number.value, at, low, high)
        return
    found = type_of(value)
    if found is None:
        label = f"this is {kind_of(value)}"
        raise wrong("E0111", "another kind of value was expected", at, label)
    types.require_agreement(wanted, found, at, "this")


def build_unit(declaration: tree.Unit, scope: Scope) -> Unit:
    """A base unit, or a factor of other units.

    Raises: UnitMistake E0301, E0304 (a unit of nothing).
    """
    name = declaration.name.text
    if declaration.factor is None:
        return Unit(name, Fraction(1), ((name, 1),))
    value = as_quantity(evaluate_unit(declaration.factor, scope), declaration.factor.span)
    if value.value <= 0:
        raise wrong("E0304", "a unit must be positive", declaration.factor.span, f"this is {value}")
    return Unit(name, limited(value.value, declaration.factor.span), value.dimension)


def evaluate_unit(expr: tree.Expr, scope: Scope) -> Value:
    """An expression in which units stand as names: `pi / 180 * rad`."""
    names = dict(scope.names)
    for name in scope.world.unit_names(scope.module):
        if _mentions(expr, name):
            unit = scope.world.unit(scope.module, tree.Name(name, expr.span))
            if unit is not None:
                names[name] = Quantity(unit.factor, unit.dimension)
    return evaluate(expr, replace(scope, names=names))


def _mentions(expr: tree.Expr, name: str) -> bool:
    if isinstance(expr, tree.Name):
        return expr.text == name
    if isinstance(expr, tree.Binary):
        return _mentions(expr.left, name) or _mentions(expr.right, name)
    return isinstance(expr, tree.Unary) and _mentions(expr.operand, name)


_RULES: dict[type, Callable[..., Value]] = {
    tree.Param: _param,
    tree.Const: _const,
    tree.TypeDecl: types.declare_type,
    tree.Enum: lambda declaration, _: types.declare_enum(declaration),
    tree.Record: types.declare_record,
    tree.Data: data.declare,
    tree.Net: nets.declare,
    tree.NetReference: onnx_nets.declare,
    tree.SetDecl: _define,
    tree.Spec: _define,
    tree.Train: _define,
    tree.Verify: _define,
}


# --- calls -----------------------------------------------------------------------------------


def call(expr: tree.Call, scope: Scope) -> Value:
    """The value of `function(arguments)`.

    Raises: NameMistake E0101, E0106 (unknown), E0111 (not to be called); what the callee raises.
    """
    function = expr.function
    if isinstance(function, tree.Name) and scope.find(function.text) is None:
        return _word(expr, function, scope)
    value = evaluate(function, scope)
    if isinstance(value, Network):
        return _apply(value, expr, scope)
    if isinstance(function, tree.Name) and _gives_way(value, function, scope):
        return _word(expr, function, scope)
    if not isinstance(value, Definition):
        label = f"this is {kind_of(value)}"
        raise wrong("E0111", f"{kind_of(value)} cannot be called", function.span, label)
    if isinstance(value.declaration, tree.SetDecl):
        return sets.call_set(value, expr, scope)
    if isinstance(value.declaration, tree.Spec):
        return specs.call_spec(value, expr, scope)
    if isinstance(value.declaration, tree.Train):
        return recipes.call_train(value, expr, scope)
    fix = "verify blocks are run by `run` and `sweep`"
    raise wrong("E0111", "a verify block has no value", function.span, "a verify block", fix)


def _gives_way(value: Value, name: tree.Name, scope: Scope) -> bool:
    """Whether what the spec calls so cannot be called, and a word of the language can.

    So `table("rim.csv")` is a table beside a block `verify table(...)`, and `range(7)` a range
    beside `const range = [1, 2]`.
    """
    if name.text not in {*_FUNCTIONS, *scope.world.vocabulary.sets}:
        return False
    return not isinstance(value, Definition) or isinstance(value.declaration, tree.Verify)


CLAIM_WORDS = ("minimal", "maximal", "argmax", "agree", "table")
"""Words that may be called in claims, beside the sets of the vocabulary."""


def _word(expr: tree.Call, name: tree.Name, scope: Scope) -> Value:
    """A call of a word that no file declares: a set of the vocabulary, or a mistake."""
    words = scope.world.vocabulary.sets
    if name.text in words:
        return sets.build_set(name.text, expr, scope)
    if name.text in _FUNCTIONS:
        return _FUNCTIONS[name.text](expr, scope)
    if name.text in {"minimal", "maximal", "argmax", "agree"}:
        fix = "it stands in claims: `minimal(z, SL)`"
        raise wrong("E0301", f"`{name.text}` is not a number", expr.span, "true or false", fix)
    callables = {n for n in scope.visible() if n in scope.names or n in scope.module.names()}
    fix = suggestion(name.text, {*words, *callables, *_FUNCTIONS, *CLAIM_WORDS}, many=0)
    raise wrong("E0101", f"unknown name `{name.text}`", name.span, "cannot be called", fix)


_FUNCTIONS: Mapping[str, Callable[[tree.Call, Scope], Value]] = {
    "clip": set_images.clip,
    "range": set_images.whole_range,
    "table": tables.read_table,
}


def _apply(network: Network, expr: tree.Call, scope: Scope) -> Value:
    """`f(x)`."""
    if len(expr.arguments) != 1 or expr.arguments[0].name is not None:
        raise wrong("E0210", f"`{network.name}` takes one tensor", expr.span, "f(x)")
    at = expr.arguments[0].value.span
    value = evaluate(expr.arguments[0].value, scope)
    if not isinstance(value, TensorVariable):
        fix = "write `forall x in SET, z = f(x): ...`"
        label = f"this is {kind_of(value)}"
        raise wrong("E0406", "a network is applied to the quantified tensor only", at, label, fix)
    types.require_agreement(network.arrow.source, value.type, at, f"the input of `{network.name}`")
    assert isinstance(network.arrow, Arrow)
    applied = Applied(expression_text(expr.function), value.point)
    return Outputs(network, applied, network.arrow.target, expression_text(expr), expr.span)
