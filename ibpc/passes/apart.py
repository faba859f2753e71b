"""A graph on its way to one batch axis in front of every value that varies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import Node, fresh_name

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Graph, Shape


class Apart:
    """The graph being rewritten, node by node.

    `own[value]` is a value's shape in the file, `now[value]` its shape in the IR.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.own: dict[str, Shape] = dict(graph.inputs)
        self.own.update((name, tuple(array.shape)) for name, array in graph.constants.items())
        self.now: dict[str, Shape] = dict(graph.inputs)
        self.constants: dict[str, np.ndarray] = dict(graph.constants)
        self.nodes: list[Node] = []
        self._taken = {*self.own, *graph.producer, *(node.name for node in graph.nodes)}
        self._views: dict[tuple[str, Shape], str] = {}

    def varies(self, value: str) -> bool:
        """Whether a value depends on the input."""
        return value in self.now

    def emit(self, node: Node, *shapes: Shape) -> None:
        """Add a node whose outputs have these shapes in the IR."""
        self.nodes.append(node)
        self.now.update(zip(node.outputs, shapes, strict=True))

    def fresh(self, stem: str) -> str:
        """A name that nothing has yet."""
        name = fresh_name(stem, self._taken)
        self._taken.add(name)
        return name

    def hold(self, stem: str, array: np.ndarray) -> str:
        """The name of a new constant."""
        name = self.fresh(stem)
        self.constants[name] = array
        return name

    def view(self, value: str, shape: Shape) -> str:
        """The value under another shape of as many numbers; the batch axis stays free."""
        if self.now[value] == shape:
            return value
        if (value, shape) not in self._views:
            name = self.fresh(f"{value}.view")
            self.emit(self.reshaped(name, value, name, shape), shape)
            self._views[value, shape] = name
        return self._views[value, shape]

    def reshaped(self, name: str, value: str, result: str, shape: Shape) -> Node:
        """A Reshape to a shape whose axis 0 is the batch axis."""
        import numpy as np

        target = self.hold(f"{name}.to", np.array((0, *shape[1:]), dtype=np.int64))
        return Node(name, "Reshape", (value, target), (result,))
