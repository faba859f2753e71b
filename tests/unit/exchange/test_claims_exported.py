"""Claims written as VNN-LIB 1.0 and 2.x and read again give the same boxes and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from drawn_claims import Drawn, general

from ibpc.exchange import (
    Property,
    claim_property,
    outward_boxes,
    parse_property,
    row_matrices,
    write_vnnlib1,
    write_vnnlib2,
)
from ibpc.language import DeclaredNet

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.language import VerifyTask

BODIES = [
    "z[0] <= z[1] and z[1] < z[2] / 3",
    "z[0] <= 0.1 or z[1] <= 1/3 and z[2] > 2",
    "x[0] <= 0.5 => minimal(z, 2)",
    "[[1, -1, 0.25], [1/7, 0, 1]] @ z <= [1, 2]",
    "exists k in [0 .. 2]: k != 1 and z[k] < z[1]",
    "z[0] == z[1] => z[2] != 0",
]


def exported(task: VerifyTask) -> Property:
    assert isinstance(task.network, DeclaredNet)
    kind = task.network.input
    return claim_property(task.claim, kind, [0.0] * kind.entries, 0)


def same_matrices(one: Property, other: Property) -> None:
    for mine, theirs in zip(one.disjuncts, other.disjuncts, strict=True):
        left, right = row_matrices(mine, one), row_matrices(theirs, other)
        for name in ("outputs", "inputs", "bound", "strict"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    boxes = zip(outward_boxes(one.disjuncts), outward_boxes(other.disjuncts), strict=True)
    for side, again in boxes:
        np.testing.assert_array_equal(side, again)


def round_trip(given: Property) -> None:
    second = parse_property(write_vnnlib2(given))
    assert second == given
    same_matrices(given, second)
    first = parse_property(write_vnnlib1(given))
    assert first == given.closed()
    same_matrices(given.closed(), first)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("word", ["forall", "exists"])
def test_every_form_comes_back(body: str, word: str, tmp_path: Path) -> None:
    round_trip(exported(general(tmp_path, body, word)))


@pytest.mark.parametrize("seed", range(100, 140))
def test_drawn_claims_come_back(seed: int, tmp_path: Path) -> None:
    drawn = Drawn(seed)
    text, _ = drawn.body(2)
    round_trip(exported(general(tmp_path, text, drawn.random.choice(["forall", "exists"]))))
