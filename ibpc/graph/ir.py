"""The IR: a small frozen dataflow graph, with a networkx view for its analyses.

Values are named; a node reads values and writes values; constants are named arrays (weights,
shapes). Axis 0 of every variable value is the batch axis: its extent is 1 here and means "any".
Nobody hangs results on nodes: an analysis returns a mapping from value name to fact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import networkx as nx
    import numpy as np

Shape = tuple[int, ...]

MAX_ENTRIES = 2**26
"""No value of a network, constant or not, has more: small files could ask for any memory."""


@dataclass(frozen=True)
class Node:
    """One operator applied: `outputs = op(inputs; attributes)`.

    `op` is the ONNX operator's name, or `ibpc.Name` for our own. An absent optional input is "".
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Nodes cross the pipe of a worker process; a read-only mapping cannot."""
        return Node, (self.name, self.op, self.inputs, self.outputs, dict(self.attributes))


@dataclass(frozen=True)
class Graph:
    """A network (and, where appended, its claim) in topological order.

    `inputs` maps each graph input to its shape, batch axis first with extent 1. `outputs` are
    value names. `metadata` holds what the file says of itself.
    """

    name: str
    inputs: Mapping[str, Shape]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("inputs", "constants", "metadata"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        """Graphs cross the pipe of a worker process; a read-only mapping cannot."""
        mappings = (dict(self.constants), dict(self.metadata))
        return Graph, (self.name, dict(self.inputs), self.outputs, self.nodes, *mappings)

    @cached_property
    def producer(self) -> Mapping[str, Node]:
        """The node that writes each variable value (graph inputs have none)."""
        return {output: node for node in self.nodes for output in node.outputs}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[tuple[Node, int], ...]]:
        """Who reads each value, and at which operand position."""
        readers: dict[str, list[tuple[Node, int]]] = {}
        for node in self.nodes:
            for position, value in enumerate(node.inputs):
                if value:
                    readers.setdefault(value, []).append((node, position))
        return {value: tuple(found) for value, found in readers.items()}

    @cached_property
    def flow(self) -> nx.DiGraph:
        """The graph for analyses: nodes are names of graph inputs and IR nodes.

        An edge goes from producer to consumer and carries `positions`, a tuple of
        (value, operand position): `Add(x, x)` is one edge with two positions. Frozen.
        """
        import networkx as nx

        flow = nx.DiGraph()
        flow.add_nodes_from(self.inputs, node=None)
        flow.add_nodes_from((node.name, {"node": node}) for node in self.nodes)
        for node in self.nodes:
            for position, value in enumerate(node.inputs):
                source = self._source_of(value)
                if source is None:
                    continue
                known = flow.get_edge_data(source, node.name, {"positions": ()})["positions"]
                flow.add_edge(source, node.name, positions=(*known, (value, position)))
        return nx.freeze(flow)

    def replace(self, **changes: Any) -> Graph:
        """A copy with some fields changed."""
        fields = ("name", "inputs", "outputs", "nodes", "constants", "metadata")
        return Graph(**{name: changes.get(name, getattr(self, name)) for name in fields})

    def _source_of(self, value: str) -> str | None:
        if value in self.inputs:
            return value
        producer = self.producer.get(value)
        return None if producer is None else producer.name


def fresh_name(stem: str, taken: Iterable[str]) -> str:
    """`stem`, or `stem_2`, `stem_3`, ... : the first that is not taken."""
    used = set(taken)
    name, number = stem, 1
    while name in used:
        number += 1
        name = f"{stem}_{number}"
    return name
