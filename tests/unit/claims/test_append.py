from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from ibpc.bounds import Weights, lower_rows
from ibpc.claims import append_claim, claim_node, label_name, logits_name
from ibpc.errors import InternalError, ModelMistake, Span
from ibpc.graph import Graph, Node
from ibpc.language.program import Claim, InputSet, Row

SPAN = Span("spec.ibp", 1, 1, 1, 2)


def argmax(size: int) -> Claim:
    ball = InputSet("ball", Fraction(1, 10))
    return Claim("robust", ball, size, (), True, False, "argmax", SPAN)


def net(size: int, value: str = "out", outputs: tuple[str, ...] = ()) -> Graph:
    node = Node("out", "Gemm", ("x", "w"), (value,), {"transB": 1})
    weight = np.ones((size, 2), dtype=np.float32)
    return Graph("net", {"x": (1, 2)}, outputs or (value,), (node,), {"w": weight})


def test_the_claim_is_one_more_node_and_its_value_the_only_output() -> None:
    graph = append_claim(net(3), argmax(3))
    assert graph.outputs == ("violation",)
    assert graph.inputs["label"] == (1,)
    assert claim_node(graph).inputs[:2] == ("out", "label")
    assert [graph.constants[name].shape for name in claim_node(graph).inputs[2:]] == [
        (3, 2, 3),
        (3, 2),
    ]
    assert (label_name(graph), logits_name(graph)) == ("label", "out")


def test_many_classes_need_no_table() -> None:
    graph = append_claim(net(65), argmax(65))
    assert claim_node(graph).op == "ibpc.ArgmaxRows"
    assert set(graph.constants) == {"w"}


def test_names_that_the_network_has_already_are_left_to_it() -> None:
    graph = append_claim(net(3, value="violation"), argmax(3))
    assert graph.outputs == ("violation_2",)
    assert logits_name(graph) == "violation"


def test_a_network_with_two_outputs_is_refused() -> None:
    with pytest.raises(ModelMistake, match="2 outputs"):
        append_claim(net(3, outputs=("out", "x")), argmax(3))


def test_asking_for_the_claim_of_a_bare_network_is_our_bug() -> None:
    with pytest.raises(InternalError, match="carries no claim"):
        claim_node(net(3))


def reading_the_input() -> Claim:
    row = Row(((0, Fraction(1)), (4, Fraction(-2))), Fraction(1, 2), strict=False)
    ball = InputSet("ball", Fraction(1, 10))
    return Claim("mixed", ball, 3, ((row,),), False, False, "mixed", SPAN, (), 2)


def test_rows_may_read_the_input_behind_the_output() -> None:
    """z[0] - 2 x[1] + 1/2, with z = x[0] + x[1] in every entry."""
    graph = append_claim(net(3), reading_the_input())
    x = torch.tensor([[0.25, 0.5], [1.0, -1.0]])
    found = lower_rows(graph, Weights(graph))(x, torch.zeros(2, dtype=torch.int64))
    torch.testing.assert_close(found, torch.tensor([[0.25], [2.5]]))


def test_a_network_with_two_inputs_is_refused_where_the_claim_reads_one() -> None:
    two = net(3).replace(inputs={"x": (1, 2), "u": (1, 2)})
    with pytest.raises(ModelMistake, match="2 inputs"):
        append_claim(two, reading_the_input())
