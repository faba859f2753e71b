from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from ibpc.bounds import Weights, lower_interval, lower_rows, lower_violation
from ibpc.claims import append_claim, claim_node, logits_name
from ibpc.errors import Span
from ibpc.graph import Graph, Node
from ibpc.language.program import Claim, InputSet, Row
from ibpc.passes import elide

SPAN = Span("spec.ibp", 1, 1, 1, 2)
BALL = InputSet("ball", Fraction(1, 10))
HIDDEN = 6


def net(classes: int, kind: str) -> Graph:
    """One hidden layer, then the tail under test."""
    draws = np.random.default_rng(0)

    def constant(*shape: int) -> np.ndarray:
        return draws.standard_normal(shape)

    constants = {"h.weight": constant(HIDDEN, 3), "h.bias": constant(HIDDEN)}
    nodes = [
        Node("h", "Gemm", ("x", "h.weight", "h.bias"), ("h",), {"transB": 1}),
        Node("h_relu", "Relu", ("h",), ("h_relu",)),
    ]
    tails: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
        "gemm": ("Gemm", (classes, HIDDEN), {"transB": 1}),
        "gemm untransposed": ("Gemm", (HIDDEN, classes), {}),
        "matmul": ("MatMul", (HIDDEN, classes), {}),
        "scaled gemm": ("Gemm", (classes, HIDDEN), {"transB": 1, "alpha": 2.0}),
    }
    op, shape, attributes = tails[kind]
    constants["out.weight"] = constant(*shape)
    operands = ("h_relu", "out.weight")
    if op == "Gemm":
        constants["out.bias"] = constant(classes)
        operands = (*operands, "out.bias")
    nodes.append(Node("out", op, operands, ("out",), attributes))
    return Graph("net", {"x": (1, 3)}, ("out",), tuple(nodes), constants)


def argmax(classes: int) -> Claim:
    return Claim("robust", BALL, classes, (), True, False, "argmax", SPAN)


def general(classes: int, labels: int) -> Claim:
    """Rows with odd coefficients; one table for all labels, or one for each."""
    table = tuple(
        tuple(
            Row(
                tuple((k, Fraction(label + row * k - 2, 3)) for k in range(classes)),
                Fraction(row - label, 7),
                strict=False,
            )
            for row in range(2)
        )
        for label in range(labels)
    )
    return Claim("general", BALL, classes, table, False, False, "general", SPAN)


CLAIMS = [argmax(4), argmax(70), general(4, 1), general(4, 3)]
NAMES = ["argmax", "argmax over many classes", "one table", "a table per label"]


@pytest.mark.parametrize("kind", ["gemm", "gemm untransposed", "matmul"])
@pytest.mark.parametrize("claim", CLAIMS, ids=NAMES)
def test_elision_changes_no_value_and_bounds_only_for_the_better(claim: Claim, kind: str) -> None:
    plain = append_claim(net(claim.size, kind), claim)
    elided = elide(plain)
    assert claim_node(elided).op == "ibpc.ElidedRows"
    assert logits_name(elided) == "out"
    weights = Weights(elided, torch.float64)
    x, label = torch.rand(5, 3, dtype=torch.float64), torch.tensor([0, 2, 1, 0, 2])
    if len(claim.rows) == 1:
        label = torch.tensor([0, 9, 4, 3, 1])  # the claim does not look at it
    before, after = lower_rows(plain, weights)(x, label), lower_rows(elided, weights)(x, label)
    torch.testing.assert_close(after, before)
    for roundoff in (0.0, 2.0**-53):
        loose = lower_violation(plain, weights, roundoff)(x - 0.3, x + 0.3, label)
        tight = lower_violation(elided, weights, roundoff)(x - 0.3, x + 0.3, label)
        assert (after <= tight).all()
        assert (tight <= loose + 1e-12).all()
        assert (tight < loose - 1e-3).any()


@pytest.mark.parametrize("claim", CLAIMS, ids=NAMES)
def test_the_elided_bound_is_attained_where_one_layer_is_all(claim: Claim) -> None:
    """With h itself as the input box, Eq. 9 is exact: the maximum sits in a corner."""
    graph = net(claim.size, "gemm")
    tail = graph.replace(inputs={"h_relu": (1, HIDDEN)}, nodes=graph.nodes[2:])
    elided = elide(append_claim(tail, claim))
    weights = Weights(elided, torch.float64)
    lower = torch.rand(1, HIDDEN, dtype=torch.float64)
    upper = lower + torch.rand(1, HIDDEN, dtype=torch.float64)
    choices = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * HIDDEN)
    corners = lower + choices * (upper - lower)
    label = torch.tensor([1])
    exact = lower_rows(elided, weights)(corners, label.expand(len(corners))).amax(0)
    torch.testing.assert_close(lower_violation(elided, weights)(lower, upper, label)[0], exact)


def test_a_claim_on_a_layer_with_factors_or_after_a_relu_is_left_alone() -> None:
    scaled = append_claim(net(4, "scaled gemm"), argmax(4))
    assert elide(scaled) is scaled
    graph = net(4, "gemm")
    relu = graph.replace(nodes=graph.nodes[:2], outputs=("h_relu",))
    claimed = append_claim(relu, argmax(HIDDEN))
    assert elide(claimed) is claimed


def test_eliding_twice_changes_nothing_more() -> None:
    once = elide(append_claim(net(4, "gemm"), argmax(4)))
    assert elide(once) is once


def test_without_elision_eq_8_is_upper_logit_minus_lower_logit_of_the_label() -> None:
    graph = net(4, "gemm")
    claimed = append_claim(graph, argmax(4))
    weights = Weights(claimed, torch.float64)
    lower = torch.rand(1, 3, dtype=torch.float64)
    low, high = lower_interval(graph, weights)(lower, lower + 0.2)
    bound = lower_violation(claimed, weights)(lower, lower + 0.2, torch.tensor([1]))
    torch.testing.assert_close(bound, high[:, [0, 2, 3]] - low[:, [1]])
