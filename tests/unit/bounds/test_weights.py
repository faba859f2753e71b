from __future__ import annotations

import numpy as np
import torch
from bound_nets import claimed, conv_net

from ibpc.bounds import Weights, lower_forward, lower_violation
from ibpc.graph import Graph, Node


def test_what_operators_call_trainable_is_a_parameter_and_the_rest_is_a_buffer() -> None:
    weights = Weights(claimed(conv_net(batch_norm=True)))
    assert weights.parameter_names == (
        "conv1.weight",
        "conv1.bias",
        "out.weight",
        "out.bias",
        "norm.scale",
        "norm.bias",
    )
    assert len(list(weights.parameters())) == 6
    assert {name for name, _ in weights.named_buffers()} == {
        "norm_mean",
        "norm_var",
        "claim_C",
        "claim_d",
    }


def test_programs_share_the_parameters() -> None:
    graph = conv_net()
    weights = Weights(claimed(graph))
    forward = lower_forward(graph, weights)
    bound = lower_violation(claimed(graph), weights)
    assert forward.conv1_weight is weights.value("conv1.weight") is bound.conv1_weight
    x = torch.rand(2, 2, 6, 6)
    before = forward(x)
    with torch.no_grad():
        weights.value("out.bias").add_(1.0)
    torch.testing.assert_close(forward(x), before + 1.0)


def test_the_graph_comes_back_with_the_values_of_now() -> None:
    graph = conv_net()
    weights = Weights(claimed(graph))
    with torch.no_grad():
        weights.value("conv1.bias").fill_(0.125)
    updated = weights.graph(graph)
    np.testing.assert_array_equal(updated.constants["conv1.bias"], np.full(3, 0.125, np.float32))
    assert updated.constants["conv1.bias"].dtype == np.float32
    assert updated.constants["out.weight"] is graph.constants["out.weight"]
    assert set(updated.constants) == set(graph.constants)


def test_a_table_in_float64_is_not_worn_down_by_float32_weights() -> None:
    graph = claimed(conv_net())
    table = graph.constants["claim.d"] + 1 / 3
    graph = graph.replace(constants={**graph.constants, "claim.d": table})
    assert Weights(graph).graph(graph).constants["claim.d"] is table


def test_names_that_are_no_identifiers_or_collide_get_some() -> None:
    constants = {name: np.ones((2, 2)) for name in ("a.b", "a/b", "7", "forward")}
    values = ["x", "h1", "h2", "h3", "h4"]
    nodes = tuple(
        Node(values[i + 1], "Gemm", (values[i], name), (values[i + 1],))
        for i, name in enumerate(constants)
    )
    graph = Graph("odd", {"x": (1, 2)}, ("h4",), nodes, constants)
    weights = Weights(graph, torch.float64)
    assert len({weights.attribute(name) for name in constants}) == 4
    assert all(weights.attribute(name).isidentifier() for name in constants)
    x = torch.rand(3, 2, dtype=torch.float64)
    torch.testing.assert_close(
        lower_forward(graph, weights)(x), x.sum(1, keepdim=True).expand(3, 2) * 8
    )
