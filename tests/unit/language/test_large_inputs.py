"""Inputs of many entries: what is alike is worked out once, and what is too large is told soon."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from language_texts import mistakes, program

if TYPE_CHECKING:
    from pathlib import Path

BOX = """
type Wide = real[SIZE] in [0 .. 1]

net f: Wide -> real[1] {
    out
}

spec mine(h: Wide -> real[1]) {
    forall x in box(-1/4, 1/4): h(x)[0] <= 0
}

verify v(g: Wide -> real[1] = f) {
    spec = mine(g)
    report r = by ibp
}
"""
TWO = BOX.replace(
    "x in box(-1/4, 1/4): h(x)[0] <= 0",
    "x in box(0, 1/4), u in box(0, 1): agree(x, u) => h(x)[0] <= h(u)[0]",
)


def test_a_box_of_two_numbers_is_cut_once(tmp_path: Path) -> None:
    began = time.process_time()
    found = program(tmp_path, BOX.replace("SIZE", "300000")).targets["v"].tasks[0]
    assert time.process_time() - began < 5  # entry by entry it took longer than that
    given = found.claim.set  # type: ignore[union-attr]
    assert (set(given.lower), set(given.upper)) == ({Fraction(0)}, {Fraction(1, 4)})
    assert len(given.lower) == len(given.upper) == 300_000


@pytest.mark.parametrize("size", ["60000", "1281167"])
def test_a_claim_that_is_too_large_is_told_before_it_is_written_out(
    tmp_path: Path, size: str
) -> None:
    began = time.process_time()
    assert mistakes(tmp_path, TWO.replace("SIZE", size)) == ["E0208"]
    assert time.process_time() - began < 5
