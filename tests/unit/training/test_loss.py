"""A loss as a sum whose coefficients are numbers at each step."""

from __future__ import annotations

import pytest
from recipes import FIT, KAPPA, SPEC, number, paper_loss

from ibpc.errors import TypeMistake
from ibpc.language.program import LossExpr, LossTerm
from ibpc.training.loss import check_loss, loss_at

PRODUCT = LossExpr("*", (FIT, SPEC))


def test_at_kappa_one_only_the_fit_is_left() -> None:
    loss = loss_at(paper_loss(), {"kappa": 1.0})
    assert loss.parts == ((1.0, FIT.term),)
    assert loss.needs_logits
    assert not loss.needs_violation


def test_at_kappa_zero_only_the_specification_is_left() -> None:
    loss = loss_at(paper_loss(), {"kappa": 0.0})
    assert loss.parts == ((1.0, SPEC.term),)
    assert not loss.needs_logits


def test_in_between_both_are_weighed() -> None:
    assert loss_at(paper_loss(), {"kappa": 0.75}).parts == ((0.75, FIT.term), (0.25, SPEC.term))


def test_coefficients_may_be_any_arithmetic() -> None:
    half = LossExpr("/", (LossExpr("+", (KAPPA, number(3))), number(2)))
    negative = LossExpr("-", (SPEC,))
    loss = loss_at(LossExpr("-", (LossExpr("*", (FIT, half)), negative)), {"kappa": 1.0})
    assert loss.parts == ((2.0, FIT.term), (1.0, SPEC.term))


def test_equal_terms_merge_and_may_cancel() -> None:
    assert loss_at(LossExpr("+", (FIT, FIT)), {}).parts == ((2.0, FIT.term),)
    assert loss_at(LossExpr("-", (FIT, FIT)), {}).parts == ()


def test_a_number_in_the_sum_is_kept_as_a_constant() -> None:
    assert loss_at(LossExpr("+", (FIT, number("1/4"))), {}).constant == 0.25


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (PRODUCT, "multiplied"),
        (LossExpr("/", (FIT, SPEC)), "below a fraction line"),
        (LossExpr("/", (FIT, LossExpr("-", (number(1), number(1))))), "by a number that is 0"),
        (LossExpr("term", term=LossTerm("hinge", "logits", {})), "no loss `hinge` over logits"),
    ],
)
def test_what_is_no_sum_of_losses_is_refused(loss: LossExpr, text: str) -> None:
    with pytest.raises(TypeMistake, match=text):
        check_loss(loss, {}, None)
