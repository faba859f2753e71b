"""Specs with their arguments become claims: `forall x in SET: C[y] f(x) + d[y] <= 0`.

Supported: one universal tensor quantifier, outermost; below it quantifiers over finite indices,
`and`, `not`, `=>`, chains of comparisons, as long as a conjunction of linear atoms remains.
Source: Gowal et al. 2019, Eq. 2 (general form), Eq. 3 (no class overtakes the true one).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

from ibpc.errors import Related
from ibpc.language.binding import bind
from ibpc.language.evaluate import entries, evaluate
from ibpc.language.logic import Atom, Conjunction, Logic, NeedsLabel, argmax_strictness
from ibpc.language.mistakes import wrong
from ibpc.language.program import Claim, Row
from ibpc.language.sets import set_of
from ibpc.language.spelling import expression_text
from ibpc.language.values import (
    ClaimValue,
    DatumLabel,
    Finite,
    Label,
    Network,
    Outputs,
    SetValue,
    TensorVariable,
    TypeValue,
    kind_of,
)
from ibpc.language.walking import parts
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Definition

CLASSES = 64
"""Up to this many labels, rows written out are compared with Eq. 3, whatever their spelling."""

LABELS = 10_000
"""The most labels for which a claim other than Eq. 3 is written out, one by one."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One statement `forall x in SET, z = f(x): body`, its scope below the quantifier."""

    set: SetValue
    network: Network
    body: tree.Expr
    scope: Scope
    at: tree.Expr


def call_spec(definition: Definition, expr: tree.Call, scope: Scope) -> ClaimValue:
    """The claim of a spec for these arguments.

    Raises: IbpcError with what lies outside of the supported fragment (E0401 to E0410).
    """
    bound = bind(definition, expr.arguments, expr.span, scope)
    return elaborate(definition, bound.scope, expr)


def elaborate(definition: Definition, scope: Scope, at: tree.Expr) -> ClaimValue:
    """The claim of a spec whose parameters are bound in `scope`."""
    declaration = definition.declaration
    assert isinstance(declaration, tree.Spec)
    with scope.world.entering(definition, at.span):
        found: list[_Part] = []
        for statement in declaration.statements:
            if isinstance(statement, tree.Let):
                scope = scope.bind(statement.name, evaluate(statement.value, scope))
            else:
                found += _parts(statement, scope)
        if not found:
            fix = "add `forall x in ball(x0, eps), z = f(x): ...`"
            raise wrong("E0401", "this spec claims nothing", declaration.name.span, "no claim", fix)
        _same(found)
        texts = [expression_text(s) for s in declaration.statements if not isinstance(s, tree.Let)]
        return ClaimValue(_claim(declaration, found, " and ".join(texts)))


def _same(found: list[_Part]) -> None:
    """Raise TypeMistake E0410 where statements differ in their network or set."""
    first = found[0]
    for other in found[1:]:
        what = ""
        if other.network.name != first.network.name:
            what = "networks"
        elif other.set != first.set:
            what = "sets"
        if what:
            related = (Related(first.at.span, "the first one"),)
            fix = "split it into two specs"
            problem = f"a spec speaks of several {what}"
            raise wrong("E0410", problem, other.at.span, "another one", fix, related)


# --- the tensor quantifier -------------------------------------------------------------------


def _parts(expr: tree.Expr, scope: Scope) -> list[_Part]:
    if isinstance(expr, tree.Binary) and expr.operator == "and":
        return _parts(expr.left, scope) + _parts(expr.right, scope)
    if not isinstance(expr, tree.Quantifier):
        for inner in parts(expr):
            if isinstance(inner, tree.Quantifier) and _over_tensor(inner, scope):
                related = (Related(inner.span, "this quantifier"),)
                problem = "a tensor quantifier must stand outermost"
                raise wrong("E0402", problem, expr.span, "inside of this", related=related)
        fix = "write `forall x in ball(x0, eps), z = f(x): ...`"
        problem = "a claim begins with a quantifier over the input"
        raise wrong("E0401", problem, expr.span, "no `forall x in SET`", fix)
    return [_quantified(expr, scope)]


def _over_tensor(expr: tree.Quantifier, scope: Scope) -> bool:
    return any(one.kind == "in" and not over_index(one.value, scope) for one in expr.binders)


def over_index(value: tree.Expr, scope: Scope) -> bool:
    """Whether a binder's `in` ranges over a finite index, not over tensors."""
    if isinstance(value, tree.Name):
        found = scope.find(value.text)
        return isinstance(found, TypeValue) and isinstance(found.type, Finite)
    return isinstance(value, tree.Range | tree.Listing)


def _quantified(expr: tree.Quantifier, scope: Scope) -> _Part:
    first = expr.binders[0]
    if first.kind != "in" or over_index(first.value, scope):
        fix = "turn the quantifiers round: `forall x in SET, z = f(x): forall k ...`"
        problem = "a tensor quantifier must stand outermost"
        raise wrong("E0402", problem, first.span, "this ranges over indices", fix)
    if expr.kind == "exists":
        fix = "state the property that shall hold for all inputs"
        raise wrong("E0409", "claims hold for all inputs of a set", expr.span, "`exists`", fix)
    network = _network(expr, scope)
    set_ = set_of(first.value, network.arrow.source, scope)
    inner = scope.bind(first.name, TensorVariable(first.name.text, set_.type))
    for binder in expr.binders[1:]:
        if binder.kind != "bind":
            _second_quantifier(binder, first, inner)
        value = evaluate(binder.value, inner)
        if not isinstance(value, Outputs):
            label = f"this is {kind_of(value)}"
            raise wrong("E0406", "a binder names a network's output", binder.value.span, label)
        inner = inner.bind(binder.name, value)
    return _Part(set_, network, expr.body, inner, expr)


