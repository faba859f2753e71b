"""Curved functions against mpmath: the error that their interval rules assume is enough."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
import torch

from ibpc.domains import Interval
from ibpc.ops import OPERATORS, Site

TRUE = {
    "Sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "Tanh": mpmath.tanh,
    "Cos": mpmath.cos,
    "Elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "Erf": mpmath.erf,
    "Exp": mpmath.exp,
    "Sin": mpmath.sin,
    "Softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}
POSITIVE = {
    "Log": mpmath.log,
    "Reciprocal": lambda x: 1 / x,
    "Sqrt": mpmath.sqrt,
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
@pytest.mark.parametrize("op", [*TRUE, *POSITIVE])
def test_the_exact_value_lies_within_the_bounds(op: str, dtype: torch.dtype) -> None:
    unit = torch.finfo(dtype).eps / 2
    x = grid(dtype) if op in TRUE else 10.0 ** (torch.rand(400, dtype=dtype) * 40 - 20)
    true = {**TRUE, **POSITIVE}[op]
    # All at once, and three at a time: vector code and its scalar remainder may differ.
    for chunk in (len(x), 3):
        pieces = [
            OPERATORS[op].interval(SITE, Interval.from_bounds(piece, piece, unit))
            for piece in x.split(chunk)
        ]
        lower, upper = (torch.cat([getattr(p, end) for p in pieces]) for end in ("lower", "upper"))
        with mpmath.workprec(1400):
            for at, lo, up in zip(x.tolist(), lower.tolist(), upper.tolist(), strict=True):
                assert lo <= true(mpmath.mpf(at)) <= up, at


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh"])
def test_bounds_stay_within_the_functions_range(op: str) -> None:
    x = torch.tensor([[-1e30, 1e30]])
    found = OPERATORS[op].interval(SITE, Interval.from_bounds(x, x, 2.0**-24))
    assert found.lower.min() >= (0 if op == "Sigmoid" else -1)
    assert found.upper.max() <= 1


@pytest.mark.parametrize("op", ["Sin", "Cos"])
def test_waves_reach_their_peaks_and_no_further(op: str) -> None:
    function = {"Sin": torch.sin, "Cos": torch.cos}[op]
    torch.manual_seed(3)
    lower = torch.rand(1, 300, dtype=torch.float64) * 40 - 20
    upper = lower + torch.rand(1, 300, dtype=torch.float64) ** 2 * 7
    found = OPERATORS[op].interval(SITE, Interval.from_bounds(lower, upper))
    values = function(lower + (upper - lower) * torch.linspace(0, 1, 20001)[:, None].double())
    torch.testing.assert_close(found.lower, values.amin(0, keepdim=True), rtol=0, atol=1e-6)
    torch.testing.assert_close(found.upper, values.amax(0, keepdim=True), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_peak_at_a_bound_counts_where_rounding_is_covered(dtype: torch.dtype) -> None:
    unit = torch.finfo(dtype).eps / 2
    peaks = (torch.arange(-9, 9, dtype=torch.float64) + 0.25) * (2 * torch.pi)
    x = peaks.to(dtype)[None]
    for box in (Interval.from_bounds(x - 1, x, unit), Interval.from_bounds(x, x + 1, unit)):
        assert bool((OPERATORS["Sin"].interval(SITE, box).upper >= 1).all())


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, 4.0, 0.5, 2.5, -1.0, -2.0, -3.0])
@pytest.mark.parametrize("start", [-2.0, 0.25])
def test_powers_are_tight_and_in_doubt_where_they_are_not_defined(
    exponent: float, start: float
) -> None:
    site = Site("p", "Pow", {}, ((1, 1), ()), (None, np.float32(exponent)), ((1, 1),))
    lower = torch.full((1, 1), start, dtype=torch.float64)
    box = Interval.from_bounds(lower, lower + 3)
    found = OPERATORS["Pow"].interval(site, box, torch.tensor(exponent))
    if start < 0 and (exponent < 0 or exponent % 1):
        assert bool(found.lower.isnan().all())
        return
    values = torch.linspace(start, start + 3, 30001, dtype=torch.float64) ** exponent
    torch.testing.assert_close(found.lower.squeeze(), values.min(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.upper.squeeze(), values.max(), rtol=1e-3, atol=1e-3)


def test_shares_are_attained_at_corners_and_hold_at_extremes() -> None:
    site = Site("s", "Softmax", {"axis": -1}, ((1, 3),), (None,), ((1, 3),))
    lower = torch.tensor([[-1.0, 0.0, 2.0], [-900.0, 0.0, 900.0], [-1e4, -1e4, -1e4]])
    upper = torch.tensor([[1.0, 0.5, 2.0], [900.0, 0.0, 901.0], [1e4, 1e4, 1e4]])
    for dtype in (torch.float32, torch.float64):
        low, high = lower.to(dtype), upper.to(dtype)
        unit = torch.finfo(dtype).eps / 2
        found = OPERATORS["Softmax"].interval(site, Interval.from_bounds(low, high, unit))
        for place in range(3):
            corner = high.clone()
            corner[:, place] = low[:, place]
            least = torch.softmax(corner.double(), -1)[:, place]
            corner = low.clone()
            corner[:, place] = high[:, place]
            most = torch.softmax(corner.double(), -1)[:, place]
            assert bool((found.lower[:, place].double() <= least).all())
            assert bool((found.upper[:, place].double() >= most).all())
            torch.testing.assert_close(
                found.lower[:1, place].double(), least[:1], rtol=1e-4, atol=0
            )
            torch.testing.assert_close(found.upper[:1, place].double(), most[:1], rtol=1e-4, atol=0)


@pytest.mark.parametrize("op", ["Log", "Sqrt", "Reciprocal"])
def test_a_box_beyond_the_domain_is_doubt(op: str) -> None:
    box = Interval.from_bounds(torch.tensor([[-1.0]]), torch.tensor([[1.0]]), 2.0**-24)
    found = OPERATORS[op].interval(SITE, box)
    assert not bool(torch.isfinite(found.lower).all())


def test_the_larger_of_two_values_is_tight() -> None:
    a, b = (torch.randn(1, 50, dtype=torch.float64) for _ in range(2))
    c, d = a + torch.rand(1, 50), b + torch.rand(1, 50)
    site = Site("m", "Max", {}, ((1, 50),) * 2, (None, None), ((1, 50),))
    boxes = Interval.from_bounds(a, c), Interval.from_bounds(b, d)
    found = OPERATORS["Max"].interval(site, *boxes)
    assert torch.equal(found.lower, torch.maximum(a, b))
    assert torch.equal(found.upper, torch.maximum(c, d))


def test_the_parts_of_a_split_are_those_of_its_bounds() -> None:
    site = Site("s", "Split", {"axis": 1, "num_outputs": 3}, ((1, 7),), (None,))
    site = replace(site, out_shapes=OPERATORS["Split"].shape(site))
    assert site.out_shapes == ((1, 3), (1, 3), (1, 1))
    x = torch.randn(2, 7)
    parts = OPERATORS["Split"].interval(site, Interval.from_bounds(x, x + 1))
    assert torch.equal(torch.cat([part.upper for part in parts], 1), x + 1)
    assert torch.equal(torch.cat(OPERATORS["Split"].forward(site, x), 1), x)
