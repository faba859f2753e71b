"""The batch axis set apart: networks that were exported without one, or that move it about.

A file may say (12, 8) where we need (1, 12, 8), or turn (1, 118) into (118, 1) and back. Here every
value of the file is one value of the IR with the same numbers in row-major order: of the file's own
shape where that starts with the batch axis and the operator leaves it alone, else with an axis of
extent 1 put in front ("lifted"). Between the two forms stands a Reshape that moves no number, so
flat indices of inputs and outputs stay those of the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import IbpcError
from ibpc.graph import BATCH_AXIS, Node, fresh_name, mistake
from ibpc.ops import ShapeMistake, Site, Unsupported, operator
from ibpc.passes.infer_shapes import infer_shapes, own_shapes
from ibpc.passes.lifted import LIFTED

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Graph, Shape


def batch_apart(graph: Graph) -> Graph:
    """The graph with axis 0 of every varying value as the batch axis.

    Raises: ModelMistake (E0812) with the node that truly mixes the examples of a batch; as
    `infer_shapes` where operands do not fit or an operator is unknown.
    """
    try:
        infer_shapes(graph)
    except IbpcError:
        return Apart(graph).result()
    return graph


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

    def result(self) -> Graph:
        """The rewritten graph."""
        for node in self.graph.nodes:
            found = own_shapes(self.graph, node, self.own)
            if any(self.varies(value) for value in node.inputs):
                self._rewrite(node, found)
            else:
                self.nodes.append(node)
            self.own.update(zip(node.outputs, found, strict=True))
        for value in self.graph.outputs:
            self._settle(value)
        return self.graph.replace(nodes=tuple(self.nodes), constants=self.constants)

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

    def _rewrite(self, node: Node, found: tuple[Shape, ...]) -> None:
        """A node with varying operands: as it is where its rule allows that, else lifted."""
        why = self._why_not(node, found)
        if not why:
            inputs = tuple(
                self.view(value, self.own[value]) if self.varies(value) else value
                for value in node.inputs
            )
            self.emit(Node(node.name, node.op, inputs, node.outputs, node.attributes), *found)
            return
        rule = LIFTED.get(node.op)
        if rule is None or not rule(self, node, found):
            problem = f"node `{node.name}` ({node.op}): {why}"
            fix = "export the network with one batch axis in front, of size 1 or open"
            raise mistake(BATCH_AXIS, self.graph.name, problem, fix)

    def _why_not(self, node: Node, found: tuple[Shape, ...]) -> str:
        """Why a node cannot stay as it is; empty where it can."""
        for value in node.inputs:
            if self.varies(value) and self.own[value][:1] != (1,):
                return f"axis 0 of `{value}`, shape {list(self.own[value])}, is no batch axis"
        values = tuple(self.graph.constants.get(value) for value in node.inputs)
        shapes = tuple(self.own[value] if value else None for value in node.inputs)
        try:
            kept = operator(node.op).shape(
                Site(node.name, node.op, node.attributes, shapes, values)
            )
        except Unsupported as reason:
            return reason.why
        except ShapeMistake as wrong:
            return wrong.problem
        if any(shape[:1] != (1,) for shape in kept[: len(found)]):
            return "it takes the batch axis (axis 0) away"
        return ""

    def _settle(self, value: str) -> None:
        """A lifted output whose own first axis can be the batch axis gets its own shape back."""
        own = self.own[value]
        if not self.varies(value) or own[:1] != (1,) or self.now[value] == own:
            return
        inner = self.fresh(f"{value}.lifted")
        self.nodes = [_renamed(node, value, inner) for node in self.nodes]
        self.now[inner] = self.now[value]
        self.emit(self.reshaped(self.fresh(f"{value}.own"), inner, value, own), own)


def _renamed(node: Node, old: str, new: str) -> Node:
    """The node with one value under another name."""
    if old not in node.inputs and old not in node.outputs:
        return node
    inputs, outputs = (
        tuple(new if value == old else value for value in values)
        for values in (node.inputs, node.outputs)
    )
    return Node(node.name, node.op, inputs, outputs, node.attributes)
