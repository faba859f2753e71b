"""What a network is, as two hashes: its structure and its weights."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ibpc.graph.text import digest, print_graph

if TYPE_CHECKING:
    from ibpc.graph.ir import Graph

STRUCTURE_KEY = "ibpc.graph"
WEIGHTS_KEY = "ibpc.weights"


def structure_hash(graph: Graph) -> str:
    """The sha256 of the printed graph without weights and metadata."""
    return sha256(print_graph(graph, weights=False, metadata=False).encode()).hexdigest()


def weights_hash(graph: Graph) -> str:
    """The sha256 of all constants with their names."""
    lines = [f"{name} {digest(graph.constants[name])}\n" for name in sorted(graph.constants)]
    return sha256("".join(lines).encode()).hexdigest()
