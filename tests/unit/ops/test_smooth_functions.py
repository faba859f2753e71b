"""Sigmoid and tanh against mpmath: the error that their interval rules assume is enough."""

from __future__ import annotations

import mpmath
import pytest
import torch

from ibpc.domains import Interval
from ibpc.ops import OPERATORS, Site

TRUE = {
    "Sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "Tanh": mpmath.tanh,
}
SITE = Site("node", "op", {}, ((1, 1),), (None,), ((1, 1),))


def grid(dtype: torch.dtype) -> torch.Tensor:
    """Points near 0, over the bend, and far out, where results saturate or underflow."""
    torch.manual_seed(0)
    parts = [
        torch.randn(150, dtype=dtype),
        torch.randn(150, dtype=dtype) * 10,
        10.0 ** (torch.rand(100, dtype=dtype) * 12 - 12),
        -(10.0 ** (torch.rand(50, dtype=dtype) * 12 - 12)),
        torch.linspace(-120, 120, 121, dtype=dtype),
        torch.linspace(-800, -80, 41, dtype=dtype),
        torch.zeros(1, dtype=dtype),
    ]
    return torch.cat(parts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("op", list(TRUE))
def test_the_exact_value_lies_within_the_bounds(op: str, dtype: torch.dtype) -> None:
    unit = torch.finfo(dtype).eps / 2
    x = grid(dtype)
    # All at once, and three at a time: vector code and its scalar remainder may differ.
    for chunk in (len(x), 3):
        pieces = [
            OPERATORS[op].interval(SITE, Interval.from_bounds(piece, piece, unit))
            for piece in x.split(chunk)
        ]
        lower, upper = (torch.cat([getattr(p, end) for p in pieces]) for end in ("lower", "upper"))
        with mpmath.workprec(1400):
            for at, lo, up in zip(x.tolist(), lower.tolist(), upper.tolist(), strict=True):
                assert lo <= TRUE[op](mpmath.mpf(at)) <= up, at


@pytest.mark.parametrize("op", list(TRUE))
def test_bounds_stay_within_the_functions_range(op: str) -> None:
    x = torch.tensor([[-1e30, 1e30]])
    found = OPERATORS[op].interval(SITE, Interval.from_bounds(x, x, 2.0**-24))
    assert found.lower.min() >= (0 if op == "Sigmoid" else -1)
    assert found.upper.max() <= 1
