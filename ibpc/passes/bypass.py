"""Taking out nodes that pass their first operand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibpc.graph import Graph


def bypass(graph: Graph, chosen: Iterable[Node]) -> Graph:
    """The graph without the chosen nodes; who read their first output reads their first operand.

    The graph's outputs keep their names: where a chosen node writes one, the value that it passes
    on is renamed. The node stays where that cannot be (its operand is an input, a constant, or an
    output itself). `chosen` is in topological order; other outputs of these nodes are unread.
    """
    passed: dict[str, str] = {}  # value of a dropped node -> the value that it passes on
    renamed: dict[str, str] = {}  # value -> the graph output's name that it takes over
    dropped: set[str] = set()
    for node in chosen:
        source, result = passed.get(node.inputs[0], node.inputs[0]), node.outputs[0]
        if result in graph.outputs:
            if source not in graph.producer or source in graph.outputs or source in renamed:
                continue
            renamed[source] = result
        passed[result] = source
        dropped.add(node.name)
    if not dropped:
        return graph

    def now(value: str) -> str:
        source = passed.get(value, value)
        return renamed.get(source, source)

    nodes = tuple(
        Node(
            node.name,
            node.op,
            tuple(now(value) for value in node.inputs),
            tuple(renamed.get(value, value) for value in node.outputs),
            node.attributes,
        )
        for node in graph.nodes
        if node.name not in dropped
    )
    return graph.replace(nodes=nodes)
