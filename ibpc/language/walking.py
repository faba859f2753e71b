"""Visits every part of an expression, without recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def parts(expr: tree.Expr) -> Iterator[tree.Expr]:
    """The expression and all expressions inside it, outermost first."""
    waiting: list[tree.Expr] = [expr]
    while waiting:
        one = waiting.pop()
        yield one
        rule = _INSIDE.get(type(one))
        if rule is not None:
            waiting.extend(reversed(rule(one)))


def names(expr: tree.Expr) -> set[str]:
    """All names that an expression mentions."""
    return {one.text for one in parts(expr) if isinstance(one, tree.Name)}


def _values(binders: tuple[tree.Binder, ...]) -> list[tree.Expr]:
    return [binder.value for binder in binders]


_INSIDE: dict[type, Callable[..., list[tree.Expr]]] = {
    tree.Call: lambda e: [e.function, *(argument.value for argument in e.arguments)],
    tree.Index: lambda e: [e.base, *e.items],
    tree.Member: lambda e: [e.base],
    tree.Unary: lambda e: [e.operand],
    tree.Binary: lambda e: [e.left, e.right],
    tree.Comparison: lambda e: [e.first, *(side for _, side in e.rest)],
    tree.Quantifier: lambda e: [*_values(e.binders), e.body],
    tree.Listing: lambda e: list(e.items),
    tree.Range: lambda e: [e.low, e.high],
    tree.Tuple: lambda e: list(e.items),
    tree.Image: lambda e: [e.body, *_values(e.binders)],
}
