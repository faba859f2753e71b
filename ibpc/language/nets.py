"""Declared networks: layer by layer from keywords to planned ONNX nodes, with all shapes.

Names: the n-th `conv` of a net is `conv1`, `conv2`, ...; its activation is `conv1_relu`; a word
without numbers (`out`, `flatten`) is numbered from its second use on. A label (`first: fc 100`)
replaces the name. Where a layer needs several ONNX nodes the last one has the layer's name, the
others add their operator: `fc1_flatten`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.errors import Related
from ibpc.language import tensor_types as types
from ibpc.language.layers import Settings, arguments_of, described, layer_of, weights_of
from ibpc.language.mistakes import wrong
from ibpc.language.program import DeclaredNet, LayerLine, PlannedNode
from ibpc.language.spelling import shape_text, tensor_text
from ibpc.language.values import Arrow, Network
from ibpc.language.vocabulary import Template
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.errors import Span
    from ibpc.language.scopes import Scope
    from ibpc.language.vocabulary import Layer, Shape

SIZE = 2 * 10**9
"""The most numbers that one layer's output or weights may have."""

NODES = 20_000
"""The most nodes that a net may have."""


def declare(declaration: tree.Net, scope: Scope) -> Network:
    """The network of a `net` block.

    Raises: NameMistake E0102 (layer), E0107 (option); TypeMistake E0202 to E0206, E0208.
    """
    arrow = types.resolve(declaration.type, scope)
    if not isinstance(arrow, Arrow):
        fix = "write `net name: Image -> Logits { ... }`"
        raise wrong("E0201", "a network's type is an arrow", declaration.type.span, fix=fix)
    builder = _Builder(scope, arrow.target.type.shape, declaration.name)
    start = _Wire("x", arrow.source.type.shape, declaration.type.span)
    end = builder.block(declaration.layers, start, Settings(), depth=0)
    if end.shape != builder.out_shape:
        _wrong_end(declaration, end, builder.out_shape)
    if not builder.nodes:
        raise wrong("E0202", "a network needs a layer", declaration.name.span, "has none")
    net = DeclaredNet(
        name=declaration.name.text,
        input=arrow.source.type,
        output=arrow.target.type,
        nodes=tuple(builder.nodes),
        lines=tuple(builder.lines),
        hidden=sum(node.hidden for node in builder.nodes),
        parameters=sum(line.parameters for line in builder.lines),
        span=declaration.name.span,
        signature=f"{tensor_text(arrow.source)} -> {tensor_text(arrow.target)}",
    )
    return Network(declaration.name.text, arrow, net)


def _wrong_end(declaration: tree.Net, end: _Wire, wanted: Shape) -> None:
    problem = f"the network ends in {shape_text(end.shape)}, declared is {shape_text(wanted)}"
    related = (Related(declaration.type.span, f"declares {shape_text(wanted)}"),)
    fix = "end the net with `out`" if len(wanted) == 1 else ""
    raise wrong("E0204", problem, end.at, f"gives {shape_text(end.shape)}", fix, related)


@dataclass(frozen=True, slots=True)
class _Wire:
    """A value on its way through the net: its name, shape without the batch axis, and origin."""

    name: str
    shape: Shape
    at: Span


