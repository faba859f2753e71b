"""Every operator's interval facet against samples, corners and its own recording."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from operator_cases import (
    UNIT,
    Case,
    cases,
    check_recorded,
    check_samples,
    check_tightness,
    one_thread,
)

from ibpc.domains import Interval
from ibpc.ops import OPERATORS

__all__ = ["one_thread"]

WITH_BOUNDS = [
    case for case in cases() if case.values[0].variable and not case.values[0].missing("interval")
]
LOOSE = {
    "MatMul-6": "centre and radius product of two values",
    "Mul-3": "four corners, below",
    "Div-3": "four corners",
    "Div-4": "falls",
    "Max-0": "two operands, in its own test",
    "Max-1": "two operands, in its own test",
    "Min-0": "two operands, in its own test",
    "Min-1": "two operands, in its own test",
}
TURNING = ("Abs", "Cos", "Pow", "Reciprocal", "Sin", "Softmax")
"""Neither affine nor rising in all entries: their tightness is tested with their functions."""


def _alone(case: Any) -> bool:
    """Whether the exact range of a case is known: affine, or rising in its one operand."""
    return case.id not in LOOSE and not case.id.startswith(TURNING)


@pytest.mark.parametrize("case", WITH_BOUNDS)
def test_samples_lie_inside_the_bounds(case: Case) -> None:
    for dtype, seed in product(UNIT, range(3)):
        check_samples(case, seed, dtype, 0.0)


@pytest.mark.parametrize("case", WITH_BOUNDS)
def test_with_rounding_covered_no_sample_lies_outside_at_all(case: Case) -> None:
    for dtype, seed in product(UNIT, range(3)):
        check_samples(case, seed, dtype, UNIT[dtype])


@pytest.mark.parametrize("case", [c for c in WITH_BOUNDS if _alone(c)])
def test_one_operator_alone_loses_nothing(case: Case) -> None:
    for seed in range(2):
        check_tightness(case, seed)


@pytest.mark.parametrize("roundoff", [0.0, 2.0**-53])
@pytest.mark.parametrize("case", WITH_BOUNDS)
def test_facets_record_what_they_compute(case: Case, roundoff: float) -> None:
    check_recorded(case, roundoff)


@pytest.mark.parametrize("case", WITH_BOUNDS)
def test_facets_take_any_batch(case: Case) -> None:
    boxes = [case.box(seed, torch.float64) for seed in (1, 2, 3)]
    joined = [
        tuple(torch.cat([box[i][end] for box in boxes]) for end in (0, 1))
        for i in range(len(case.variable))
    ]
    found = case.interval(joined, 0.0, torch.float64)
    clean = case.forward([lower for lower, _ in joined])
    for number, box in enumerate(boxes):
        alone = case.interval(box, 0.0, torch.float64)
        torch.testing.assert_close(found.lower[number : number + 1], alone.lower)
        torch.testing.assert_close(found.upper[number : number + 1], alone.upper)
        torch.testing.assert_close(
            clean[number : number + 1], case.forward([lower for lower, _ in box])
        )


@pytest.mark.parametrize("case", cases())
def test_a_missing_facet_says_why_in_a_sentence(case: Case) -> None:
    for facet in ("interval", "milp"):
        why = case.missing(facet) if case.variable else None
        assert why is None or (len(why) >= 20 and why[0].isupper() and " " in why)


def test_the_product_of_two_values_attains_its_corners() -> None:
    case = Case(OPERATORS["Mul"], 3)
    (a, b), (c, d) = case.box(5, torch.float64)
    corners = torch.stack([a * c, a * d, b * c, b * d])
    found = case.interval([(a, b), (c, d)], 0.0, torch.float64)
    assert torch.equal(found.lower, corners.amin(0))
    assert torch.equal(found.upper, corners.amax(0))


def _conv_without_abs(site: Any, x: Interval, weight: Any, bias: Any = None) -> Interval:
    conv = OPERATORS["Conv"].forward
    return Interval.from_center(
        conv(site, x.center, weight, bias), conv(site, x.radius, weight), x.roundoff
    )


def _relu_of_the_centre(_: Any, x: Interval) -> Interval:
    return Interval.from_center(torch.relu(x.center), x.radius * (x.center > 0), x.roundoff)


def _flipped_sub(site: Any, left: Any, right: Any) -> Interval:
    center = OPERATORS["Sub"].forward(site, left.center, right.center)
    return Interval.from_center(center, (left.radius - right.radius).abs())


def _leaf_that_does_not_record(site: Any, x: Interval) -> Interval:
    from torch.fx import Proxy

    found = OPERATORS["Relu"].interval(site, x)
    return found + 1.0 if isinstance(x.lower, Proxy) else found


def check_many_samples(case: Case, dtype: torch.dtype) -> None:
    for seed in range(30):
        check_samples(case, seed, dtype, 0.0)


@pytest.mark.parametrize(
    ("op", "facet"),
    [("Conv", _conv_without_abs), ("Relu", _relu_of_the_centre), ("Sub", _flipped_sub)],
)
def test_a_planted_unsound_rule_is_caught(op: str, facet: Any) -> None:
    planted = Case(replace(OPERATORS[op], interval=facet), 0)
    for dtype in UNIT:
        with pytest.raises(AssertionError, match="a sample lies"):
            check_many_samples(planted, dtype)


def test_a_planted_loose_rule_is_caught() -> None:
    relu = OPERATORS["Relu"]
    loose = replace(relu, interval=lambda _, x: Interval.from_center(x.center.relu(), x.radius))
    with pytest.raises(AssertionError, match="not close"):
        check_tightness(Case(loose, 0), 0)


def test_a_planted_difference_between_recording_and_running_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_recorded(
            Case(replace(OPERATORS["Relu"], interval=_leaf_that_does_not_record), 0), 0.0
        )
