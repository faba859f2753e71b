from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from ibpc.errors import InternalError, NumericalDoubt
from ibpc.language.program import InputSet, Symbol, TensorType
from ibpc.sets import FORMS, SETS, hull, inner_box, outer_box

UNIT = ((Fraction(0), Fraction(1)),)
IMAGE = TensorType((1, 2, 2), UNIT)
PAIR = TensorType((2,), ((Fraction(-1), Fraction(1, 3)), (Fraction(0), Fraction(5))))
TENTH = InputSet("ball", Fraction(1, 10))


def test_a_ball_is_cut_with_the_domain() -> None:
    x = torch.tensor([0.05, 0.5, 0.95, 1.0]).reshape(1, 1, 2, 2)
    lower, upper = hull(TENTH, IMAGE, x, 0.1)
    torch.testing.assert_close(lower.flatten(), torch.tensor([0.0, 0.4, 0.85, 0.9]))
    torch.testing.assert_close(upper.flatten(), torch.tensor([0.15, 0.6, 1.0, 1.0]))


def test_the_radius_may_be_a_tensor_on_its_way_through_a_schedule() -> None:
    x = torch.full((3, 1, 2, 2), 0.5)
    eps = torch.tensor(0.25)
    scheduled = InputSet("ball", Symbol("eps"))
    for bound, wanted in zip(hull(scheduled, IMAGE, x, eps), (0.25, 0.75), strict=True):
        torch.testing.assert_close(bound, torch.full_like(x, wanted))


def test_each_entry_may_have_its_own_domain() -> None:
    x = torch.tensor([[0.3, 4.95], [-1.0, 0.0]])
    lower, upper = hull(TENTH, PAIR, x, 0.1)
    torch.testing.assert_close(lower, torch.tensor([[0.2, 4.85], [-1.0, 0.0]]))
    torch.testing.assert_close(upper, torch.tensor([[1 / 3, 5.0], [-0.9, 0.1]]))


def test_a_box_and_a_domain_do_not_look_at_the_datum() -> None:
    given = InputSet("box", None, (Fraction(-2), Fraction(1)), (Fraction(0), Fraction(2)))
    x = torch.randn(4, 2)
    lower, upper = hull(given, PAIR, x)
    assert lower.tolist() == [[-1.0, 1.0]] * 4
    assert upper.tolist() == [[0.0, 2.0]] * 4
    whole_lower, whole_upper = hull(InputSet("domain"), PAIR, x)
    assert whole_lower.tolist() == [[-1.0, 0.0]] * 4
    torch.testing.assert_close(whole_upper, torch.tensor([[1 / 3, 5.0]] * 4))


def test_proof_boxes_enclose_and_witness_boxes_are_enclosed_by_the_exact_set() -> None:
    draws = np.random.default_rng(2)
    x = draws.random((50, 1, 2, 2), dtype=np.float32)
    for eps in (Fraction(1, 10), Fraction(8, 255), Fraction(0), Fraction(1, 4)):
        ball = InputSet("ball", eps)
        outer, inner = outer_box(ball, IMAGE, x), inner_box(ball, IMAGE, x)
        assert outer[0].dtype == np.float64
        assert inner[0].dtype == np.float32
        for sides in zip(x.flat, *(bound.flat for bound in (*outer, *inner)), strict=True):
            datum, out_lo, out_up, in_lo, in_up = (Fraction(float(side)) for side in sides)
            exact_lo, exact_up = max(datum - eps, 0), min(datum + eps, Fraction(1))
            assert out_lo <= exact_lo <= in_lo <= in_up <= exact_up <= out_up
            assert exact_lo - out_lo < Fraction(1, 2**50)
            assert out_up - exact_up < Fraction(1, 2**50)
            assert in_lo - exact_lo < Fraction(1, 2**22)


def test_bounds_of_a_box_are_rounded_out_and_in() -> None:
    third = Fraction(1, 3)
    given = InputSet("box", None, (-third, third), (third, 2 * third))
    wide = TensorType((2,))
    x = np.zeros(2, dtype=np.float32)
    lower, upper = outer_box(given, wide, x)
    assert Fraction(float(lower[0])) < -third
    assert Fraction(float(upper[0])) > third
    lower, upper = inner_box(given, wide, x)
    assert Fraction(float(lower[0])) > -third
    assert Fraction(float(upper[0])) < third


def test_a_coordinate_without_a_float32_comes_out_crossed() -> None:
    third = Fraction(1, 3)
    given = InputSet("box", None, (third,), (third,))
    lower, upper = inner_box(given, TensorType((1,)), np.zeros(1, dtype=np.float32))
    assert lower[0] > upper[0]


def test_an_empty_set_proves_nothing() -> None:
    outside = np.full((1, 2, 2), 3.0, dtype=np.float32)
    with pytest.raises(NumericalDoubt, match="empty"):
        outer_box(TENTH, IMAGE, outside)


def test_a_set_without_bounds_or_a_datum_that_is_nan_is_doubt() -> None:
    with pytest.raises(NumericalDoubt, match="no bounds"):
        outer_box(InputSet("domain"), TensorType((2,)), np.zeros(2, dtype=np.float32))
    with pytest.raises(NumericalDoubt, match="NaN"):
        outer_box(TENTH, IMAGE, np.full((1, 2, 2), np.nan, dtype=np.float32))


def test_a_radius_that_is_still_a_schedule_is_our_bug() -> None:
    with pytest.raises(InternalError, match="schedule"):
        outer_box(InputSet("ball", Symbol("eps")), IMAGE, np.zeros((1, 2, 2), np.float32))


def test_every_record_with_a_word_is_in_the_vocabulary() -> None:
    assert {"ball", "ball_1", "ball_2", "box", "domain", "pixels", "free", "union"} <= set(FORMS)
    assert {"ball", "box", "free", "union"} <= set(SETS)
    assert all(entry.word == word for word, entry in SETS.items())


def test_reading_the_records_loads_neither_torch_nor_numpy() -> None:
    script = "import sys, ibpc.sets; print({'torch', 'numpy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() == "set()", found.stderr
