from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ibpc.errors import InternalError
from ibpc.graph import Graph, Node, broken_laws, check_law


def graph(*nodes: Node, inputs=None, outputs=("y",), constants=None) -> Graph:
    return Graph("g", {"x": (1, 2)} if inputs is None else inputs, outputs, nodes, constants or {})


def relu(name: str, source: str, result: str) -> Node:
    return Node(name, "Relu", (source,), (result,))


def test_a_lawful_graph_passes(chain: Graph) -> None:
    check_law(chain)


def test_the_same_operand_twice_is_lawful() -> None:
    check_law(graph(Node("a", "Add", ("x", "x"), ("y",))))


BROKEN = {
    "there is no graph input": graph(relu("a", "c", "y"), inputs={}, constants={"c": np.ones(2)}),
    "there is no graph output": graph(relu("a", "x", "y"), outputs=()),
    "output `z` is written by nothing": graph(relu("a", "x", "y"), outputs=("z",)),
    "output `y` is listed twice": graph(relu("a", "x", "y"), outputs=("y", "y")),
    "two nodes are named `a`": graph(relu("a", "x", "b"), relu("a", "b", "y")),
    "a node Relu has no name": graph(relu("", "x", "y")),
    "node `x` is named like a graph input": graph(relu("x", "x", "y")),
    "value `y` is written twice": graph(relu("a", "x", "y"), relu("b", "x", "y")),
    "value `x` is written twice": graph(relu("a", "x", "x"), outputs=("x",)),
    "`x` is a graph input and a constant": graph(relu("a", "x", "y"), constants={"x": np.ones(2)}),
    "node `a` reads `q`, which nothing before it writes": graph(relu("a", "q", "y")),
    "node `a` has an output without a name": graph(relu("a", "x", ""), relu("b", "x", "y")),
    "constant `c` holds NaN": graph(relu("a", "c", "y"), constants={"c": np.array([np.nan])}),
    "constant `c` is a list, not an array": graph(relu("a", "c", "y"), constants={"c": [1.0]}),
    "input `x` has shape (2, 2)": graph(relu("a", "x", "y"), inputs={"x": (2, 2)}),
    "there is a cycle: `a` -> `b` -> `a`": graph(relu("a", "y", "z"), relu("b", "z", "y")),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_each_breach_has_its_sentence(sentence: str) -> None:
    assert any(sentence in breach for breach in broken_laws(BROKEN[sentence]))
    with pytest.raises(InternalError, match="graph `g` breaks the law"):
        check_law(BROKEN[sentence])


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = "numpy torch onnx onnxruntime networkx mip"
    code = f"import sys, ibpc.graph; print([m for m in '{heavy}'.split() if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
