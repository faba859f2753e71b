"""Order of bounds on random claimed networks: sampled <= MIP optimum <= LP and interval bounds.

These nets are deeper than those that are enumerated (tests/agreement/test_milp_exact.py); they go
through the real pipeline: claim appended, elided, value bounds by interval propagation.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ibpc.bounds import Weights, lower_rows, lower_violation, roundoff_of, run_checked, value_bounds
from ibpc.claims import append_claim
from ibpc.errors import Span
from ibpc.graph import Graph, Node
from ibpc.language import Claim, InputSet
from ibpc.milp import lp_bounds, prove_or_refute
from ibpc.passes import elide, prepare

SLACK = 1e-6
CLASSES = 3


def draw(seed: int) -> tuple[Graph, np.ndarray, np.ndarray, int]:
    """A net with a small image, a convolution and a fully connected layer, and a box."""
    rng = np.random.default_rng(seed)
    constants = {
        "K": rng.normal(size=(2, 1, 2, 2)),
        "k": rng.normal(size=2) * 0.3,
        "W": rng.normal(size=(4, 8)) / 2,
        "b": rng.normal(size=4) * 0.3,
        "V": rng.normal(size=(CLASSES, 4)),
        "v": rng.normal(size=CLASSES) * 0.3,
    }
    nodes = (
        Node("conv", "Conv", ("x", "K", "k"), ("c",), {"kernel_shape": (2, 2)}),
        Node("relu1", "Relu", ("c",), ("p",)),
        Node("flat", "Flatten", ("p",), ("f",), {"axis": 1}),
        Node("fc", "Gemm", ("f", "W", "b"), ("h",), {"transB": 1}),
        Node("relu2", "Relu", ("h",), ("a",)),
        Node("out", "Gemm", ("a", "V", "v"), ("z",), {"transB": 1}),
    )
    graph = prepare(Graph("net", {"x": (1, 1, 3, 3)}, ("z",), nodes, constants), "evaluation")
    center, radius = rng.normal(size=(1, 1, 3, 3)), rng.uniform(0.05, 0.5)
    return graph, center - radius, center + radius, int(rng.integers(CLASSES))


CLAIM = Claim("c", InputSet("domain"), CLASSES, (), True, False, "", Span("s", 1, 1, 1, 2))


@pytest.mark.parametrize("block", range(6))
def test_every_bound_is_above_every_sample(block: int) -> None:
    kinds = set()
    for seed in range(20 * block, 20 * block + 20):
        network, lower, upper, label = draw(seed)
        claimed = append_claim(network, CLAIM)
        graph = elide(claimed) if seed % 2 else claimed
        weights = Weights(graph, torch.float64)
        rng = np.random.default_rng(seed)
        points = torch.tensor(rng.uniform(lower, upper, size=(300, 1, 3, 3)))
        with torch.no_grad():
            rows = lower_rows(graph, weights)(points, torch.full((300,), label))
        sampled = rows.max(dim=0).values.numpy()
        program = lower_violation(graph, weights, roundoff_of(torch.float64))
        box = (torch.tensor(lower), torch.tensor(upper))
        interval = run_checked(program, *box, torch.tensor([label]))[0].numpy()[0]
        known = {
            name: (low.reshape(-1), high.reshape(-1))
            for name, (low, high) in value_bounds(graph, lower, upper).items()
        }
        asked = (graph, label, lower, upper, known, [0, 1], 60.0)
        relaxed = {row.row: row.bound for row in lp_bounds(*asked).rows}
        for found in prove_or_refute(*asked, to_optimality=True).rows:
            kinds.add(found.status)
            assert sampled[found.row] <= found.bound + SLACK
            assert found.value <= found.bound + SLACK
            assert found.bound <= relaxed[found.row] + SLACK
            assert relaxed[found.row] <= interval[found.row] + SLACK
            assert found.point is not None
            with torch.no_grad():
                point = torch.tensor(found.point.reshape(lower.shape))
                reached = lower_rows(graph, weights)(point, torch.tensor([label]))[0]
            assert float(reached[found.row]) == pytest.approx(found.value, abs=1e-5)
    assert kinds == {"proved", "refuted"}
