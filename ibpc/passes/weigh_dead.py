"""What nobody reads must be small: onnxruntime, the referee, computes it all the same.

What is read has its shape inferred by our own rules once it is known to be needed. Of the rest,
operators that ibpc has no record for included, onnx's own shape inference tells the size.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ibpc.errors import IbpcError
from ibpc.graph import MAX_ENTRIES, TOO_LARGE, mistake
from ibpc.passes.drop_dead import drop_dead
from ibpc.passes.infer_shapes import own_shapes, too_large
from ibpc.passes.standard_shapes import standard_shapes

if TYPE_CHECKING:
    from ibpc.graph import Graph, Node, Shape


def weigh_dead(graph: Graph) -> Graph:
    """The same graph.

    Raises: ModelMistake (E0802) where a value that nobody reads is too large, or of unknown size.
    """
    needed = {node.name for node in drop_dead(graph).nodes}
    if len(needed) == len(graph.nodes):
        return graph
    shapes: dict[str, Shape] = dict(graph.inputs)
    shapes.update((name, tuple(array.shape)) for name, array in graph.constants.items())
    for node in graph.nodes:
        found = _shapes(graph, node, shapes)
        if found is None and node.name not in needed:
            problem = f"nobody reads what node `{node.name}` ({node.op}) computes"
            note = "how much it computes cannot be told"
            raise mistake(TOO_LARGE, graph.name, problem, "remove the node", (note,))
        for shape in found or ():
            if prod(shape) > MAX_ENTRIES:
                raise too_large(graph, node, prod(shape))
        shapes.update(zip(node.outputs, found or (), strict=False))
    return graph


def _shapes(graph: Graph, node: Node, shapes: dict[str, Shape]) -> tuple[Shape, ...] | None:
    """The shapes of a node's outputs; None where they cannot be told."""
    if any(value and value not in shapes for value in node.inputs):
        return None
    try:
        return own_shapes(graph, node, shapes)
    except IbpcError as error:
        if any(diagnostic.code == TOO_LARGE for diagnostic in error.diagnostics):
            raise
    operands = {value for value in node.inputs if value}
    held = {value: graph.constants[value] for value in operands if value in graph.constants}
    return standard_shapes(node, held, {value: shapes[value] for value in operands - set(held)})
