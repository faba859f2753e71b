from __future__ import annotations

import pytest
import torch
from bound_nets import argmax, claimed, conv_net

from ibpc.bounds import (
    Weights,
    lower_forward,
    lower_interval,
    lower_rows,
    lower_training,
    lower_violation,
    needs_clean_pass,
)
from ibpc.claims import append_claim
from ibpc.errors import ModelMistake, UnsupportedOperator
from ibpc.graph import Graph, Node

LABEL = torch.tensor([0, 3, 1])


def box() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 2, 6, 6, generator=generator)
    return x, (x - 0.1).clamp(min=0), (x + 0.1).clamp(max=1)


def test_the_training_program_is_the_forward_and_the_bound_program_in_one() -> None:
    graph = conv_net()
    weights = Weights(claimed(graph))
    x, lower, upper = box()
    logits, violation = lower_training(claimed(graph), weights)(x, lower, upper, LABEL)
    torch.testing.assert_close(logits, lower_forward(graph, weights)(x))
    torch.testing.assert_close(
        violation, lower_violation(claimed(graph), weights)(lower, upper, LABEL)
    )


def test_without_elision_the_training_program_gives_the_same_logits() -> None:
    graph = append_claim(conv_net(), argmax(4))
    weights = Weights(graph)
    x, lower, upper = box()
    logits, violation = lower_training(graph, weights)(x, lower, upper, LABEL)
    torch.testing.assert_close(logits, lower_forward(conv_net(), weights)(x))
    torch.testing.assert_close(violation, lower_violation(graph, weights)(lower, upper, LABEL))


def test_gradients_of_the_bound_are_those_of_the_plain_formula() -> None:
    """Eq. 6, 7 and 9 written out by hand, in bounds form, example by example."""
    graph = claimed(conv_net())
    weights = Weights(graph, torch.float64)
    _, lower, upper = (bound.double() for bound in box())
    lower_violation(graph, weights)(lower, upper, LABEL).square().sum().backward()
    found = [parameter.grad for parameter in weights.parameters()]
    wanted_of = [weights.value(name) for name in weights.parameter_names]
    conv, conv_bias, out, out_bias = wanted_of
    center = torch.nn.functional.conv2d((lower + upper) / 2, conv, conv_bias)
    radius = torch.nn.functional.conv2d((upper - lower) / 2, conv.abs())
    low, high = (torch.relu(center + side * radius).flatten(1) for side in (-1, 1))
    total = torch.zeros((), dtype=torch.float64)
    for example, label in enumerate(LABEL.tolist()):
        for k in {0, 1, 2, 3} - {label}:
            row, offset = out[k] - out[label], out_bias[k] - out_bias[label]
            bound = row.clamp(min=0) @ high[example] + row.clamp(max=0) @ low[example] + offset
            total = total + bound**2
    for mine, wanted in zip(found, torch.autograd.grad(total, wanted_of), strict=True):
        torch.testing.assert_close(mine, wanted)


def test_the_training_program_has_gradients_from_both_outputs() -> None:
    graph = claimed(conv_net())
    weights = Weights(graph)
    x, lower, upper = box()
    program = lower_training(graph, weights)
    grads = []
    for part in (0, 1):
        weights.zero_grad()
        program(x, lower, upper, LABEL)[part].square().sum().backward()
        grads.append([parameter.grad.clone() for parameter in weights.parameters()])
    assert all(grad.abs().sum() > 0 for pair in zip(*grads, strict=True) for grad in pair)


