"""Shape inference: the static facts of every node and value, from the operators' shape rules.

ONNX files carry hardly any shapes, so this runs over every graph. The facts are returned; nothing
is written into the graph.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, UnsupportedOperator
from ibpc.graph import BATCH_AXIS, EXPORT_AGAIN, MAX_ENTRIES, SHAPES, SMALLER, TOO_LARGE, mistake
from ibpc.ops import ShapeMistake, Site, Unsupported, operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.errors import ModelMistake
    from ibpc.graph import Graph, Node, Shape

_UNSUPPORTED = "E0702"


def infer_shapes(graph: Graph) -> dict[str, Shape]:
    """The shape of every value, constants included; batch axes have extent 1.

    Raises: ModelMistake (E0811) where operands do not fit, with the node and its operands;
    ModelMistake (E0802) where a value is too large; ModelMistake (E0812)
    where a value has lost its batch axis; UnsupportedOperator.
    """
    return _walk(graph)[0]


def sites(graph: Graph) -> dict[str, Site]:
    """What facets may branch on, by node name.  Raises: as `infer_shapes`."""
    return _walk(graph)[1]


def _walk(graph: Graph) -> tuple[dict[str, Shape], dict[str, Site]]:
    shapes: dict[str, Shape] = dict(graph.inputs)
    shapes.update((name, tuple(array.shape)) for name, array in graph.constants.items())
    found: dict[str, Site] = {}
    varying = set(graph.inputs)
    for node in graph.nodes:
        site = _site(graph, node, shapes)
        results = _results(graph, node, site)
        if varying.intersection(node.inputs):
            _check_batch_axis(graph, node, results)
            varying.update(node.outputs)
        shapes.update(zip(node.outputs, results, strict=False))
        found[node.name] = Site(
            site.name, site.op, site.attributes, site.shapes, site.values, results
        )
    return shapes, found


def own_shapes(graph: Graph, node: Node, shapes: Mapping[str, Shape]) -> tuple[Shape, ...]:
    """What ONNX says of a node's outputs, where no axis is the batch axis.

    `shapes` are those of its operands in the file, an open batch axis being 1.
    Raises: as `infer_shapes`.
    """
    import numpy as np

    # Shape rules keep the batch axis of varying operands apart: a stand-in of ones does not vary.
    first = len(node.inputs) if node.op in _OF_VALUES else 1
    values = tuple(
        np.broadcast_to(np.float32(1), shapes[value])
        if value and place < first and value not in graph.constants
        else graph.constants.get(value)
        for place, value in enumerate(node.inputs)
    )
    site = _site(graph, node, shapes)
    return _results(graph, node, Site(site.name, site.op, site.attributes, site.shapes, values))


_OF_VALUES = frozenset(
    {"Add", "Concat", "Div", "Equal", "Gemm", "Greater", "Less", "MatMul", "Max", "Min", "Mul"}
    | {"Pow", "Sub", "Where"}
)
"""Operators whose operands are all values; elsewhere those after the first say what to do."""


def _site(graph: Graph, node: Node, shapes: Mapping[str, Shape]) -> Site:
    return Site(
        name=node.name,
        op=node.op,
        attributes=node.attributes,
        shapes=tuple(shapes[value] if value else None for value in node.inputs),
        values=tuple(graph.constants.get(value) for value in node.inputs),
    )


def _results(graph: Graph, node: Node, site: Site) -> tuple[Shape, ...]:
    """The shapes of a node's outputs; what goes wrong is said with its place."""
    where = f"{graph.name}: node `{node.name}` ({node.op})"
    try:
        results: tuple[Shape, ...] = operator(node.op).shape(site)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # strides of 0, ...
        problem = f"node `{node.name}` ({node.op}): its attributes make no sense"
        note = f"{type(error).__name__}: {error}"
        raise mistake(SHAPES, graph.name, problem, "export the network again", (note,)) from error
    except ShapeMistake as wrong:
        notes = tuple(
            f"operand `{value}` has shape {list(shape)}"
            for value, shape in zip(node.inputs, site.shapes, strict=True)
            if shape is not None
        )
        problem = f"node `{node.name}` ({node.op}): {wrong.problem}"
        raise mistake(SHAPES, graph.name, problem, wrong.fix or EXPORT_AGAIN, notes) from wrong
    except Unsupported as reason:
        raise UnsupportedOperator(Diagnostic(_UNSUPPORTED, f"{where}: {reason.why}")) from reason
    except UnsupportedOperator as unknown:
        told = unknown.diagnostics[0]
        problem = f"{where}: {told.problem}"
        raise UnsupportedOperator(Diagnostic(told.code, problem, fix=told.fix)) from unknown
    if len(results) < len(node.outputs):
        surplus = ", ".join(f"`{value}`" for value in node.outputs[len(results) :])
        problem = f"{where}: the output {surplus} of this operator is not supported"
        raise UnsupportedOperator(Diagnostic(_UNSUPPORTED, problem))
    results = tuple(results[: len(node.outputs)])
    if any(min(shape, default=0) < 0 for shape in results):
        problem = f"node `{node.name}` ({node.op}): its result would have the shape {results[0]}"
        raise mistake(SHAPES, graph.name, problem, EXPORT_AGAIN)
    if any(prod(shape) > MAX_ENTRIES for shape in results):
        raise too_large(graph, node, max(map(prod, results)))
    return results


def too_large(graph: Graph, node: Node, entries: float) -> ModelMistake:
    """The mistake of a value that nobody has the memory for."""
    problem = f"node `{node.name}` ({node.op}) gives {entries:.3g} numbers, the limit is 2^26"
    return mistake(TOO_LARGE, graph.name, problem, SMALLER)


def _check_batch_axis(graph: Graph, node: Node, results: tuple[Shape, ...]) -> None:
    """Every varying value keeps axis 0 for the examples of a batch."""
    for value, shape in zip(node.outputs, results, strict=True):
        if not shape or shape[0] != 1:
            problem = f"node `{node.name}` ({node.op}) gives `{value}` the shape {list(shape)}"
            fix = "axis 0 must stay the batch axis: export the network with it in front throughout"
            raise mistake(BATCH_AXIS, graph.name, problem, fix)
