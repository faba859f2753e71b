"""Nodes whose operands are all constant are computed once, now.

The values are those of `onnx.reference`, the standard's own evaluator: types are kept, and
operators that ibpc has no record for (shape arithmetic of exporters) are folded too. The shape of
a value is constant, an open batch axis being 1.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ibpc.errors import IbpcError
from ibpc.graph import MAX_ENTRIES, OPSET, SHAPES, mistake
from ibpc.passes.infer_shapes import own_shapes, too_large
from ibpc.passes.standard_shapes import as_onnx, standard_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.graph import Graph, Node, Shape

_RANDOM = ("Random", "Bernoulli", "Multinomial", "Dropout")


def fold_constants(graph: Graph) -> Graph:
    """The graph with constants in the place of nodes that only read constants, or only shapes.

    Raises: ModelMistake where such a node cannot be computed (E0811) or gives too much (E0802).
    """
    constants: dict[str, np.ndarray] = dict(graph.constants)
    shapes = _Shapes(graph, constants)
    kept: list[Node] = []
    for node in graph.nodes:
        found = _measured(node, shapes) or _computed(graph, node, constants)
        if found is None:
            kept.append(node)
            shapes.learn(node)
        else:
            constants.update(zip(node.outputs, found, strict=True))
    if len(kept) == len(graph.nodes):
        return graph
    return graph.replace(nodes=tuple(kept), constants=constants)


class _Shapes:
    """The shapes of varying values, followed through the graph where one of them is asked for."""

    def __init__(self, graph: Graph, constants: Mapping[str, np.ndarray]) -> None:
        self._graph, self._constants = graph, constants
        self._asked = any(node.op in _MEASURES for node in graph.nodes)
        self.known: dict[str, Shape] = dict(graph.inputs)

    def learn(self, node: Node) -> None:
        """The shapes of a node's outputs, if they can be told."""
        operands = {value for value in node.inputs if value}
        shapes = {
            value: self._constants[value].shape if value in self._constants else self.known[value]
            for value in operands
            if value in self._constants or value in self.known
        }
        if not self._asked or len(shapes) < len(operands):
            return
        try:
            found = own_shapes(self._graph.replace(constants=self._constants), node, shapes)
        except IbpcError:
            return  # said with its place where shapes are inferred for good
        self.known.update(zip(node.outputs, found, strict=True))


_MEASURES = ("Shape", "Size")


def _measured(node: Node, shapes: _Shapes) -> list[np.ndarray] | None:
    """The value of a node that asks for the shape, or the size, of a varying value."""
    import numpy as np

    if node.op not in _MEASURES or node.inputs[0] not in shapes.known:
        return None
    shape = shapes.known[node.inputs[0]]
    if node.op == "Size":
        return [np.array(prod(shape), dtype=np.int64)]
    start, end = node.attributes.get("start", 0), node.attributes.get("end", len(shape))
    return [np.array(shape[start:end], dtype=np.int64)]


def _computed(
    graph: Graph, node: Node, constants: Mapping[str, np.ndarray]
) -> list[np.ndarray] | None:
    """The outputs of a node that only reads constants."""
    operands = {value: constants.get(value) for value in node.inputs if value}
    known = {value: array for value, array in operands.items() if array is not None}
    if len(known) < len(operands) or not _foldable(graph, node, known):
        return None
    return _evaluate(graph, node, known)


def _foldable(graph: Graph, node: Node, operands: dict[str, np.ndarray]) -> bool:
    """Whether a node is an ONNX function of its operands, with results of known sizes.

    Raises: ModelMistake where one is too large.
    """
    if not operands or "." in node.op or node.op.startswith(_RANDOM):
        return False
    shapes = standard_shapes(node, operands, {})
    if shapes is not None and max(map(prod, shapes)) > MAX_ENTRIES:
        raise too_large(graph, node, max(map(prod, shapes)))
    return shapes is not None


def _evaluate(graph: Graph, node: Node, operands: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The node's outputs."""
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    try:
        evaluator = ReferenceEvaluator(as_onnx(node), opsets={"": OPSET})
        return [np.asarray(array) for array in evaluator.run(None, operands)]
    except Exception as error:  # the evaluator's operators raise whatever numpy raises
        problem = f"node `{node.name}` ({node.op}) has constant operands and cannot be computed"
        note = " ".join(str(error).split())[:200]
        raise mistake(SHAPES, graph.name, problem, notes=(note,)) from error
