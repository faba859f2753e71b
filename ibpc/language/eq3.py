"""Recognises the claim of Eq. 3, whose rows need not be written out.

Source: Gowal et al. 2019, Eq. 3 (no class overtakes the true one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.language.evaluate import evaluate
from ibpc.language.linear_forms import as_linear, difference
from ibpc.language.values import DatumLabel, Linear, Opaque, Outputs
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.scopes import Scope


def argmax_strictness(body: tree.Expr, scope: Scope) -> bool | None:
    """Whether the body is Eq. 3, for any number of classes: None (no), or its strictness.

    forall k != y: z[k] - z[y] <= 0      argmax(z) == y

    The index k stays a name, so that 1,000 classes cost no more than ten.
    """
    if isinstance(body, tree.Comparison) and len(body.rest) == 1:
        operator, right = body.rest[0]
        output = argmax_of(body.first, scope)
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
    return _overtakes(difference(left, right_, inner.first), inner.rest[0][0])


def _overtakes(form: Linear, operator: str) -> bool | None:
    """Whether `form operator 0` says that an opaque z[k] does not overtake z[y]."""
    sign = {"<=": 1, "<": 1, ">=": -1, ">": -1}.get(operator)
    if sign is None or form.constant or len(form.terms) != 2:
        return None
    opaque = [factor for key, factor in form.terms if isinstance(key.index, Opaque)]
    label = [factor for key, factor in form.terms if isinstance(key.index, DatumLabel)]
    if len(opaque) != 1 or len(label) != 1 or len({key.of for key, _ in form.terms}) != 1:
        return None
    fits = opaque[0] == -label[0] and opaque[0] * sign > 0
    return operator in "<>" if fits else None


def argmax_of(expr: tree.Expr, scope: Scope) -> Outputs | None:
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
