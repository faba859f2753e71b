"""Every operator's MILP facet against its forward facet, over scipy's HiGHS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from operator_cases import Case, cases, check_milp, encoded, exact_range, one_thread

from ibpc.ops import OPERATORS

__all__ = ["one_thread"]

ENCODED = [
    case for case in cases() if case.values[0].variable and not case.values[0].missing("milp")
]


@pytest.mark.parametrize("case", ENCODED)
def test_the_encoding_is_exact(case: Case) -> None:
    for seed in range(2):
        check_milp(case, seed)


@pytest.mark.parametrize("case", [case for case in ENCODED if case.values[0].record.affine])
def test_bounds_of_affine_forms_are_those_of_the_corners(case: Case) -> None:
    box = case.box(1, torch.float64)
    _, _, form = encoded(case, box)
    low, high = (v.reshape(-1).numpy() for v in exact_range(case, box))
    np.testing.assert_allclose(form.lower, low, atol=1e-9)
    np.testing.assert_allclose(form.upper, high, atol=1e-9)


def _half_open(_: Any, x: Any) -> Any:
    """ReLU whose lower bound is taken for half of what it is: points are cut off."""
    from ibpc.domains import positive_part

    return positive_part(replace(x, lower=x.lower / 2))


def _relaxed(_: Any, x: Any) -> Any:
    """ReLU without its binaries: points are added."""
    zero = np.maximum(x.lower, 0)
    y = x.encoder.continuous(zero, np.maximum(x.upper, 0))
    x.encoder.require(x.minus(y), "<")
    return replace(y, shape=x.shape)


def check_often(case: Case) -> None:
    for seed in range(4):
        check_milp(case, seed)


@pytest.mark.parametrize("facet", [_half_open, _relaxed])
def test_a_planted_wrong_encoding_is_caught(facet: Any) -> None:
    planted = Case(replace(OPERATORS["Relu"], milp=facet), 0)
    with pytest.raises(AssertionError, match=r"sample|optimum|Not equal"):
        check_often(planted)


def test_a_window_with_one_possible_winner_needs_no_binary() -> None:
    case = Case(OPERATORS["MaxPool"], 0)
    lower = torch.arange(32, dtype=torch.float64).reshape(1, 2, 4, 4)
    encoder, _, _ = encoded(case, [(lower, lower + 0.5)])
    assert not any(encoder.integral)
    assert not encoder.rows