def test_batch_norm_takes_its_statistics_from_the_clean_pass_in_training() -> None:
    graph = conv_net(batch_norm=True)
    assert needs_clean_pass(graph)
    assert not needs_clean_pass(conv_net())
    weights = Weights(claimed(graph))
    mean, var = weights.value("norm.mean"), weights.value("norm.var")
    old_mean = mean.clone()
    x, lower, upper = box()
    logits, violation = lower_training(claimed(graph), weights)(x, lower, upper, LABEL)
    moved = mean.clone()
    assert not torch.equal(old_mean, moved)
    pre = torch.nn.functional.conv2d(x, weights.value("conv1.weight"), weights.value("conv1.bias"))
    torch.testing.assert_close(moved, 0.9 * old_mean + 0.1 * pre.mean((0, 2, 3)))
    # With the batch's statistics as running ones, the evaluation programs give the same.
    with torch.no_grad():
        mean.copy_(pre.mean((0, 2, 3)))
        var.copy_(pre.var((0, 2, 3), correction=0))
    torch.testing.assert_close(logits, lower_forward(graph, weights)(x), rtol=1e-4, atol=1e-5)
    bound = lower_violation(claimed(graph), weights)(lower, upper, LABEL)
    torch.testing.assert_close(violation, bound, rtol=1e-4, atol=1e-5)
    training = lower_forward(graph, weights, training=True)
    torch.testing.assert_close(training(x), logits)


def test_the_programs_are_straight_lines_without_dead_code() -> None:
    graph = claimed(conv_net())
    program = lower_violation(graph, Weights(graph))
    used = {name for node in program.graph.nodes for name in map(str, node.all_input_nodes)}
    idle = [
        node.name
        for node in program.graph.nodes
        if node.op not in {"output", "placeholder"} and node.name not in used
    ]
    assert idle == []
    assert "out" not in {node.name for node in program.graph.nodes}  # the logits are not asked for
    for word in ("for ", "if ", "while "):
        assert word not in program.code


def test_names_in_a_program_tell_the_layer() -> None:
    graph = claimed(conv_net())
    names = {node.name for node in lower_training(graph, Weights(graph)).graph.nodes}
    assert {
        "conv1",
        "conv1_center",
        "conv1_radius",
        "conv1_relu",
        "out",
        "violation_center",
    } <= names


def test_the_absolute_weights_of_a_layer_are_taken_once() -> None:
    graph = claimed(conv_net())
    program = lower_violation(graph, Weights(graph), roundoff=2.0**-24)
    assert program.code.count("conv1_weight.abs()") == 1


def test_a_missing_rule_is_told_with_its_node_and_reason() -> None:
    graph = Graph("net", {"x": (1, 3)}, ("y",), (Node("y", "Neither", ("x",), ("y",)),), {})
    with pytest.raises(UnsupportedOperator, match="Neither"):
        lower_forward(graph, Weights(graph.replace(nodes=())))


def test_a_network_with_two_inputs_has_no_box() -> None:
    graph = conv_net().replace(inputs={"x": (1, 2, 6, 6), "other": (1, 2)})
    with pytest.raises(ModelMistake, match="2 inputs"):
        lower_interval(graph, Weights(graph))


def test_labels_pick_their_own_rows() -> None:
    graph = claimed(conv_net())
    weights = Weights(graph)
    x, _, _ = box()
    logits = lower_forward(conv_net(), weights)(x)
    rows = lower_rows(graph, weights)(x, LABEL)
    for example, label in enumerate(LABEL.tolist()):
        others = [k for k in range(4) if k != label]
        torch.testing.assert_close(rows[example], logits[example, others] - logits[example, label])


@pytest.mark.slow
def test_torch_compile_takes_the_training_program() -> None:
    import shutil
    import warnings

    if shutil.which("g++") is None and shutil.which("c++") is None:
        pytest.skip("torch.compile needs a C++ compiler")
    graph = claimed(conv_net())
    weights = Weights(graph)
    program = lower_training(graph, weights)
    x, lower, upper = box()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fast = torch.compile(program, fullgraph=True)
        found = fast(x, lower, upper, LABEL)
        sum(part.square().sum() for part in found).backward()
    grads = [parameter.grad.clone() for parameter in weights.parameters()]
    weights.zero_grad()
    wanted = program(x, lower, upper, LABEL)
    sum(part.square().sum() for part in wanted).backward()
    for mine, other in zip(
        (*found, *grads), (*wanted, *(p.grad for p in weights.parameters())), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
