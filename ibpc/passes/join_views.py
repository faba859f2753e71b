"""Chains of Reshape, Flatten, Squeeze and Unsqueeze become one Reshape of the first operand.

A Softmax between two of them moves in front of both, where it works on the same last axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import Node, fresh_name
from ibpc.passes.infer_shapes import infer_shapes

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Graph, Shape

_VIEWS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


def join_views(graph: Graph) -> Graph:
    """The graph in which no view reads a view; those that nobody reads any more stay behind."""
    return _Joined(graph).result()


class _Joined:
    """The graph being rewritten: `sources[value]` is what a value is a view of."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._shapes: dict[str, Shape] = {}
        self._sources: dict[str, str] = {}
        self._constants: dict[str, np.ndarray] = dict(graph.constants)
        self._taken = {*graph.inputs, *graph.constants, *graph.producer}
        self._taken.update(node.name for node in graph.nodes)

    def result(self) -> Graph:
        """The rewritten graph; the same one where nothing is to be done."""
        graph = self._graph
        if sum(node.op in _VIEWS for node in graph.nodes) < 2:
            return graph
        self._shapes = dict(infer_shapes(graph))
        nodes = [new for node in graph.nodes for new in self._rewritten(node)]
        if len(self._constants) == len(graph.constants):
            return graph
        return graph.replace(nodes=tuple(nodes), constants=self._constants)

    def _rewritten(self, node: Node) -> tuple[Node, ...]:
        """The nodes in the place of one."""
        value = node.inputs[0] if node.inputs else ""
        source = self._sources.get(value, value)
        if node.op in _VIEWS and value not in self._graph.constants:
            self._sources[node.outputs[0]] = source
            return (node,) if source == value else (self._view(node.name, source, node.outputs[0]),)
        if node.op == "Softmax" and source != value and self._keeps_last(node, source, value):
            inner = self._fresh(f"{node.name}.before")
            self._shapes[inner] = self._shapes[source]
            self._sources[node.outputs[0]] = inner
            view = self._view(self._fresh(f"{node.name}.view"), inner, node.outputs[0])
            return Node(node.name, "Softmax", (source,), (inner,), {"axis": -1}), view
        return (node,)

    def _keeps_last(self, node: Node, source: str, value: str) -> bool:
        """Whether a Softmax is along the last axis, and a view leaves that axis as it is."""
        before, after = self._shapes[source], self._shapes[value]
        return node.attributes.get("axis", -1) in (-1, len(after) - 1) and before[-1] == after[-1]

    def _view(self, name: str, source: str, result: str) -> Node:
        """A Reshape of the source to the result's shape, the batch axis free."""
        import numpy as np

        target = self._fresh(f"{name}.to")
        self._constants[target] = np.array((0, *self._shapes[result][1:]), dtype=np.int64)
        return Node(name, "Reshape", (source, target), (result,))

    def _fresh(self, stem: str) -> str:
        name = fresh_name(stem, self._taken)
        self._taken.add(name)
        return name
