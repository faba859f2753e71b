"""The outline of a file: its declarations, and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.errors import Span

# Kinds of the Language Server Protocol 3.17, SymbolKind.
_KINDS: dict[type, int] = {
    tree.Import: 2,
    tree.TypeDecl: 5,
    tree.Enum: 10,
    tree.Record: 23,
    tree.Param: 13,
    tree.Const: 14,
    tree.Unit: 14,
    tree.Data: 18,
    tree.Net: 5,
    tree.NetReference: 5,
}
_FUNCTION, _PROPERTY, _MEMBER = 12, 7, 22


class Symbol(NamedTuple):
    """A name with its kind, the whole of what it names, and where the name itself stands."""

    name: str
    kind: int
    detail: str
    span: Span
    at: Span
    children: tuple[Symbol, ...] = ()


def symbols(file: tree.File) -> tuple[Symbol, ...]:
    """The declarations of a file in order; imports by name are left out."""
    return tuple(_symbol(one) for one in file.declarations if not isinstance(one, tree.FromImport))


def _symbol(node: Any) -> Symbol:
    name = node.alias if isinstance(node, tree.Import) else node.name
    kind = _KINDS.get(type(node), _FUNCTION)
    detail = type(node).__name__.lower()
    return Symbol(name.text, kind, detail, node.span, name.span, tuple(_children(node)))


def _children(node: Any) -> Iterator[Symbol]:
    for label in getattr(node, "members", ()):
        yield Symbol(label.text, _MEMBER, "label", label.span, label.span)
    for kind in ("fields", "settings", "reports", "axes"):
        for one in getattr(node, kind, ()):
            yield Symbol(one.name.text, _PROPERTY, kind[:-1], one.span, one.name.span)
    for layer in getattr(node, "layers", ()):
        if isinstance(layer, tree.Layer):
            name = layer.label or layer.keyword
            yield Symbol(name.text, _PROPERTY, "layer", layer.span, name.span)