@dataclass(slots=True)
class _Builder:
    """Gathers nodes and lines; counts words and names."""

    scope: Scope
    out_shape: Shape
    net: tree.Name
    nodes: list[PlannedNode] = field(default_factory=list)
    lines: list[LayerLine] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Span] = field(default_factory=dict)

    def block(
        self, items: Sequence[tree.LayerItem], wire: _Wire, settings: Settings, depth: int
    ) -> _Wire:
        """Follow the items of a block; defaults hold from their line on, in this block."""
        for item in items:
            if isinstance(item, tree.Defaults):
                settings = settings.with_defaults(item.named, self.scope)
            elif isinstance(item, tree.Residual):
                wire = self.residual(item, wire, settings, depth)
            else:
                wire = self.layer(item, wire, settings, depth)
        return wire

    def layer(self, item: tree.Layer, wire: _Wire, settings: Settings, depth: int) -> _Wire:
        """One layer, and the activation that follows it."""
        layer = layer_of(item, self.scope)
        arguments = arguments_of(layer, item, settings, self.scope)
        name = self.name(layer.word, item, numbered=bool(layer.takes_count or layer.takes_kernel))
        first = len(self.nodes)
        wire = self.templates(layer, arguments, name, item, wire)
        act = settings.activation(layer, item, self.scope)
        if act is not None:
            slots = {slot.name: slot.default for slot in act.slots}
            wire = self.templates(act, slots, self.free(f"{name}_{act.word}"), item, wire)
        parameters = sum(weights_of(node.template) for node in self.nodes[first:])
        text, details = described(item, layer, arguments, act)
        self.lines.append(LayerLine("  " * depth + text, details, wire.shape, parameters))
        return _Wire(wire.name, wire.shape, item.span)

    def templates(
        self, layer: Layer, arguments: dict[str, Any], name: str, item: tree.Layer, wire: _Wire
    ) -> _Wire:
        """The ONNX nodes of one layer, in order."""
        try:
            templates = layer.build(arguments, wire.shape, self.out_shape)
        except Exception as mistake:
            self.misfit(mistake, layer, item, wire)
        for position, template in enumerate(templates):
            last = position == len(templates) - 1
            node = name if last else self.free(f"{name}_{template.op.lower()}")
            self.taken.setdefault(node, item.span)
            wire = self.node(node, template, wire, layer, item)
        return wire

    def node(
        self, name: str, template: Template, wire: _Wire, layer: Layer, item: tree.Layer
    ) -> _Wire:
        """One ONNX node behind the running value."""
        if weights_of(template, trainable=False) > SIZE or len(self.nodes) >= NODES:
            label = f"{weights_of(template, trainable=False)} weights"
            raise wrong("E0208", "this layer is too large", item.span, label)
        shapes = ((1, *wire.shape), *(weight.shape for weight in template.weights))
        values = (None, *(w.values if w.init == "values" else None for w in template.weights))
        try:
            shape = self.scope.world.vocabulary.infer(
                template.op, template.attributes, shapes, values
            )
        except Exception as mistake:
            self.misfit(mistake, layer, item, wire)
        shape = tuple(shape[1:])
        self.check_size(shape, item.span)
        hidden = prod(shape) if layer.activation else 0
        self.nodes.append(PlannedNode(name, (wire.name,), template, shape, item.span, hidden))
        return _Wire(name, shape, wire.at)

    def check_size(self, shape: Shape, at: Span) -> None:
        """Raise TypeMistake E0203, E0208 where an output has no or too many entries."""
        if any(extent < 1 for extent in shape):
            raise wrong("E0203", "this layer leaves nothing of its input", at, shape_text(shape))
        if prod(shape) > SIZE:
            raise wrong("E0208", "this layer is too large", at, f"gives {shape_text(shape)}")

    def misfit(self, mistake: Exception, layer: Layer, item: tree.Layer, wire: _Wire) -> None:
        """Turn a record's complaint into a located one; anything else is a bug and goes on."""
        problem = getattr(mistake, "problem", None)
        if problem is None:
            raise mistake
        at, argument = item.span, getattr(mistake, "argument", "")
        if argument == "kernel" and item.kernel is not None:
            at = item.kernel.span
        elif argument and argument == layer.takes_count and item.count is not None:
            at = item.count.span
        for named in item.named:
            if named.name is not None and named.name.text == argument:
                at = named.span
        related = (Related(wire.at, f"gives {shape_text(wire.shape)}"),)
        label = f"its input is {shape_text(wire.shape)}"
        raise wrong("E0203", problem, at, label, getattr(mistake, "fix", ""), related)

    def residual(self, item: tree.Residual, wire: _Wire, settings: Settings, depth: int) -> _Wire:
        """Body plus shortcut; the shortcut is the identity where none is written."""
        name = self.name("residual", None, numbered=True)
        self.taken[name] = item.span
        start = len(self.lines)
        body = self.block(item.body, wire, settings, depth + 1)
        middle = len(self.lines)
        shortcut = wire
        if item.shortcut is not None:
            shortcut = self.block(item.shortcut, wire, settings, depth + 1)
            self.lines.insert(middle, LayerLine("  " * depth + "else", "", wire.shape, 0))
        if body.shape != shortcut.shape:
            problem = "the two branches of this residual block differ in shape"
            label = f"body {shape_text(body.shape)}, shortcut {shape_text(shortcut.shape)}"
            fix = "give the shortcut a layer: `else { conv N 1x1+S }`"
            related = (Related(body.at, f"body gives {shape_text(body.shape)}"),)
            raise wrong("E0206", problem, item.span, label, fix, related)
        line = LayerLine("  " * depth + "residual", "", body.shape, 0)
        self.lines.insert(start, line)
        inputs = (body.name, shortcut.name)
        self.nodes.append(PlannedNode(name, inputs, Template("Add"), body.shape, item.span))
        return _Wire(name, body.shape, item.span)

    # --- names -------------------------------------------------------------------------------

    def name(self, word: str, item: tree.Layer | None, numbered: bool) -> str:
        """The layer's name: its label, or its word and number."""
        if item is not None and item.label is not None:
            label = item.label
            before = self.taken.get(label.text)
            if before is not None or label.text == "x":
                problem = f"layer name `{label.text}` is taken"
                related = (Related(before, "by this layer"),) if before else ()
                raise wrong("E0103", problem, label.span, "used again", "choose another", related)
            self.taken[label.text] = label.span
            return label.text
        self.counts[word] = self.counts.get(word, 0) + 1
        number = self.counts[word]
        name = f"{word}{number}" if numbered or number > 1 else word
        name = self.free(name)
        if item is not None:
            self.taken[name] = item.span
        return name

    def free(self, name: str) -> str:
        """The name, or where a label has taken it, the name with a tail."""
        while name in self.taken:
            name += "_"
        return name
