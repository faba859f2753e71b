"""The lowering engine: one walk over a graph records what its operators' facets compute.

Facets are called with `torch.fx.Proxy`s, so every PyTorch call they make becomes a node of one
straight-line program. (Symbolic tracing of a module would ask Python to branch on tensors; here
nothing does: facets branch on the static facts of a `Site`.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import fx
from torch.fx.proxy import GraphAppendingTracer

from ibpc.domains import Interval
from ibpc.errors import Diagnostic, UnsupportedOperator
from ibpc.ops import Missing, Unsupported, operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ibpc.bounds.weights import Weights
    from ibpc.graph import Graph, Node
    from ibpc.ops import Site


class Recorder:
    """A program being recorded from `graph`: what each value is, clean and as an interval.

    `clean[value]` and `boxes[value]` hold proxies and `Interval`s of proxies. Inputs are seeded by
    the caller; the walk adds every other value. A node of which no operand is an interval (it
    reads labels or constants only) is computed as it is.
    """

    def __init__(self, graph: Graph, weights: Weights, sites: Mapping[str, Site]) -> None:
        self.graph, self._weights, self._sites = graph, weights, sites
        self.program = fx.Graph()
        self._tracer = _NamingTracer(self.program)
        self.clean: dict[str, Any] = {}
        self.boxes: dict[str, Any] = {}
        self._constants: dict[str, fx.Proxy] = {}

    def input(self, name: str) -> fx.Proxy:
        """A new argument of the program."""
        return fx.Proxy(self.program.placeholder(_legal(name)), self._tracer)

    def walk_clean(self, training: bool = False) -> None:
        """Record the forward pass; `training` takes the training form of joint operators."""
        for node in self.graph.nodes:
            facet = operator(node.op).joint if training else None
            if facet is None:
                self._store(node, self.clean, self._forward(node, self.clean), ("",))
                continue
            # The box of a point: what is recorded for it is dead and drops out.
            operands = self._operands(node, self.clean)
            points = [
                Interval.from_bounds(operand, operand) if self._varies(node, position) else operand
                for position, operand in enumerate(operands)
            ]
            results = self._call(node, "joint", facet, (operands, points))
            self._store(node, self.clean, results[0], ("",))

    def walk_boxes(self) -> None:
        """Record the interval pass."""
        for node in self.graph.nodes:
            self._store(node, self.boxes, self._interval(node), _FORMS)

    def walk_both(self) -> None:
        """Record both passes, node by node; joint operators see both."""
        for node in self.graph.nodes:
            facet = operator(node.op).joint
            if facet is None or not self._has_box(node):
                clean, box = self._forward(node, self.clean), self._interval(node)
            else:
                operands = (self._operands(node, self.clean), self._operands(node, self.boxes))
                clean, box = self._call(node, "joint", facet, operands)
            self._store(node, self.clean, clean, ("",))
            self._store(node, self.boxes, box, _FORMS)

    def finish(self, result: Any, name: str, title: str) -> fx.GraphModule:
        """The program that returns `result` (proxies, or tuples of them), dead code removed.

        `meta["doc"]` says what it is: `title`, the inputs' shapes, the layers and their sources.
        """
        self.program.output(self._tracer.create_arg(result))
        self.program.eliminate_dead_code()
        self.program.lint()
        holder = torch.nn.Module()
        for field, tensor in self._held():
            if isinstance(tensor, torch.nn.Parameter):
                holder.register_parameter(field, tensor)
            else:
                holder.register_buffer(field, tensor)
        module = fx.GraphModule(holder, self.program, class_name=name)
        module.meta["doc"] = "\n".join(self._describe(title))
        return module

    def _describe(self, title: str) -> Iterable[str]:
        """The lines of the program's docstring."""
        yield title
        yield ""
        yield f"Network `{self.graph.name}`; axis 0 is the batch. Inputs:"
        for name, shape in self.graph.inputs.items():
            yield f"    {name}: {_batched(shape)}"
        yield "Layers, with the shape of what they give and the source of their rule:"
        for node in self.graph.nodes:
            shapes = ", ".join(_batched(shape) for shape in self._sites[node.name].out_shapes)
            yield f"    {node.name}: {node.op} -> {shapes}  [{operator(node.op).source}]"

    def _held(self) -> Iterable[tuple[str, torch.Tensor]]:
        """The tensors that the program reads: weights, and those that facets made."""
        for node in self.program.nodes:
            if node.op == "get_attr":
                made = self._tracer.made.get(node.target)
                yield node.target, getattr(self._weights, node.target) if made is None else made

    def _forward(self, node: Node, known: Mapping[str, Any]) -> Any:
        """The node's clean value."""
        return self._call(node, "forward", operator(node.op).forward, self._operands(node, known))

    def _interval(self, node: Node) -> Any:
        """The node's interval, or its plain value where it reads no interval."""
        if not self._has_box(node):
            return self._forward(node, self.boxes)
        operands = self._operands(node, self.boxes)
        result = self._call(node, "interval", operator(node.op).interval, operands)
        for name, operand in zip(node.inputs, operands, strict=True):
            self._name(name, operand, _FORMS)  # forms that this rule was first to ask for
        return result

    def _call(self, node: Node, kind: str, facet: Any, operands: Sequence[Any]) -> Any:
        """A facet's result; a facet that is missing says so to the user."""
        self._tracer.stem = node.name
        why = facet.why if isinstance(facet, Missing) else ""
        try:
            if not why:
                return facet(self._sites[node.name], *operands)
        except Unsupported as error:
            why = error.why
        problem = f"node `{node.name}` ({node.op}) has no {kind} rule: {why}"
        fix = f"`ibpc ops {node.op}` says which methods know it"
        raise UnsupportedOperator(Diagnostic("E0702", problem, fix=fix))

    def _operands(self, node: Node, known: Mapping[str, Any]) -> list[Any]:
        """The node's operands: known values, constants, None where absent."""
        return [self._operand(name, known) for name in node.inputs]

    def _operand(self, name: str, known: Mapping[str, Any]) -> Any:
        if not name:
            return None
        return known[name] if name in known else self._constant(name)

    def _constant(self, name: str) -> fx.Proxy:
        """A read of one of the weights, recorded once."""
        if name not in self._constants:
            node = self.program.get_attr(self._weights.attribute(name))
            self._constants[name] = fx.Proxy(node, self._tracer)
        return self._constants[name]

    def _has_box(self, node: Node) -> bool:
        return any(isinstance(self.boxes.get(name), Interval) for name in node.inputs)

    def _varies(self, node: Node, position: int) -> bool:
        name = node.inputs[position]
        return name in self.clean and name not in self.graph.constants

    def _store(self, node: Node, known: dict[str, Any], result: Any, forms: Sequence[str]) -> None:
        """File a facet's result under the node's output values, and name what was recorded."""
        results = (result,) if len(node.outputs) == 1 else tuple(result)
        for value, fact in zip(node.outputs, results, strict=True):
            known[value] = fact
            self._name(value, fact, forms)

    def _name(self, value: str, fact: Any, forms: Sequence[str]) -> None:
        """Name the recorded nodes that hold a value after it."""
        for form in forms if isinstance(fact, Interval) else ("",):
            proxy = getattr(fact, form) if form else fact
            if isinstance(proxy, fx.Proxy):
                self._tracer.rename(proxy.node, _legal(value) + form)


