"""Interval bounds of the hidden units: what the warm-up's regularisers look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibpc.ops import operator

if TYPE_CHECKING:
    import torch

    from ibpc.bounds import Weights
    from ibpc.graph import Graph


@dataclass(frozen=True, slots=True)
class Inner:
    """Bounds before each activation, centre +- radius, and the radius of the input's box.

    Shapes: radius (batch, *in dims); in each of `layers`, centre and radius (batch, *dims).
    """

    radius: torch.Tensor
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]


def pre_activations(graph: Graph) -> tuple[str, ...]:
    """The operands of the activations, each once, in the graph's order.

    An activation is a node with one operand that varies and is no affine function of it; pooling,
    which mixes units, is none.
    """
    varying, found = set(graph.inputs), dict[str, None]()
    for node in graph.nodes:
        operands = [name for name in node.inputs if name in varying]
        if not operands:
            continue
        varying.update(node.outputs)
        record = operator(node.op)
        if record.affine or len(operands) > 1 or "Pool" in node.op or node.op.startswith("ibpc."):
            continue
        found[operands[0]] = None
    return tuple(found)


def value_bounds(
    graph: Graph, weights: Weights, box: tuple[torch.Tensor, torch.Tensor]
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Interval bounds of every value over a box (Eq. 5), by name; shapes (batch, *dims)."""
    from ibpc.bounds import lower_values

    program, names = lower_values(graph, weights)
    found = program(*box)
    return dict(zip(names, zip(found[::2], found[1::2], strict=True), strict=True))
