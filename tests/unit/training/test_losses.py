"""The loss forms against cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ibpc.training import ATTACKS, AVERAGES, BOUNDS, LOSSES, OPTIMISERS

RECORDS = (ATTACKS, AVERAGES, BOUNDS, LOSSES, OPTIMISERS)

LABEL = torch.tensor([0, 2])


def form(word: str, over: str, values: list[list[float]], **arguments: float) -> float:
    return float(LOSSES[word].forms[over](torch.tensor(values), LABEL, arguments))


def test_cross_entropy_of_logits_is_log_of_the_softmax() -> None:
    found = form("xent", "logits", [[math.log(2), 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert found == pytest.approx((math.log(2) + math.log(3)) / 2)


def test_cross_entropy_of_the_worst_case_is_that_of_margins_and_a_zero() -> None:
    margins = [[math.log(3), 0.0], [-math.inf, -math.inf]]
    assert form("xent", "worst", margins) == pytest.approx(math.log(1 + 3 + 1) / 2)


def test_worst_case_margins_give_the_cross_entropy_of_worst_case_logits() -> None:
    upper, lower_true = torch.tensor([[9.0, 1.0, 2.5]]), 0.75
    worst = torch.tensor([[lower_true, 1.0, 2.5]])
    margins = upper[:, 1:] - lower_true
    direct = torch.nn.functional.cross_entropy(worst, torch.tensor([0]))
    elided = LOSSES["xent"].forms["worst"](margins, torch.tensor([0]), {})
    torch.testing.assert_close(elided, direct)


def test_cross_entropy_of_huge_margins_stays_finite() -> None:
    assert form("xent", "worst", [[1e4, 0.0], [1e4, 1e4]]) == pytest.approx(
        (1e4 + 1e4 + math.log(2)) / 2
    )


def test_hinge_is_the_mean_of_rows_cut_below() -> None:
    assert form("hinge", "violation", [[3.0, -4.0], [-25.0, 0.0]]) == pytest.approx(-11 / 4)
    assert form("hinge", "violation", [[3.0, -4.0], [-25.0, 0.0]], margin=2) == -1 / 4


def test_softplus_is_the_mean_of_shifted_rows() -> None:
    expected = (math.log(2) + math.log1p(math.e) + 0 + 15) / 4
    found = form("softplus", "violation", [[-10.0, -9.0], [-60.0, 5.0]])
    assert found == pytest.approx(expected, abs=1e-5)


def test_every_record_says_what_it_is_and_where_it_comes_from() -> None:
    assert set(LOSSES) == {"balance", "hinge", "l1", "softplus", "tightness", "xent"}
    assert set(OPTIMISERS) == {"adam", "sgd"}
    assert set(BOUNDS) == {"crown", "ibp", "sabr", "wong"}
    for record in (r for words in RECORDS for r in words.values()):
        assert record.doc
        assert record.source
        assert all(slot.doc for slot in record.slots)


def test_optimisers_take_their_arguments() -> None:
    weights = [torch.nn.Parameter(torch.ones(3))]
    adam = OPTIMISERS["adam"].make(weights, {})
    assert adam.defaults["betas"] == (0.9, 0.999)
    sgd = OPTIMISERS["sgd"].make(weights, {"momentum": 0.5})
    assert sgd.defaults["momentum"] == 0.5
