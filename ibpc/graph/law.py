"""The law of the IR, kept by every reader and every pass.

1. Names of nodes are not empty, differ from each other and from names of graph inputs.
2. Every value is written once: as a graph input, a constant, or one node's output.
3. Every operand exists and is written before it is read (so there is no cycle).
4. There is a graph input and an output; outputs are values, each named once.
5. Constants are arrays, and no constant holds NaN.
6. A graph input has a shape with the batch axis first, extent 1, and positive extents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.graph.ir import Graph


def check_law(graph: Graph) -> None:
    """Raise InternalError with everything that is wrong with a graph of our own making."""
    broken = broken_laws(graph)
    if broken:
        raise InternalError(f"graph `{graph.name}` breaks the law: " + "; ".join(broken))


def broken_laws(graph: Graph) -> tuple[str, ...]:
    """A sentence for each breach; empty for a lawful graph."""
    return (*_names(graph), *_inputs(graph), *_values(graph), *_outputs(graph), *_arrays(graph))


def _names(graph: Graph) -> Iterator[str]:
    seen = set(graph.inputs)
    for node in graph.nodes:
        if not node.name:
            yield f"a node {node.op} has no name"
        elif node.name in graph.inputs:
            yield f"node `{node.name}` is named like a graph input"
        elif node.name in seen:
            yield f"two nodes are named `{node.name}`"
        seen.add(node.name)


def _inputs(graph: Graph) -> Iterator[str]:
    if not graph.inputs:
        yield "there is no graph input"
    for name, shape in graph.inputs.items():
        if not shape or shape[0] != 1 or min(shape) < 1:
            yield f"input `{name}` has shape {shape}: the batch axis comes first, with extent 1"


def _values(graph: Graph) -> Iterator[str]:
    written = set(graph.inputs) | set(graph.constants)
    for name in graph.inputs:
        if name in graph.constants:
            yield f"value `{name}` is a graph input and a constant"
    late = False
    for node in graph.nodes:
        for value in node.inputs:
            if value and value not in written:
                late = late or value in graph.producer
                yield f"node `{node.name}` reads `{value}`, which nothing before it writes"
        for value in node.outputs:
            if not value:
                yield f"node `{node.name}` has an output without a name"
            elif value in written:
                yield f"value `{value}` is written twice (again by node `{node.name}`)"
            written.add(value)
    if late:
        yield from _cycle(graph)


def _cycle(graph: Graph) -> Iterator[str]:
    """Name the nodes of a cycle, if there is one."""
    import networkx as nx

    try:
        edges = nx.find_cycle(graph.flow)
    except nx.NetworkXNoCycle:
        return
    path = [edge[0] for edge in edges]
    yield "there is a cycle: " + " -> ".join(f"`{name}`" for name in [*path, path[0]])


def _outputs(graph: Graph) -> Iterator[str]:
    if not graph.outputs:
        yield "there is no graph output"
    for name in graph.outputs:
        if name not in graph.producer and name not in graph.inputs and name not in graph.constants:
            yield f"output `{name}` is written by nothing"
    for name in sorted({name for name in graph.outputs if graph.outputs.count(name) > 1}):
        yield f"output `{name}` is listed twice"


def _arrays(graph: Graph) -> Iterator[str]:
    import numpy as np

    for name, array in graph.constants.items():
        if not isinstance(array, np.ndarray):
            yield f"constant `{name}` is a {type(array).__name__}, not an array"
        elif array.dtype.kind == "f" and np.isnan(array).any():
            yield f"constant `{name}` holds NaN"
