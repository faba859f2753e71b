"""A declared network to IR, with its first weights.

Names in the graph are those of the plan: a node's value has the node's name, and its weights are
named after their role (`conv1.weight`, `conv1.bias`), so that what a file shows is what the spec
says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph.initialise import initial_weight
from ibpc.graph.ir import Graph, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.language import DeclaredNet, PlannedNode, Weight

INPUT = "x"


def emit(
    net: DeclaredNet,
    seed: int,
    initialiser: str = "orthogonal",
    arguments: Mapping[str, Any] | None = None,
) -> Graph:
    """The network as a graph; weights are drawn with `initialiser(**arguments)` from `seed`.

    The metadata says how: keys `ibpc.net`, `ibpc.seed`, `ibpc.initialiser`.
    """
    given = dict(arguments or {})
    constants = {
        f"{planned.name}.{weight.role}": _weight(weight, planned, initialiser, given, seed)
        for planned in net.nodes
        for weight in planned.template.weights
    }
    settings = ", ".join(f"{key} = {value}" for key, value in sorted(given.items()))
    return Graph(
        name=net.name,
        inputs={INPUT: (1, *net.input.shape)},
        outputs=(net.nodes[-1].name,),
        nodes=tuple(_node(planned) for planned in net.nodes),
        constants=constants,
        metadata={
            "ibpc.net": net.name,
            "ibpc.seed": str(seed),
            "ibpc.initialiser": f"{initialiser}({settings})",
        },
    )


def _node(planned: PlannedNode) -> Node:
    weights = tuple(f"{planned.name}.{weight.role}" for weight in planned.template.weights)
    attributes = {key: _plain(value) for key, value in planned.template.attributes.items()}
    return Node(
        planned.name,
        planned.template.op,
        (*planned.inputs, *weights),
        (planned.name,),
        attributes,
    )


def _plain(value: Any) -> Any:
    """An attribute as a file gives it back: tuples for lists, floats that are float32."""
    import numpy as np

    if isinstance(value, list | tuple):
        return tuple(_plain(entry) for entry in value)
    return value if isinstance(value, int | str) else float(np.float32(float(value)))


def _weight(
    weight: Weight, planned: PlannedNode, initialiser: str, given: Mapping[str, Any], seed: int
) -> np.ndarray:
    """The first value of one weight."""
    import numpy as np

    if weight.init == "weight":
        name = f"{planned.name}.{weight.role}"
        return initial_weight(initialiser, given, seed, name, weight.shape)
    if weight.init == "values":
        number = int if np.dtype(weight.dtype).kind in "iu" else float
        flat = [number(value) for value in weight.values]
        return np.array(flat, dtype=weight.dtype).reshape(weight.shape)
    fill = {"zeros": np.zeros, "ones": np.ones}[weight.init]
    return np.asarray(fill(weight.shape, dtype=weight.dtype))
