"""A claim in plain words, and as C z + d <= 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import IbpcError
from ibpc.language import expression_text, number_text
from ibpc.syntax import parse_expression, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from ibpc.language import Claim, Row

_COMPARED = {
    "<=": "is at most",
    "<": "is less than",
    ">=": "is at least",
    ">": "is greater than",
    "==": "equals",
    "!=": "differs from",
}
_SHOWN = 6
"""Rows of a matrix that are shown."""


def claim_in_words(claim: tree.Expr | str) -> str:
    """The claim as a sentence; where its text cannot be read back, the text itself."""
    if not isinstance(claim, str):
        return _words(claim)
    try:
        return _words(parse_expression(claim, "claim"))
    except IbpcError:
        return claim


def _words(expr: tree.Expr) -> str:
    if isinstance(expr, tree.Quantifier):
        lead = "for every" if expr.kind == "forall" else "there is a"
        binders = [_binder(one, lead) for one in expr.binders]
        joint = ": " if expr.kind == "forall" else " such that "
        return f"{', '.join(binders)}{joint}{_words(expr.body)}"
    if isinstance(expr, tree.Comparison):
        sides = [expr.first, *(side for _, side in expr.rest)]
        signs = [sign for sign, _ in expr.rest]
        parts = [
            f"{expression_text(left)} {_COMPARED[sign]} {expression_text(right)}"
            for left, sign, right in zip(sides, signs, sides[1:], strict=False)
        ]
        return " and ".join(parts)
    if isinstance(expr, tree.Binary) and expr.operator in {"and", "or", "=>"}:
        left, right = _part(expr.left, expr.operator), _part(expr.right, expr.operator)
        if expr.operator == "=>":
            return f"if {left}, then {right}"
        return f"{left}, {expr.operator} {right}"
    if isinstance(expr, tree.Unary) and expr.operator == "not":
        return f"it is not so that {_words(expr.operand)}"
    return expression_text(expr)


def _part(expr: tree.Expr, operator: str) -> str:
    """An operand; parentheses keep apart what words alone would not."""
    mixed = isinstance(expr, tree.Binary) and expr.operator not in {operator, "+", "-", "*", "/"}
    return f"({_words(expr)})" if mixed and operator != "=>" else _words(expr)


def _binder(binder: tree.Binder, lead: str) -> str:
    value = expression_text(binder.value)
    if binder.kind == "bind":
        return f"with {binder.name.text} = {value}"
    if binder.kind == "other":
        return f"{lead} {binder.name.text} other than {value}"
    return f"{lead} {binder.name.text} in {value}"


def claim_numbers(claim: Claim) -> Iterator[str]:
    """C and d: symbolic where they depend on the label, and their first rows for one label."""
    sign = "<" if claim.strict else "<="
    if claim.argmax:
        yield f"C z + d {sign} 0 with C of {claim.size - 1} x {claim.size} for each label y, d = 0"
        yield f"row k, for each k != y: C[k, k] = 1, C[k, y] = -1, all else 0: z[k] - z[y] {sign} 0"
        return
    if not claim.rows:
        return
    several = len(claim.rows) > 1
    rows = claim.rows[0]
    clauses = claim.clauses_of(0)
    joint = "" if len(clauses) == len(rows) else f", {len(clauses)} clauses"
    yield (
        f"C z + d {sign} 0 with C of {len(rows)} x {claim.size + claim.inputs}{joint}"
        + (f", one for each of {len(claim.rows)} labels; for label 0:" if several else "")
    )
    if claim.exists:
        yield "the rows are the negation: a witness against them is what exists"
    for number, clause in enumerate(clauses[:_SHOWN]):
        lead = "and (" if joint and number else "(" if joint else ""
        yield lead + " or ".join(_row(rows[row], claim.size) for row in clause) + ")" * bool(joint)
    if len(clauses) > _SHOWN:
        yield f"and {len(clauses) - _SHOWN} more"


def _row(row: Row, size: int) -> str:
    """One atom; entries behind the outputs are the input's own."""
    text = ""
    for index, value in row.coefficients:
        name = f"z[{index}]" if index < size else f"x[{index - size}]"
        factor = "" if abs(value) == 1 else f"{number_text(abs(value))} "
        text += _sign(value, text) + factor + name
    if row.constant:
        text += _sign(row.constant, text) + number_text(abs(row.constant))
    return f"{text or '0'} {'<' if row.strict else '<='} 0"


def _sign(value: Fraction, before: str) -> str:
    if not before:
        return "-" if value < 0 else ""
    return " - " if value < 0 else " + "
