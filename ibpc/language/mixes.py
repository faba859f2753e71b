"""Bounds of a recipe: one method, or several mixed with weights that sum to 1.

    bound = ibp
    bound = beta * crown + (1 - beta) * ibp

A mix of sound upper bounds is one as long as no weight is negative and all sum to 1. The sum is
checked here, exactly, whatever the schedules' values; a negative weight is refused where it occurs.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.errors import Related
from ibpc.language.evaluate import evaluate
from ibpc.language.invocations import invoke, spelled
from ibpc.language.losses import schedule_term, schedules_in
from ibpc.language.mistakes import wrong
from ibpc.language.program import BoundPart, LossExpr, Symbol
from ibpc.language.quantities import Quantity
from ibpc.language.values import kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language.program import Fit
    from ibpc.language.scopes import Scope

ONE = LossExpr("number", value=Fraction(1))
TRIED = (Fraction(0), Fraction(1), Fraction(1, 3), Fraction(7, 11))
"""Values of the schedules at which the weights must sum to 1: more than a sum of products needs."""


def check_statistics(fit: Fit, scope: Scope) -> None:
    """Raise UnsupportedOperator E0741 where a method does not know the clean batch's statistics.

    A method with a lowering of its own bounds without a clean pass, in which batch normalisation
    and dropout would have drawn theirs.
    """
    vocabulary = scope.world.vocabulary
    apart = [
        part.method
        for part in fit.bound
        if getattr(vocabulary.bounds[part.method.word], "lower", None) is not None
    ]
    if fit.claim is None or not apart:
        return
    for node in getattr(fit.net, "nodes", ()):
        why = vocabulary.cannot(node.template.op, "no clean pass")
        if why:
            related = (Related(node.span, "this layer"),)
            problem = f"`{apart[0].word}` cannot train a network with {node.template.op}"
            fix = "train with `bound = ibp`, or leave the layer out"
            raise wrong("E0741", problem, apart[0].span, why, fix, related)


def read_bound(expr: tree.Expr, scope: Scope) -> tuple[BoundPart, ...]:
    """The methods that an expression mixes, each with its weight.

    Raises: TypeMistake E0611 where it is no mix, or its weights do not sum to 1.
    """
    parts = _parts(expr, scope)
    names = sorted(set[str]().union(*(schedules_in(part.weight) for part in parts)))
    for shift in range(len(TRIED)):
        values = {name: TRIED[(place + shift) % len(TRIED)] for place, name in enumerate(names)}
        total = sum((exact(part.weight, values) for part in parts), Fraction(0))
        if total != 1:
            fix = "write `beta * crown + (1 - beta) * ibp`"
            label = f"they sum to {total}" if not names else "they sum to 1 at some steps at most"
            raise wrong("E0611", "the weights of mixed bounds sum to 1", expr.span, label, fix)
    return parts


def schedules_of(parts: tuple[BoundPart, ...]) -> set[str]:
    """The schedules that the weights name."""
    return set[str]().union(*(schedules_in(part.weight) for part in parts))


def exact(weight: LossExpr, values: Mapping[str, Fraction]) -> Fraction:
    """A weight's value for given values of the schedules."""
    if weight.operator == "number":
        assert weight.value is not None
        return weight.value
    if weight.operator == "schedule":
        return values[weight.name]
    left, *rest = (exact(operand, values) for operand in weight.operands)
    if not rest:
        return -left
    if weight.operator == "/":
        return left / rest[0] if rest[0] else Fraction(0)
    return {"+": left + rest[0], "-": left - rest[0], "*": left * rest[0]}[weight.operator]


def _parts(expr: tree.Expr, scope: Scope) -> tuple[BoundPart, ...]:
    if not isinstance(expr, tree.Binary):
        return (BoundPart(ONE, invoke(expr, scope.world.vocabulary.bounds, "bound", scope)),)
    if expr.operator == "+":
        return (*_parts(expr.left, scope), *_parts(expr.right, scope))
    left, right = _is_method(expr.left, scope), _is_method(expr.right, scope)
    if expr.operator in "*/" and left and right:
        fix = "add them, each with a weight"
        raise wrong("E0611", "two bounds are multiplied", expr.span, "no mix of bounds", fix)
    if expr.operator == "*" or (expr.operator == "/" and left):
        weighed, scalar = (expr.left, expr.right) if left else (expr.right, expr.left)
        weight = _weight(scalar, scope)
        weight = LossExpr("/", (ONE, weight)) if expr.operator == "/" else weight
        return tuple(_scaled(part, weight) for part in _parts(weighed, scope))
    fix = "mix bounds by `weight * bound + weight * bound`"
    raise wrong("E0611", f"bounds have no `{expr.operator}`", expr.span, "no mix of bounds", fix)


def _scaled(part: BoundPart, weight: LossExpr) -> BoundPart:
    """The part with its weight multiplied."""
    product = weight if part.weight == ONE else LossExpr("*", (weight, part.weight))
    return BoundPart(product, part.method)


def _is_method(expr: tree.Expr, scope: Scope) -> bool:
    """Whether an expression is a bound, or holds one."""
    if isinstance(expr, tree.Binary):
        return _is_method(expr.left, scope) or _is_method(expr.right, scope)
    if isinstance(expr, tree.Name | tree.Call):
        function = expr.function if isinstance(expr, tree.Call) else expr
        known = scope.world.vocabulary.bounds
        return isinstance(function, tree.Name) and spelled(expr, "bound")[0].text in known
    return False


def _weight(expr: tree.Expr, scope: Scope) -> LossExpr:
    """A weight: numbers and schedules under + - * /."""
    if isinstance(expr, tree.Binary) and expr.operator in "+-*/":
        return LossExpr(expr.operator, (_weight(expr.left, scope), _weight(expr.right, scope)))
    if isinstance(expr, tree.Unary) and expr.operator == "-":
        return LossExpr("-", (_weight(expr.operand, scope),))
    value = evaluate(expr, scope)
    if isinstance(value, Symbol):
        return schedule_term(value)
    if isinstance(value, Quantity) and not value.dimension:
        return LossExpr("number", value=value.value)
    fix = "weights are numbers and schedules under + - * /"
    raise wrong("E0611", "this cannot weigh a bound", expr.span, f"this is {kind_of(value)}", fix)
