"""Several networks, or one on several tensors, as one network over one input.

So a claim that compares outputs is a claim about one network, and every engine serves it.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, ModelMistake
from ibpc.graph.ir import Graph, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ibpc.graph.ir import Shape
    from ibpc.language import Application, Product

INPUT = "x"


def product_graph(product: Product, graphs: Sequence[Graph]) -> Graph:
    """The network x -> [f_1(x_1), f_2(x_2), ...], each f_i one of `graphs`, x_i entries of x.

    Applications of one network share its weights. Shapes: x (batch, *input); the output is flat,
    (batch, sum of outputs).
    Raises: ModelMistake (E0830) where a network has several inputs or outputs, or reads an input
    of another size.
    """
    for graph in graphs:
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            counts = f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs"
            problem = f"`{graph.name}` has {counts}; a claim over several networks reads one each"
            raise ModelMistake(Diagnostic("E0830", problem, at=product.span))
    builder = _Builder(product)
    for number, graph in enumerate(graphs):
        builder.constants |= {f"n{number}.{name}": one for name, one in graph.constants.items()}
    outputs = [
        builder.apply(place, application, graphs[application.network])
        for place, application in enumerate(product.applications)
    ]
    builder.nodes.append(Node("outputs", "Concat", tuple(outputs), ("outputs",), {"axis": 1}))
    inputs = {INPUT: (1, *product.input.shape)}
    nodes = tuple(builder.nodes)
    return Graph(product.name, inputs, ("outputs",), nodes, builder.constants)


class _Builder:
    """Nodes and constants of a product under way; names are prefixed, so that none clash."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}

    def apply(self, place: int, application: Application, graph: Graph) -> str:
        """The flat output of one application, in the names of place `place`."""
        (name, shape), own = next(iter(graph.inputs.items())), f"a{place}."
        weights = f"n{application.network}."
        names = {one: weights + one for one in graph.constants}
        names[name] = self._input(own, application, shape)

        def renamed(value: str) -> str:
            return names.get(value, own + value) if value else ""

        self.nodes += [
            Node(
                own + node.name,
                node.op,
                tuple(map(renamed, node.inputs)),
                tuple(own + value for value in node.outputs),
                node.attributes,
            )
            for node in graph.nodes
        ]
        return self._add(own + "flat_output", "Flatten", (renamed(graph.outputs[0]),), axis=1)

    def _input(self, own: str, application: Application, shape: Shape) -> str:
        """What an application reads: the input, or some of its entries, in its network's shape."""
        import numpy as np

        given = (1, *self._product.input.shape)
        entries, value = application.entries, INPUT
        count = prod(given) if entries is None else len(entries)
        if count != prod(shape):
            problem = f"the network reads {prod(shape)} numbers, the claim gives it {count}"
            raise ModelMistake(Diagnostic("E0830", problem, at=self._product.span))
        if entries is not None:
            self.constants[own + "entries"] = np.array(entries, dtype=np.int64)
            operands = (value, own + "entries")
            value, given = self._add(own + "input", "Gather", operands, axis=1), (1, count)
        if given == shape:
            return value
        self.constants[own + "shape"] = np.array((-1, *shape[1:]), dtype=np.int64)
        return self._add(own + "shaped", "Reshape", (value, own + "shape"))

    def _add(self, name: str, op: str, inputs: tuple[str, ...], **attributes: int) -> str:
        self.nodes.append(Node(name, op, inputs, (name,), attributes))
        return name