def _second_quantifier(binder: tree.Binder, first: tree.Binder, scope: Scope) -> NoReturn:
    if binder.kind == "in" and not over_index(binder.value, scope):
        related = (Related(first.span, "the first one"),)
        problem = "a claim quantifies over one tensor"
        raise wrong("E0407", problem, binder.span, "a second one", related=related)
    fix = "write it behind the colon: `forall x in SET, z = f(x): forall k ...: ...`"
    raise wrong("E0402", "an index quantifier stands beside the tensor's", binder.span, fix=fix)


def _network(expr: tree.Quantifier, scope: Scope) -> Network:
    """The only network that a statement applies.

    Raises: TypeMistake E0401 (none), E0410 (several).
    """
    found: dict[str, tuple[Network, tree.Expr]] = {}
    for inner in parts(expr):
        if isinstance(inner, tree.Call) and isinstance(inner.function, tree.Name):
            name = inner.function.text
            value = scope.find(name)
            if isinstance(value, Network):
                found.setdefault(name, (value, inner))
    if not found:
        fix = "apply it: `forall x in SET, z = f(x): ...`"
        raise wrong("E0401", "this claim says nothing about a network", expr.span, "no `f(x)`", fix)
    if len(found) > 1:
        (_, one), (_, other) = list(found.values())[:2]
        related = (Related(one.span, "the first one"),)
        problem = "claims over several networks are not supported yet"
        raise wrong("E0410", problem, other.span, "another network", related=related)
    return next(iter(found.values()))[0]


# --- rows ------------------------------------------------------------------------------------


def _claim(declaration: tree.Spec, found: list[_Part], text: str) -> Claim:
    first = found[0]
    size = entries(first.network.arrow.target)
    claim = Claim(
        name=declaration.name.text,
        set=first.set.set,
        size=size,
        rows=(),
        argmax=False,
        strict=False,
        text=text,
        span=declaration.name.span,
    )
    if len(found) == 1:
        strict = argmax_strictness(first.body, first.scope)
        if strict is not None:
            return replace(claim, argmax=True, strict=strict)
    rows = _rows(found)
    if not any(row.coefficients for group in rows for row in group):
        fix = "compare entries of the output: `z[k] - z[y] <= 0`"
        at = first.body.span
        raise wrong(
            "E0401", "this claim does not depend on the network's output", at, "constant", fix
        )
    strict = any(row.strict for group in rows for row in group)
    if _is_argmax(rows, size):
        return replace(claim, argmax=True, strict=strict)
    return replace(claim, rows=rows, strict=strict)


def _rows(found: list[_Part]) -> tuple[tuple[Row, ...], ...]:
    logic = Logic()
    try:
        return (_written_out(found, logic),)
    except NeedsLabel as need:
        size = need.label.type.size
        if size > LABELS:
            at = found[0].body.span
            label = f"{size} labels, at most {LABELS}"
            problem = "this claim is too large when written out"
            raise wrong("E0208", problem, at, label, "Eq. 3 has no such limit") from None
    return tuple(_written_out([_labelled(part, y) for part in found], logic) for y in range(size))


def _labelled(part: _Part, label: int) -> _Part:
    """The part for one label of the datum."""
    names = {
        name: Label(label, value.type) if isinstance(value, DatumLabel) else value
        for name, value in part.scope.names.items()
    }
    return replace(part, scope=replace(part.scope, names=names))


def _written_out(found: list[_Part], logic: Logic) -> tuple[Row, ...]:
    together: Conjunction = True
    for part in found:
        together = logic.both(together, logic.conjunction(part.body, part.scope, positive=True))
    if together is True:
        return ()
    if together is False:
        return (Row((), Fraction(1), strict=False),)
    return tuple(dict.fromkeys(_row(atom) for atom in together))


def _row(atom: Atom) -> Row:
    terms = tuple(sorted((key, factor) for key, factor in atom.terms))
    return Row(terms, atom.constant, atom.strict)


def _is_argmax(rows: tuple[tuple[Row, ...], ...], size: int) -> bool:
    """Whether the rows are exactly z[k] - z[y] <= 0 for all k != y, up to positive factors."""
    if len(rows) != size or size > CLASSES or size < 2:
        return False
    strictness = {row.strict for group in rows for row in group}
    if len(strictness) != 1:
        return False
    return all(_overtaken(group, y, size) for y, group in enumerate(rows))


def _overtaken(group: tuple[Row, ...], y: int, size: int) -> bool:
    others = set()
    for row in group:
        factors = dict(row.coefficients)
        up = [key for key, factor in factors.items() if factor > 0]
        if row.constant or len(factors) != 2 or len(up) != 1 or up[0] == y:
            return False
        if factors.get(y) != -factors[up[0]]:
            return False
        others.add(up[0])
    return others == set(range(size)) - {y}
