"""Walks a prepared graph and lets each operator's MILP facet encode itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, InternalError, UnsupportedOperator
from ibpc.milp.encoder import ArrayEncoder
from ibpc.milp.encoding import Encoding, refuse_doubt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from ibpc.domains import LinearForm
    from ibpc.graph import Graph, Node

    Start = Callable[[ArrayEncoder], LinearForm]

LABEL = "label"
"""The graph input that a claim brings (the datum's label)."""


def encode(
    graph: Graph,
    label: int,
    lower: np.ndarray,
    upper: np.ndarray,
    bounds: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    relaxed: bool = False,
    start: Start | None = None,
) -> Encoding:
    """The graph over the box [lower, upper], its only output as goals.

    `graph` is prepared for evaluation and carries its claim; `bounds` maps values to sound
    elementwise bounds that cut the forms' own. `start` makes the input's variables and rows where
    the set is less than its box. Shapes: lower, upper as the input, or flat.
    Raises UnsupportedOperator where an operator has no MILP facet, NumericalDoubt where bounds
    are not finite or cross.
    """
    import numpy as np

    from ibpc.ops import operator
    from ibpc.passes import sites

    graph = with_label(graph, label)
    encoder = ArrayEncoder(relaxed)
    lower = np.asarray(lower, dtype=np.float64).reshape(-1)
    upper = np.asarray(upper, dtype=np.float64).reshape(-1)
    refuse_doubt(lower, upper, "the input set")
    values: dict[str, Any] = {name: np.asarray(array) for name, array in graph.constants.items()}
    name, shape = _only_input(graph)
    entry = encoder.continuous(lower, upper) if start is None else start(encoder)
    inputs = encoder.columns
    values[name] = entry.within(lower, upper).take(np.arange(len(lower)), shape)
    known = {} if bounds is None else bounds
    places = sites(graph)
    for node in graph.nodes:
        facet = operator(node.op).milp
        if not callable(facet):
            raise _unsupported(node, facet.why)
        operands = [values[operand] if operand else None for operand in node.inputs]
        result = facet(places[node.name], *operands)
        results = result if isinstance(result, tuple) else (result,)
        for output, form in zip(node.outputs, results, strict=False):
            values[output] = _cut(form, known.get(output), output)
    return encoder.finish(inputs, values[graph.outputs[0]])


def with_label(graph: Graph, label: int) -> Graph:
    """The graph with the claim's label as a constant."""
    import numpy as np

    if LABEL not in graph.inputs:
        return graph
    inputs = {name: shape for name, shape in graph.inputs.items() if name != LABEL}
    constants = {**graph.constants, LABEL: np.array([label], dtype=np.int64)}
    return graph.replace(inputs=inputs, constants=constants)


def _only_input(graph: Graph) -> tuple[str, tuple[int, ...]]:
    if len(graph.inputs) != 1:
        names = ", ".join(graph.inputs)
        problem = f"the MILP encoding takes networks with one input, this has: {names}"
        raise UnsupportedOperator(Diagnostic("E0753", problem, fix="export it with one input"))
    return next(iter(graph.inputs.items()))


def _cut(form: LinearForm, known: tuple[np.ndarray, np.ndarray] | None, value: str) -> LinearForm:
    if known is not None:
        refuse_doubt(*known, f"value {value}")
        form = form.within(*known)
    if len(form.bias) != len(form.lower):
        raise InternalError(f"the bounds of {value} have {len(form.lower)} entries")
    refuse_doubt(form.lower, form.upper, f"value {value}")
    return form


def _unsupported(node: Node, why: str) -> UnsupportedOperator:
    problem = f"{node.op} (node {node.name}) has no MILP encoding"
    return UnsupportedOperator(Diagnostic("E0754", problem, fix=why))
