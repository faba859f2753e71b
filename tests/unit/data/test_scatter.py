"""The toy's points."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ibpc.data import Examples, load
from ibpc.errors import FileMistake
from ibpc.language.program import Dataset, Split

PINNED = [[439331, 671193], [106465, 286025]]
"""The first two points of seed 1, in units of the grid."""

TOY = {"n": 13, "positives": 5, "separation": Fraction("0.08"), "seed": 1}


@pytest.fixture
def scattered(declare: Callable[..., Dataset]) -> Callable[..., Examples]:
    def make(**changes: Any) -> Examples:
        dataset = declare("scatter", TOY | changes, (2,), 2)
        return load(Split(dataset, "all"), Path("unused"), download=False)

    return make


def test_points_are_in_the_square_and_apart(scattered: Callable[..., Examples]) -> None:
    points = [[Fraction(float(c)) for c in p] for p in scattered().pixels()]
    assert len(points) == 13
    assert all(0 <= c <= 1 for p in points for c in p)
    for p, q in combinations(points, 2):
        assert max(abs(a - b) for a, b in zip(p, q, strict=True)) >= Fraction("0.08")


def test_the_first_ones_are_positive(scattered: Callable[..., Examples]) -> None:
    assert scattered().labels.tolist() == [1] * 5 + [0] * 8


def test_the_seed_decides(scattered: Callable[..., Examples]) -> None:
    assert scattered().key == scattered().key
    assert scattered().key != scattered(seed=2).key


def test_points_are_the_same_everywhere(scattered: Callable[..., Examples]) -> None:
    # Pinned: verdicts and weights are stored under the content of these points.
    assert scattered(n=2, positives=1).images.tolist() == [
        [c / 2**20 for c in point] for point in PINNED
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n": 10, "separation": Fraction(1, 2)}, "at most 9 fit"),
        ({"n": 9, "separation": Fraction(1, 2)}, "of 9 points"),
        ({"positives": 14}, "14 of 13 points cannot be positive"),
    ],
)
def test_what_cannot_be_is_said(
    scattered: Callable[..., Examples], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(FileMistake, match=said) as caught:
        scattered(**changes)
    assert caught.value.diagnostics[0].code == "E0524"
    assert caught.value.diagnostics[0].at is not None
