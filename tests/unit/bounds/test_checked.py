from __future__ import annotations

import numpy as np
import pytest
import torch
from bound_nets import claimed, conv_net

from ibpc.bounds import (
    Weights,
    lower_forward,
    lower_interval,
    roundoff_of,
    run_checked,
    value_bounds,
)
from ibpc.errors import NumericalDoubt


def test_the_unit_roundoff_is_half_an_ulp_of_one() -> None:
    assert roundoff_of(torch.float64) == 2.0**-53
    assert roundoff_of(torch.float32) == 2.0**-24


def test_every_value_is_bounded_and_the_claim_is_left_out() -> None:
    graph = conv_net()
    x = np.random.default_rng(0).random((2, 2, 6, 6))
    for given in (graph, claimed(graph)):
        bounds = value_bounds(given, x - 0.1, x + 0.1)
        assert set(bounds) == {"x", "conv1", "conv1_relu", "flatten", "out"}
    assert bounds["conv1"][0].shape == (2, 3, 4, 4)
    assert bounds["conv1"][0].dtype == np.float64
    forward = lower_forward(graph, Weights(graph, torch.float64))
    for _ in range(50):
        point = x + np.random.default_rng(1).uniform(-0.1, 0.1, x.shape)
        logits = forward(torch.from_numpy(point)).detach().numpy()
        assert (bounds["out"][0] <= logits).all()
        assert (logits <= bounds["out"][1]).all()


def test_checked_outputs_are_those_of_the_program() -> None:
    graph = conv_net()
    program = lower_interval(graph, Weights(graph))
    x = torch.rand(1, 2, 6, 6)
    lower, upper = run_checked(program, x, x + 0.1)
    wanted = program(x, x + 0.1)
    assert torch.equal(lower, wanted[0])
    assert torch.equal(upper, wanted[1])


def test_crossed_inputs_are_doubt() -> None:
    graph = conv_net()
    program = lower_interval(graph, Weights(graph))
    x = torch.rand(1, 2, 6, 6)
    with pytest.raises(NumericalDoubt, match="above its upper"):
        run_checked(program, x, x - 0.1)