_FORMS = ("_center", "_radius", "_lower", "_upper")

_PURE = frozenset({"abs", "flatten", "reshape", "getitem"})
"""Calls that are recorded once per operands: |W| of a layer, say."""


class _NamingTracer(GraphAppendingTracer):
    """Appends to a graph under names that tell which IR node asked: `conv1_abs`, `conv1_center`."""

    def __init__(self, graph: fx.Graph) -> None:
        super().__init__(graph)
        self.stem = ""
        self.made: dict[str, torch.Tensor] = {}
        self._named: set[fx.Node] = set()
        self._pure: dict[Any, fx.Node] = {}

    def create_node(
        self,
        kind: str,
        target: str | Callable[..., Any],
        args: Any,
        kwargs: Any,
        name: str | None = None,
        type_expr: Any = None,
    ) -> fx.Node:
        """A node named after the IR node and the function; a repeated pure call is one node."""
        word = target if isinstance(target, str) else getattr(target, "__name__", "call")
        stem = f"{_legal(self.stem)}_{word.strip('_')}"
        if word in {"add", "sub"} and _is_zero(args[1]) and isinstance(args[0], fx.Node):
            return args[0]  # no rounding to cover
        if word not in _PURE or kwargs or _holds_slice(args):
            return super().create_node(kind, target, args, kwargs, stem, type_expr)
        key = (kind, target, args)
        if key not in self._pure:
            self._pure[key] = super().create_node(kind, target, args, kwargs, stem, type_expr)
        return self._pure[key]

    def create_arg(self, a: Any) -> Any:
        """Tensors and arrays that a facet made become buffers of the program."""
        if isinstance(a, np.generic):
            return a.item()
        if isinstance(a, np.ndarray):
            a = torch.from_numpy(a)
        if isinstance(a, torch.Tensor):
            name = f"{_legal(self.stem)}_made_{len(self.made)}"
            self.made[name] = a
            return self.graph.get_attr(name)
        return super().create_arg(a)

    def rename(self, node: fx.Node, name: str) -> None:
        """Give a node its final name, unless it has one."""
        if node.op in {"placeholder", "get_attr"} or node in self._named:
            return
        self._named.add(node)
        node._rename(name)


def _is_zero(operand: Any) -> bool:
    """Whether an operand is the number 0.0 itself."""
    return isinstance(operand, float) and operand == 0.0


def _holds_slice(args: Any) -> bool:
    """Whether arguments name a range of entries; such arguments cannot be looked up by value."""
    if isinstance(args, (tuple, list)):
        return any(_holds_slice(arg) for arg in args)
    return isinstance(args, slice)


def _batched(shape: Sequence[int]) -> str:
    """A shape with its batch axis by name."""
    return f"({', '.join(['batch', *(str(extent) for extent in shape[1:])])})"


def _legal(name: str) -> str:
    """An identifier close to `name`."""
    text = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name).strip("_")
    return f"v_{text}" if not text or text[0].isdigit() else text
