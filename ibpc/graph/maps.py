"""Affine maps around a third-party network: the spec's units outside, the file's inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, ModelMistake
from ibpc.graph.ir import Graph, Node, fresh_name

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph.ir import Shape
    from ibpc.language import AffineMap


def attach_maps(graph: Graph, before: AffineMap | None, after: AffineMap | None) -> Graph:
    """The network x -> after(net(before(x))), as one graph with Mul and Sub nodes at its ends.

    The maps work entry by entry, so that normalisation is inside what is verified. Shapes: the
    input's are the graph's; an output with a map of its own is a vector (batch, n).
    Raises: ModelMistake where the graph has several inputs (outputs) and a map for "the" one.
    """
    if before is not None:
        graph = _attach_before(graph, before)
    if after is not None:
        graph = _attach_after(graph, after)
    return graph


def _attach_before(graph: Graph, mapping: AffineMap) -> Graph:
    name = _only(graph, tuple(graph.inputs), "input")
    taken = _names(graph)
    inner = fresh_name(f"{name}_mapped", taken)
    constants, nodes = _map_nodes(mapping, name, inner, graph.inputs[name], taken | {inner})
    renamed = tuple(
        Node(
            node.name,
            node.op,
            tuple(inner if value == name else value for value in node.inputs),
            node.outputs,
            node.attributes,
        )
        for node in graph.nodes
    )
    return graph.replace(nodes=nodes + renamed, constants={**graph.constants, **constants})


def _attach_after(graph: Graph, mapping: AffineMap) -> Graph:
    name = _only(graph, graph.outputs, "output")
    shape = (1, max(len(mapping.scale), len(mapping.offset)))
    taken = _names(graph)
    outer = fresh_name(f"{name}_mapped", taken)
    constants, nodes = _map_nodes(mapping, name, outer, shape, taken | {outer})
    return graph.replace(
        nodes=graph.nodes + nodes,
        constants={**graph.constants, **constants},
        outputs=(outer,),
    )


def _map_nodes(
    mapping: AffineMap, source: str, target: str, shape: Shape, taken: set[str]
) -> tuple[dict[str, np.ndarray], tuple[Node, ...]]:
    """Mul by the scale, then Sub of the negated offset: an Add's constant would be trained."""
    import numpy as np

    scale = fresh_name(f"{target}.scale", taken)
    offset = fresh_name(f"{target}.offset", taken)
    middle = fresh_name(f"{target}_scaled", taken)
    constants = {}
    for name, entries in (
        (scale, mapping.scale),
        (offset, tuple(-entry for entry in mapping.offset)),
    ):
        values = np.array([float(entry) for entry in entries], dtype=np.float32)
        constants[name] = values if values.size == 1 else values.reshape(shape)
    return constants, (
        Node(middle, "Mul", (source, scale), (middle,)),
        Node(target, "Sub", (middle, offset), (target,)),
    )


def _names(graph: Graph) -> set[str]:
    used = {node.name for node in graph.nodes} | set(graph.constants) | set(graph.inputs)
    return used | set(graph.producer)


def _only(graph: Graph, names: tuple[str, ...], kind: str) -> str:
    """The one input or output that a map can mean."""
    if len(names) != 1:
        raise ModelMistake(
            Diagnostic(
                "E0830",
                f"`{graph.name}` has {len(names)} {kind}s; `{kind} = ...` speaks of one",
                fix=f"leave out the {kind} map, or use a network with one {kind}",
            )
        )
    return names[0]
