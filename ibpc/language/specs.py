"""Specs with their arguments become claims: `forall x in SET: C[y] f(x) + d[y] <= 0`, and more.

A claim is one tensor quantifier (over one tensor or several), outermost; below it quantifiers over
finite indices, `and`, `or`, `not`, `=>` and chains of comparisons, down to atoms that are affine
in the outputs of networks and in the tensors.
Source: Gowal et al. 2019, Eq. 2 (general form), Eq. 3 (no class overtakes the true one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Related
from ibpc.language.binding import bind
from ibpc.language.evaluate import evaluate
from ibpc.language.mistakes import wrong
from ibpc.language.spelling import expression_text
from ibpc.language.stated import stated
from ibpc.language.statements import read_statements
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.scopes import Scope
    from ibpc.language.statements import Statement
    from ibpc.language.values import ClaimValue, Definition


def call_spec(definition: Definition, expr: tree.Call, scope: Scope) -> ClaimValue:
    """The claim of a spec for these arguments.

    Raises: IbpcError with what lies outside of the supported fragment (E0401 to E0412).
    """
    bound = bind(definition, expr.arguments, expr.span, scope)
    return elaborate(definition, bound.scope, expr)


def elaborate(definition: Definition, scope: Scope, at: tree.Expr) -> ClaimValue:
    """The claim of a spec whose parameters are bound in `scope`."""
    declaration = definition.declaration
    assert isinstance(declaration, tree.Spec)
    with scope.world.entering(definition, at.span):
        found: list[Statement] = []
        for statement in declaration.statements:
            if isinstance(statement, tree.Let):
                scope = scope.bind(statement.name, evaluate(statement.value, scope))
            else:
                found += read_statements(statement, scope)
        if not found:
            fix = "add `forall x in ball(x0, eps), z = f(x): ...`"
            raise wrong("E0401", "this spec claims nothing", declaration.name.span, "no claim", fix)
        _same(found)
        texts = [expression_text(s) for s in declaration.statements if not isinstance(s, tree.Let)]
        return stated(declaration, found, " and ".join(texts))


def _same(found: list[Statement]) -> None:
    """Raise TypeMistake E0409, E0410 where statements do not quantify over the same thing."""
    first = found[0]
    for other in found[1:]:
        related = (Related(first.at.span, "the first one"),)
        fix = "split it into two specs"
        if "exists" in (first.word, other.word):
            problem = "a claim that something exists stands alone"
            raise wrong("E0409", problem, other.at.span, f"`{other.word}`", fix, related)
        if other.points != first.points:
            problem = "a spec speaks of several sets"
            raise wrong("E0410", problem, other.at.span, "another one", fix, related)
