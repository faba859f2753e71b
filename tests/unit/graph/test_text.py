from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ibpc.graph import Graph, Node, print_graph, structure_hash, weights_hash

GOLDEN = Path(__file__).parents[2] / "golden" / "graph"


def test_a_graph_prints_as_the_golden_text(
    chain: Graph, golden: Callable[[Path, str], None]
) -> None:
    shapes = {"fc1": (1, 3), "h": (1, 3), "y": (1, 3, 1)}
    golden(GOLDEN / "chain.ir", print_graph(chain, shapes))


def test_odd_names_and_attributes_print_unmistakably(golden: Callable[[Path, str], None]) -> None:
    attributes = {"mode": "edge", "scales": (1.5, float(np.float32(0.1)), 0.1), "k": True}
    odd = Node("a node", "Odd", ("x", "", "a\nb"), ("y", "z"), {**attributes, "t": np.zeros(2)})
    constants = {"a\nb": np.array([True, False]), "long": np.arange(9)}
    golden(GOLDEN / "odd.ir", print_graph(Graph("g 1", {"x": (1, 2)}, ("y",), (odd,), constants)))


def changed(graph: Graph, name: str, array: np.ndarray) -> Graph:
    return graph.replace(constants={**graph.constants, name: array})


def test_the_structure_does_not_see_weights_and_the_weights_do(chain: Graph) -> None:
    other = changed(chain, "fc1.bias", np.ones(3, np.float32))
    assert structure_hash(other) == structure_hash(chain)
    assert weights_hash(other) != weights_hash(chain)


def test_the_structure_sees_shapes_that_a_reshape_asks_for(chain: Graph) -> None:
    assert structure_hash(changed(chain, "to", np.array([0, 1, 3]))) != structure_hash(chain)


@pytest.mark.parametrize("dtype", [">f4", "F"])
def test_hashes_do_not_depend_on_the_layout_in_memory(chain: Graph, dtype: str) -> None:
    weight = chain.constants["fc1.weight"]
    other = weight.astype(">f4") if dtype == ">f4" else np.asfortranarray(weight)
    assert weights_hash(changed(chain, "fc1.weight", other)) == weights_hash(chain)
