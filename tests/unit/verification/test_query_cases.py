from __future__ import annotations

from fractions import Fraction

import numpy as np

from ibpc.exchange import parse_property
from ibpc.verification.query.cases import lower_property
from ibpc.verification.query.clipping import Linear, clip

HEAD = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)"
BOX = "(assert (<= X_0 0.1))(assert (>= X_0 0))(assert (<= X_1 0.1))(assert (>= X_1 0.1))"


def test_inner_boxes_lie_in_the_exact_box_and_outer_ones_around_it() -> None:
    cases = lower_property(parse_property(f"{HEAD}{BOX}(assert (>= Y_0 1))"))
    assert Fraction(float(cases.inner_upper[0, 0])) <= Fraction(1, 10)
    assert Fraction(float(cases.outer_upper[0, 0])) >= Fraction(1, 10)
    # No float32 is exactly 0.1: the nearest one stands for it.
    assert cases.nearest[0].tolist() == [False, True]
    assert cases.inner_lower[0, 1] == cases.inner_upper[0, 1] == np.float32(0.1)


def test_a_case_is_safe_where_one_of_its_rows_cannot_hold() -> None:
    text = f"{HEAD}{BOX}(assert (or (and (>= Y_0 1) (<= Y_0 2)) (<= Y_0 -3)))"
    cases = lower_property(parse_property(text))
    assert cases.form.shape == (1, 2, 2)
    # y in [-3.5, 0.5]: the first case needs y >= 1, the second y <= -3.
    upper = np.array([[0.5, 3.5]])
    places = {tuple(row): index for index, row in enumerate(cases.forms.outputs.tolist())}
    upper = np.array([[0.0, 0.0]])
    upper[0, places[(1.0,)]] = 0.5
    upper[0, places[(-1.0,)]] = 3.5
    assert cases.safe(upper, np.array([0])).tolist() == [[True, False]]


def test_ties_are_unsafe_unless_the_row_is_strict() -> None:
    for sign, safe in ((">=", False), (">", True)):
        cases = lower_property(parse_property(f"{HEAD}{BOX}(assert ({sign} Y_0 0))"))
        below = np.nextafter(0.0, -1.0)
        assert cases.safe(np.array([[0.0]]), np.array([0])).tolist() == [[False]]
        shown = cases.safe(np.array([[below]]), np.array([0])).tolist()
        assert shown == [[safe]] or not safe


def test_nan_shows_nothing() -> None:
    cases = lower_property(parse_property(f"{HEAD}{BOX}(assert (>= Y_0 0))"))
    assert not cases.safe(np.array([[np.nan]]), np.array([0])).any()


def test_coefficients_that_are_no_floats_are_scaled_until_they_are() -> None:
    cases = lower_property(parse_property(f"{HEAD}{BOX}(assert (>= (* 0.1 Y_0) 0.3))"))
    assert cases.forms.exact
    number, bound = cases.forms.outputs[0, 0], cases.bound[0, 0, 0]
    assert Fraction(float(bound)) / Fraction(float(number)) == -3


def test_cases_with_boxes_of_their_own_are_groups() -> None:
    both = [
        f"(and (>= X_0 {low}) (<= X_0 {low + 1}) (>= X_1 0) (<= X_1 1) (>= Y_0 {low}))"
        for low in (0, 5)
    ]
    cases = lower_property(parse_property(f"{HEAD}(assert (or {' '.join(both)}))"))
    assert cases.groups == 2
    assert cases.outer_lower[:, 0].tolist() == [0.0, 5.0]


def test_clipping_never_cuts_off_a_point_that_may_be_unsafe() -> None:
    text = f"{HEAD}{BOX}(assert (or (and (>= Y_0 1) (<= Y_0 2)) (<= Y_0 -3)))"
    cases = lower_property(parse_property(text))
    draws = np.random.default_rng(0)
    cut_off = 0
    for _ in range(300):
        lower, upper = np.sort(draws.normal(size=(2, 1, 2)), axis=0)
        slopes, offset = draws.normal(size=(1, 2, 2)), draws.normal(size=(1, 2)) * 2
        open_cases = np.ones((1, 2), dtype=bool)
        lows, highs, still = clip(
            lower, upper, np.array([0]), open_cases, Linear(slopes, offset), cases
        )
        points = lower + draws.random((200, 2)) * (upper - lower)
        g = points @ slopes[0].T + offset
        unsafe = cases.violations(g, np.zeros(200, dtype=int)) > 1e-9
        for case in range(2):
            assert still[0, case] or not unsafe[:, case].any()
        inside = ((points >= lows) & (points <= highs)).all(axis=1)
        assert (inside | ~unsafe.any(axis=1) | ~still.any()).all()
        cut_off += int((~inside).sum())
    assert cut_off > 1000
