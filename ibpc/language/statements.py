"""The statements of a spec: `forall x in SET, z = f(x): body`, read up to the body.

A statement quantifies over one tensor or several, all by the same word; below stand quantifiers
over finite indices only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from ibpc.errors import Related
from ibpc.language.evaluate import evaluate
from ibpc.language.mistakes import wrong
from ibpc.language.sets import set_of
from ibpc.language.values import (
    Applied,
    DatumLabel,
    Finite,
    Label,
    ModuleValue,
    Network,
    Outputs,
    SetValue,
    Tensor,
    TensorVariable,
    TypeValue,
    kind_of,
)
from ibpc.language.walking import parts
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibpc.language.scopes import Scope


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its word, the sets of its tensors, the body, and the scope of the body.

    `applied` are the networks that it applies, in the order of the text.
    """

    word: str
    points: tuple[SetValue, ...]
    body: tree.Expr
    scope: Scope
    at: tree.Expr
    applied: Mapping[Applied, Network]

    @property
    def tensors(self) -> list[TensorVariable]:
        """The quantified tensors, in order."""
        found = [one for one in self.scope.names.values() if isinstance(one, TensorVariable)]
        return sorted(found, key=lambda one: one.point)

    def labelled(self, label: int) -> Statement:
        """The statement for one label of the datum."""
        names = {
            name: Label(label, value.type) if isinstance(value, DatumLabel) else value
            for name, value in self.scope.names.items()
        }
        return replace(self, scope=replace(self.scope, names=names))


def read_statements(expr: tree.Expr, scope: Scope) -> list[Statement]:
    """The statements that a line of a spec is a conjunction of.

    Raises: TypeMistake E0401, E0402, E0406 where it is something else.
    """
    if isinstance(expr, tree.Binary) and expr.operator == "and":
        return read_statements(expr.left, scope) + read_statements(expr.right, scope)
    if isinstance(expr, tree.Quantifier):
        return [_quantified(expr, scope)]
    for inner in parts(expr):
        if isinstance(inner, tree.Quantifier) and _over_tensor(inner, scope):
            related = (Related(inner.span, "this quantifier"),)
            problem = "a tensor quantifier must stand outermost"
            raise wrong("E0402", problem, expr.span, "inside of this", related=related)
    fix = "write `forall x in ball(x0, eps), z = f(x): ...`"
    problem = "a claim begins with a quantifier over the input"
    raise wrong("E0401", problem, expr.span, "no `forall x in SET`", fix)


def over_index(value: tree.Expr, scope: Scope) -> bool:
    """Whether a binder's `in` ranges over a finite index, not over tensors."""
    if isinstance(value, tree.Name):
        found = scope.find(value.text)
        return isinstance(found, TypeValue) and isinstance(found.type, Finite)
    return isinstance(value, tree.Range | tree.Listing)


def _over_tensor(expr: tree.Quantifier, scope: Scope) -> bool:
    return any(one.kind == "in" and not over_index(one.value, scope) for one in expr.binders)


def _quantified(expr: tree.Quantifier, scope: Scope) -> Statement:
    first = expr.binders[0]
    if first.kind != "in" or over_index(first.value, scope):
        fix = "turn the quantifiers round: `forall x in SET, z = f(x): forall k ...`"
        problem = "a tensor quantifier must stand outermost"
        raise wrong("E0402", problem, first.span, "this ranges over indices", fix)
    calls = list(_applications(expr, scope))
    inputs = {name: network.arrow.source for _, name, network in reversed(calls)}
    points: list[SetValue] = []
    inner: tree.Expr = expr
    while _goes_on(inner, expr.kind, scope):
        assert isinstance(inner, tree.Quantifier)
        for binder in inner.binders:
            scope = _bound(binder, scope, inputs.get(binder.name.text), points)
        inner = inner.body
    applied: dict[Applied, Network] = {}
    for function, name, network in calls:
        tensor = scope.names.get(name)
        if isinstance(tensor, TensorVariable):
            applied.setdefault(Applied(function, tensor.point), network)
    if not applied:
        _refuse_inner(expr, inner, scope)
        fix = "apply it: `forall x in SET, z = f(x): ...`"
        raise wrong("E0401", "this claim says nothing about a network", expr.span, "no `f(x)`", fix)
    return Statement(expr.kind, tuple(points), inner, scope, expr, applied)


def _refuse_inner(expr: tree.Quantifier, body: tree.Expr, scope: Scope) -> None:
    """Raise TypeMistake E0407 where the tensor that a network takes is quantified inside."""
    from ibpc.language.logic import Logic

    quantified = (one for one in parts(body) if isinstance(one, tree.Quantifier))
    if any(_over_tensor(one, scope) for one in quantified):
        Logic(expr.kind).formula(body, scope, positive=expr.kind == "forall")


def _goes_on(expr: tree.Expr, word: str, scope: Scope) -> bool:
    """Whether this is one more quantifier over tensors by the same word."""
    return isinstance(expr, tree.Quantifier) and expr.kind == word and _over_tensor(expr, scope)


def _bound(
    binder: tree.Binder, scope: Scope, inside: Tensor | None, points: list[SetValue]
) -> Scope:
    """The scope behind one binder; a tensor's set is added to `points`."""
    if binder.kind == "in" and not over_index(binder.value, scope):
        set_ = set_of(binder.value, inside, scope)
        points.append(set_)
        tensor = TensorVariable(binder.name.text, set_.type, len(points) - 1)
        return scope.bind(binder.name, tensor)
    if binder.kind != "bind":
        _index_beside(binder)
    value = evaluate(binder.value, scope)
    if not isinstance(value, Outputs):
        label = f"this is {kind_of(value)}"
        raise wrong("E0406", "a binder names a network's output", binder.value.span, label)
    return scope.bind(binder.name, value)


def _index_beside(binder: tree.Binder) -> NoReturn:
    fix = "write it behind the colon: `forall x in SET, z = f(x): forall k ...: ...`"
    raise wrong("E0402", "an index quantifier stands beside the tensor's", binder.span, fix=fix)


def _applications(expr: tree.Expr, scope: Scope) -> Iterator[tuple[str, str, Network]]:
    """(the network's name, the tensor's name, the network) of every `f(x)`, in order."""
    from ibpc.language.spelling import expression_text

    for inner in parts(expr):
        if not isinstance(inner, tree.Call) or len(inner.arguments) != 1:
            continue
        argument = inner.arguments[0].value
        value = _function(inner.function, scope)
        if isinstance(value, Network) and isinstance(argument, tree.Name):
            yield expression_text(inner.function), argument.text, value


def _function(expr: tree.Expr, scope: Scope) -> object:
    """What is called: a name, or a name of an imported file."""
    if isinstance(expr, tree.Name):
        return scope.find(expr.text)
    if isinstance(expr, tree.Member) and isinstance(expr.base, tree.Name):
        imported = isinstance(scope.find(expr.base.text), ModuleValue)
        return evaluate(expr, scope) if imported else None
    return None
