"""Makes the tree of the parser's reductions: one method for each rule or alias of `ibp.lark`."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.syntax.source import Source
    from ibpc.syntax.tokens import Token

Children = list[Any]


def exact(text: str) -> Fraction:
    """The value of a NUMBER: `0.1` is 1/10, `2k` is 2000, `1e-3` is 1/1000."""
    return Fraction(text[:-1]) * 1000 if text.endswith("k") else Fraction(text)


# Actions whose children are a node's fields in their order.
_PLAIN: dict[str, type[Any]] = {
    "param": tree.Param,
    "const": tree.Const,
    "unit": tree.Unit,
    "type_decl": tree.TypeDecl,
    "field": tree.RecordField,
    "arrow_type": tree.ArrowType,
    "setting": tree.Setting,
    "hold": tree.Hold,
    "ramp": tree.Ramp,
    "option": tree.Argument,
    "named_argument": tree.Argument,
    "parameter": tree.Parameter,
    "let": tree.Let,
    "report": tree.Report,
    "axis": tree.Axis,
    "member": tree.Member,
    "range": tree.Range,
}

# Actions whose children are so many fields, and then the items of the last one.
_LISTED: dict[str, tuple[int, type[Any]]] = {
    "enum": (1, tree.Enum),
    "record": (1, tree.Record),
    "named_type": (1, tree.NamedType),
    "tuple_type": (0, tree.TupleType),
    "data": (2, tree.Data),
    "net_reference": (3, tree.NetReference),
    "schedule": (0, tree.Schedule),
    "train": (2, tree.Train),
    "run": (1, tree.Run),
    "call": (1, tree.Call),
    "index": (1, tree.Index),
    "listing": (0, tree.Listing),
    "tuple": (0, tree.Tuple),
    "image": (1, tree.Image),
}

# Actions that only gather their children.
_GATHERED = {"block", "options", "generics", "parameters", "stages", "typed_name", "sweep_run"}


class TreeBuilder:
    """Builds `ibpc.syntax.tree` nodes; the machine calls `build` for each reduction."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def build(self, action: str, children: Children, span: Span) -> Any:
        """The node, or for inner rules the tuple of children, that `action` makes."""
        plain = _PLAIN.get(action)
        if plain is not None:
            return plain(*children, span)
        listed = _LISTED.get(action)
        if listed is not None:
            fields, make = listed
            return make(*children[:fields], tuple(children[fields:]), span)
        if action in _GATHERED:
            return tuple(children)
        return getattr(self, "_" + action)(children, span)

    def _file(self, children: Children, span: Span) -> tree.File:
        return tree.File(span.path, children[0], tuple(children[1:]), {})

    def _edition(self, children: Children, _: Span) -> int:
        return int(exact(children[0].text))

    def _import_(self, children: Children, span: Span) -> tree.Import:
        return tree.Import(self._quoted(children[0]), children[1], span)

    def _from_import(self, children: Children, span: Span) -> tree.FromImport:
        return tree.FromImport(self._quoted(children[0]), tuple(children[1:]), span)

    def _quoted(self, token: Token) -> tree.Text:
        return tree.Text(token.text[1:-1], self.source.span(token.start, token.end))

    # --- networks ---

    def _net(self, children: Children, span: Span) -> tree.Net:
        name, kind, layers = children
        return tree.Net(name, kind, layers, span)

    def _layer(self, children: Children, span: Span) -> tree.Layer:
        label, keyword, count, kernel, named = children
        return tree.Layer(
            label,
            keyword,
            None if count is None else self._counted(count),
            None if kernel is None else self._kernel(kernel),
            named or (),
            span,
        )

    def _counted(self, token: Token) -> tree.Number:
        return self._number([token], self.source.span(token.start, token.end))

    def _kernel(self, token: Token) -> tree.Kernel:
        size, _, stride = token.text.partition("+")
        height, _, width = size.partition("x")
        span = self.source.span(token.start, token.end)
        return tree.Kernel(int(height), int(width), int(stride or 1), span)

    def _defaults(self, children: Children, span: Span) -> tree.Defaults:
        return tree.Defaults(children[0], span)

    def _residual(self, children: Children, span: Span) -> tree.Residual:
        return tree.Residual(children[0], children[1], span)

    # --- claims and plans ---

    def _set_decl(self, children: Children, span: Span) -> tree.SetDecl:
        name, generics, parameters, value = children
        return tree.SetDecl(name, generics or (), parameters, value, span)

    def _spec(self, children: Children, span: Span) -> tree.Spec:
        name, generics, parameters, *statements = children
        return tree.Spec(name, generics or (), parameters, tuple(statements), span)

    def _verify(self, children: Children, span: Span) -> tree.Verify:
        name, parameters, *items = children
        settings = tuple(item for item in items if isinstance(item, tree.Setting))
        reports = tuple(item for item in items if isinstance(item, tree.Report))
        return tree.Verify(name, parameters, settings, reports, span)

    def _sweep(self, children: Children, span: Span) -> tree.Sweep:
        name, *items = children
        axes = tuple(item for item in items if isinstance(item, tree.Axis))
        calls = tuple(call for item in items if isinstance(item, tuple) for call in item)
        return tree.Sweep(name, axes, calls, span)

    # --- expressions ---

    def _argument(self, children: Children, span: Span) -> tree.Argument:
        return tree.Argument(None, children[0], span)

    def _number(self, children: Children, span: Span) -> tree.Number:
        text = children[0].text
        return tree.Number(exact(text), None, text, span)

    def _quantity(self, children: Children, span: Span) -> tree.Number:
        text = children[0].text
        return tree.Number(exact(text), children[1], text, span)

    def _text(self, children: Children, span: Span) -> tree.Text:
        return tree.Text(children[0].text[1:-1], span)

    def _unary(self, children: Children, span: Span) -> tree.Unary:
        return tree.Unary(children[0].text, children[1], span)

    def _binary(self, children: Children, span: Span) -> tree.Binary:
        left, operator, right = children
        return tree.Binary(operator.text, left, right, span)

    def _comparison(self, children: Children, span: Span) -> tree.Comparison:
        first, *others = children
        signs = (cast("Token", sign).text for sign in others[::2])
        return tree.Comparison(first, tuple(zip(signs, others[1::2], strict=True)), span)

    def _binder(self, children: Children, span: Span) -> tree.Binder:
        name, sign, value = children
        kind = {"in": "in", "!=": "other", "=": "bind"}[sign.text]
        return tree.Binder(kind, name, value, span)

    def _quantifier(self, children: Children, span: Span) -> tree.Quantifier:
        kind, *binders, body = children
        return tree.Quantifier(kind.text, tuple(binders), body, span)
