"""Expressions and types as text, for messages and for a claim's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.language.program import IndexType, TensorType
from ibpc.language.values import Arrow, Finite, Pair, Scalar, Tensor
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.values import Checked

_STRENGTH = {"=>": 1, "or": 2, "and": 3, "+": 6, "-": 6, "*": 7, "/": 7, "@": 7, "^": 9}


def expression_text(expr: tree.Expr) -> str:
    """The expression on one line, with the parentheses that it needs."""
    return _text(expr)[0]


def _text(expr: tree.Expr) -> tuple[str, int]:
    """The text, and how strongly its outermost operator binds."""
    if isinstance(expr, tree.Binary):
        strength = _STRENGTH[expr.operator]
        left = _wrapped(expr.left, strength)
        right = _wrapped(expr.right, strength + 1)
        return f"{left} {expr.operator} {right}", strength
    if isinstance(expr, tree.Unary):
        lead = "not " if expr.operator == "not" else "-"
        strength = 4 if expr.operator == "not" else 8
        return lead + _wrapped(expr.operand, strength), strength
    if isinstance(expr, tree.Comparison):
        rest = "".join(f" {operator} {_wrapped(side, 6)}" for operator, side in expr.rest)
        return _wrapped(expr.first, 6) + rest, 5
    if isinstance(expr, tree.Quantifier):
        return f"{expr.kind} {_binders(expr.binders)}: {expression_text(expr.body)}", 0
    return _compact(expr), 10


def _wrapped(expr: tree.Expr, least: int) -> str:
    text, strength = _text(expr)
    return text if strength >= least else f"({text})"


def _compact(expr: tree.Expr) -> str:
    """Everything that binds most strongly."""
    if isinstance(expr, tree.Name):
        return expr.text
    if isinstance(expr, tree.Number):
        return f"{expr.text} {expr.unit.text}" if expr.unit else expr.text
    if isinstance(expr, tree.Text):
        return f'"{expr.value}"'
    if isinstance(expr, tree.Call):
        return f"{_wrapped(expr.function, 10)}({', '.join(map(_argument, expr.arguments))})"
    if isinstance(expr, tree.Index):
        return f"{_wrapped(expr.base, 10)}[{_listed(expr.items)}]"
    if isinstance(expr, tree.Member):
        return f"{_wrapped(expr.base, 10)}.{expr.name.text}"
    return _bracketed(expr)


def _bracketed(expr: tree.Expr) -> str:
    if isinstance(expr, tree.Listing):
        return f"[{_listed(expr.items)}]"
    if isinstance(expr, tree.Range):
        return f"[{expression_text(expr.low)} .. {expression_text(expr.high)}]"
    if isinstance(expr, tree.Tuple):
        return f"({_listed(expr.items)})"
    if isinstance(expr, tree.Image):
        return f"{{ {expression_text(expr.body)} for {_binders(expr.binders)} }}"
    raise AssertionError(f"not an expression: {expr!r}")


def _listed(items: tuple[tree.Expr, ...]) -> str:
    return ", ".join(map(expression_text, items))


def _argument(argument: tree.Argument) -> str:
    lead = f"{argument.name.text} = " if argument.name else ""
    return lead + expression_text(argument.value)


def _binders(binders: tuple[tree.Binder, ...]) -> str:
    signs = {"in": "in", "other": "!=", "bind": "="}
    return ", ".join(f"{b.name.text} {signs[b.kind]} {expression_text(b.value)}" for b in binders)


def shape_text(shape: tuple[int, ...]) -> str:
    """`16x13x13`; a single number is 1."""
    return "x".join(map(str, shape)) or "1"


def type_text(checked: Checked) -> str:
    """A type as it would be written, its name first where it has one."""
    if isinstance(checked, Tensor):
        return tensor_text(checked)
    if isinstance(checked, Finite):
        return checked.name or index_text(checked.type)
    if isinstance(checked, Scalar):
        return checked.name
    if isinstance(checked, Arrow):
        return f"{type_text(checked.source)} -> {type_text(checked.target)}"
    assert isinstance(checked, Pair)
    fields = ", ".join(f"{name}: {type_text(part)}" for name, part in checked.fields)
    return f"({fields})"


def tensor_text(tensor: Tensor) -> str:
    """`Image[1,28,28]`."""
    return f"{tensor.name or 'real'}[{','.join(map(str, tensor.type.shape))}]"


def index_text(index: IndexType) -> str:
    """`index[10]`, or the labels of an enum."""
    if index.labels is None:
        return f"index[{index.size}]"
    shown = ", ".join(index.labels[:6])
    return "{" + shown + (", ...}" if len(index.labels) > 6 else "}")


def domain_text(tensor: TensorType) -> str:
    """` in [0 .. 1]`, or the empty string."""
    from ibpc.language.quantities import number_text

    if tensor.domain is None:
        return ""
    if len(tensor.domain) > 1:
        return " in a range for each entry"
    low, high = tensor.domain[0]
    return f" in [{number_text(low)} .. {number_text(high)}]"
