"""Samples of a set lie in its boxes; boxes for witnesses lie in the set."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ibpc.language.program import InputSet, TensorType
from ibpc.sets import hull, inner_box, outer_box

fractions = st.fractions(min_value=0, max_value=3, max_denominator=10**6)
data = st.floats(min_value=-4, max_value=4, width=32)
ends = st.fractions(min_value=-4, max_value=4, max_denominator=1000)


@settings(max_examples=200, deadline=None)
@given(datum=data, eps=fractions, one=ends, other=ends, share=st.fractions(0, 1))
def test_points_of_a_ball_lie_in_its_outer_box_and_of_the_inner_box_in_the_ball(
    datum: float, eps: Fraction, one: Fraction, other: Fraction, share: Fraction
) -> None:
    low, high = min(one, other), max(one, other)
    center = Fraction(datum)
    exact_lo, exact_up = max(center - eps, low), min(center + eps, high)
    if exact_lo > exact_up:
        return  # an empty set: tested by itself
    kind, ball = TensorType((1,), ((low, high),)), InputSet("ball", eps)
    x = np.array([datum], dtype=np.float32)
    (out_lo,), (out_up,) = outer_box(ball, kind, x)
    point = exact_lo + share * (exact_up - exact_lo)
    assert Fraction(out_lo) <= point <= Fraction(out_up)
    (in_lo,), (in_up,) = inner_box(ball, kind, x)
    for inside in {in_lo, in_up} if in_lo <= in_up else set():
        assert exact_lo <= Fraction(float(inside)) <= exact_up


@settings(max_examples=100, deadline=None)
@given(datum=data, eps=fractions)
def test_the_training_box_is_the_exact_one_up_to_rounding(datum: float, eps: Fraction) -> None:
    kind = TensorType((1,), ((Fraction(-2), Fraction(2)),))
    x = torch.tensor([[datum]], dtype=torch.float64).clamp(-2, 2)
    lower, upper = hull(InputSet("ball", eps), kind, x, float(eps))
    center = Fraction(x.item())
    assert abs(Fraction(lower.item()) - max(center - eps, -2)) < Fraction(1, 10**12)
    assert abs(Fraction(upper.item()) - min(center + eps, 2)) < Fraction(1, 10**12)
    assert lower.item() <= x.item() <= upper.item()


def test_every_float32_of_an_inner_box_is_in_the_exact_ball_however_narrow() -> None:
    """Radii of a few ulps: the box is walked float by float."""
    kind = TensorType((1,), ((Fraction(0), Fraction(1)),))
    for datum in (0.1, 0.5, 1 / 3, 0.999):
        x = np.array([datum], dtype=np.float32)
        for ulps in (Fraction(1, 2), Fraction(5, 3), Fraction(7, 2)):
            eps = ulps * Fraction(float(np.spacing(x[0])))
            lower, upper = inner_box(InputSet("ball", eps), kind, x)
            value, seen = lower[0], 0
            while value <= upper[0]:
                assert abs(Fraction(float(value)) - Fraction(float(x[0]))) <= eps
                value, seen = np.nextafter(value, np.float32(np.inf)), seen + 1
            assert 1 <= seen <= 3 * ulps + 1  # below a power of two, floats lie twice as close
