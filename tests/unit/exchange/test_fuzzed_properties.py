"""Mutated files: a property or a message, in bounded time; never another exception."""

from __future__ import annotations

import gzip
import random
import re
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from property_texts import SMALL, SMALL_2, image

from ibpc.errors import IbpcError
from ibpc.exchange import (
    PropertyMistake,
    export_notes,
    parse_property,
    read_property,
    write_vnnlib1,
    write_vnnlib2,
)

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = """\
(vnnlib-version <2.1>)
(declare-network f (declare-input X float32 [2] initialized) (declare-output Y float32 [1]))
(declare-network g (isomorphic-to f) (declare-input Z float32 [2])
  (declare-hidden H float32 [4] "relu_1") (declare-output W float32 [1]))
(assert (or (!= Y[0] W[0]) (<= (- (* 2.0 H[3]) Z[1]) 0.5)))
"""
SEEDS = (SMALL, SMALL_2, HIDDEN, image(4, 3))
PIECES = (
    *("(", ")", "[", "]", ",", '"', ";", "\n", "\\", "\0", "\ufeff", "é", "-", ".", "e", "/"),
    *("(and ", "(or ", "(not ", "(assert ", "(* ", "(+ ", "(<= ", "inf", "nan", "<2.0>"),
    *("X_99999999", "X_4000000000", "Y_0", "X_0", "[99999999,99999999]", "1e400", "1e-400", "0.0"),
    "999999999999999999999999",
)


def mutated(text: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 3)):
        text = changed(text, draw)
    return text


def changed(text: str, draw: random.Random) -> str:
    """A text with a piece put in, a stretch, line, word, sign or digit changed, or its end cut."""
    lines = text.split("\n")
    line = draw.randrange(len(lines))
    at, to = sorted((draw.randint(0, len(text)), draw.randint(0, len(text))))
    digit = draw.choice([found.start() for found in re.finditer(r"\d", text)] or [0])
    changes = (
        lambda: text[:at] + draw.choice(PIECES) + text[at:],
        lambda: text[:at] + text[min(to, at + 12) :],
        lambda: text[:at],
        lambda: text[:to] + text[at:to] + text[to:],
        lambda: text[:at] + draw.choice(PIECES) * draw.randint(2, 300) + text[at:],
        lambda: text.replace(draw.choice(text.split() or ["x"]), draw.choice(PIECES), 2),
        lambda: "\n".join(lines[:line] + lines[line + 1 :]),
        lambda: "\n".join([*lines, lines[line]]),
        *[lambda: text[:digit] + str(draw.randrange(10)) + text[digit + 1 :]] * 4,
        *[lambda: text.replace(draw.choice("<>"), draw.choice("<>="), draw.randint(1, 3))] * 2,
    )
    return draw.choice(changes)()


@pytest.mark.parametrize("part", range(4))
def test_2000_mutated_files_give_a_property_or_a_message(part: int) -> None:
    draw = random.Random(part)
    outcomes = Counter(judged(mutated(SEEDS[part], draw)) for _ in range(500))
    assert outcomes["message"] > 100
    assert outcomes["property"] > 50 or part == 2


def judged(text: str) -> str:
    """What a text is; a property is the same in both tiers and after writing."""
    start = time.perf_counter()
    try:
        found = parse_property(text)
    except IbpcError as error:
        message = str(error)
        assert time.perf_counter() - start < 5
        return "message" if message.startswith("error[E09") else message
    assert parse_property(text, flat=False) == found
    if found.inputs < 1000 and found.outputs < 1000:
        assert export_notes(found, 2) or parse_property(write_vnnlib2(found)) == found
        assert export_notes(found, 1) or parse_property(write_vnnlib1(found)) == found
    assert time.perf_counter() - start < 5
    return "property"


def test_mutated_bytes_of_packed_files_give_a_property_or_a_message(tmp_path: Path) -> None:
    draw = random.Random(9)
    path = tmp_path / "property.vnnlib.gz"
    for _ in range(200):
        data = bytearray(gzip.compress(SMALL.encode()))
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(data[: draw.choice([len(data), draw.randrange(len(data))])]))
        # What an input without checksums says does not matter here, only how.
        with suppress(PropertyMistake):
            read_property(path)
