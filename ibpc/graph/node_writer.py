"""Several nodes in the place of one, with fresh names and constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph.ir import Node, fresh_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


class NodeWriter:
    """Collects the nodes that stand for one node, and the constants that they need."""

    def __init__(
        self, node: Node, constants: dict[str, np.ndarray], taken: set[str], element: Any
    ) -> None:
        self.node, self._constants, self._taken, self._element = node, constants, taken, element
        self.nodes: list[Node] = []

    def apply(self, op: str, *inputs: str, **attributes: Any) -> str:
        """The value of a new node."""
        name = fresh_name(f"{self.node.name}.{op}", self._taken)
        self._taken.add(name)
        self.nodes.append(Node(name, op, inputs, (name,), attributes))
        return name

    def constant(self, stem: str, numbers: ArrayLike) -> str:
        """A new constant."""
        import numpy as np

        name = fresh_name(f"{self.node.name}.{stem}", self._taken)
        self._taken.add(name)
        self._constants[name] = np.array(numbers, dtype=self._element)
        return name

    def finish(self) -> list[Node]:
        """The nodes; the last one takes the name and the output of the node that they stand for."""
        last = self.nodes[-1]
        named = Node(self.node.name, last.op, last.inputs, self.node.outputs[:1], last.attributes)
        return [*self.nodes[:-1], named]
