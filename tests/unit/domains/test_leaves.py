"""Leaves: functions that a recorded program calls as they are."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import fx
from torch.fx.proxy import GraphAppendingTracer

from ibpc import domains
from ibpc.domains import batch_statistics, centred_relu


def by_bounds(center: torch.Tensor, radius: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    lower, upper = torch.relu(center - radius), torch.relu(center + radius)
    return (lower + upper) / 2, (upper - lower) / 2


def test_centred_relu_is_relu_of_the_bounds() -> None:
    center, radius = torch.randn(40, 30), torch.rand(40, 30)
    for found, wanted in zip(centred_relu(center, radius), by_bounds(center, radius), strict=True):
        torch.testing.assert_close(found, wanted)


def test_centred_relu_has_the_gradient_of_relu_of_the_bounds() -> None:
    torch.manual_seed(0)
    center = torch.randn(40, 30, dtype=torch.float64, requires_grad=True)
    radius = torch.rand(40, 30, dtype=torch.float64, requires_grad=True)
    pulls = torch.randn(40, 30, dtype=torch.float64), torch.randn(40, 30, dtype=torch.float64)
    found, wanted = (
        torch.autograd.grad(function(center, radius), (center, radius), pulls)
        for function in (centred_relu, by_bounds)
    )
    for got, right in zip(found, wanted, strict=True):
        torch.testing.assert_close(got, right)


def test_a_box_without_width_has_the_gradient_of_relu() -> None:
    center = torch.tensor([-1.0, 2.0], requires_grad=True)
    radius = torch.zeros(2, requires_grad=True)
    middle, reach = centred_relu(center, radius)
    assert middle.tolist() == [0.0, 2.0]
    assert reach.tolist() == [0.0, 0.0]
    (grad,) = torch.autograd.grad(middle.sum(), center)
    assert grad.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", ["centred_relu", "batch_statistics"])
def test_a_leaf_is_recorded_as_one_call(name: str) -> None:
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)
    operands = [fx.Proxy(graph.placeholder(f"v{i}"), tracer) for i in range(4)]
    leaf = getattr(domains, name)
    recorded = leaf(*operands[:2]) if name == "centred_relu" else leaf(*operands[:3], 0.9)
    assert [node.op for node in graph.nodes][4:] == ["call_function"]
    assert recorded.node.target is leaf


@pytest.mark.parametrize("name", ["centred_relu", "batch_statistics"])
def test_a_leafs_module_needs_torch_alone(name: str) -> None:
    source = inspect.getsource(inspect.getmodule(getattr(domains, name)))
    assert "ibpc" not in "".join(line for line in source.splitlines() if "import" in line)
    space: dict[str, object] = {}
    exec(compile(source, name, "exec"), space)
    assert callable(space[name])


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (4, 3, 5, 2)])
def test_batch_statistics_are_those_of_pytorch(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape) * 3 + 1
    layers = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
    layer = layers[len(shape)](3, momentum=0.25)
    running = torch.zeros(3), torch.ones(3)
    mean, var = batch_statistics(x, *running, 0.75)
    along = (1, -1, *(1,) * (len(shape) - 2))
    scaled = (x - mean.reshape(along)) / (var.reshape(along) + layer.eps).sqrt()
    torch.testing.assert_close(layer(x), scaled)
    torch.testing.assert_close(running[0], layer.running_mean)
    torch.testing.assert_close(running[1], layer.running_var)
