from __future__ import annotations

import gzip
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property_texts import SMALL, SMALL_2, image, properties

from ibpc.exchange import (
    PropertyMistake,
    parse_property,
    read_property,
    source,
    write_vnnlib1,
    write_vnnlib2,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.exchange import Property


def code_of(text: str | bytes) -> str:
    with pytest.raises(PropertyMistake) as caught:
        parse_property(text)
    return caught.value.diagnostics[0].code


def test_both_versions_say_the_same() -> None:
    assert parse_property(SMALL) == parse_property(SMALL_2)


def test_the_interface_is_told_apart() -> None:
    found = parse_property(SMALL_2).interface
    assert (found.version, found.network) == ("2.0", "f")
    assert (found.input.name, found.input.kind, found.input.shape) == ("X", "real", (1, 2))
    assert parse_property(SMALL).interface.input.shape == (2,)


@pytest.mark.parametrize("text", [SMALL, SMALL_2], ids=["1.0", "2.0"])
def test_a_file_is_read_plain_or_packed_whatever_its_name(text: str, tmp_path: Path) -> None:
    expected = parse_property(text)
    for name, data in (
        ("plain.vnnlib", text.encode()),
        ("packed.vnnlib.gz", gzip.compress(text.encode())),
        ("plain.vnnlib.gz", text.encode()),
        ("packed.vnnlib", gzip.compress(text.encode())),
        ("two.gz", gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode())),
        ("padded.gz", gzip.compress(text.encode()) + b"\0" * 100),
        ("dos.vnnlib", text.replace("\n", "\r\n").encode()),
        ("marked.vnnlib", b"\xef\xbb\xbf" + text.encode()),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        assert read_property(path) == expected, name


def test_a_place_in_a_packed_file_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "wrong.vnnlib.gz"
    path.write_bytes(gzip.compress(SMALL.replace("X_1 1.0", "X_7 1.0").encode()))
    with pytest.raises(PropertyMistake) as caught:
        read_property(path)
    message = str(caught.value)
    assert f"{path}:7:13" in message
    assert "(assert (<= X_7 1.0))" in message


def test_of_a_long_line_the_part_around_the_place_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "long.vnnlib"
    path.write_text(SMALL.replace("\n", " ") * 50)
    with pytest.raises(PropertyMistake) as caught:
        read_property(str(path).replace("long", "absent"))
    path.write_text(SMALL.replace("\n", " ") + "; x" * 2000 + "\n" + " " * 5000 + "(assert x)")
    with pytest.raises(PropertyMistake) as caught:
        read_property(path)
    assert max(map(len, str(caught.value).splitlines())) < 400
    assert "(assert x)" in str(caught.value)


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    packed = gzip.compress(SMALL.encode())
    for name, data, words in (
        ("cut.gz", packed[:-12], "ends in the middle"),
        ("broken.gz", packed[:30] + b"\xff\xff\xff" + packed[33:], "damaged gzip"),
        ("tail.gz", packed + b"tail", "damaged gzip"),
        ("nul", SMALL.encode() + b"\0", "NUL byte"),
        ("latin", SMALL.encode() + b"; \xe9", "byte 0xE9"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(PropertyMistake, match=words):
            read_property(path)
    for absent in (tmp_path, tmp_path / "absent", "a\0b"):
        with pytest.raises(PropertyMistake, match="cannot read"):
            read_property(absent)


def test_a_small_file_cannot_unpack_to_a_huge_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 2**20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b" " * 2**24))
    assert path.stat().st_size < 2**15
    with pytest.raises(PropertyMistake, match="more than 1 MiB"):
        read_property(path)


def test_nesting_has_a_limit_and_needs_no_recursion() -> None:
    deep = SMALL.replace("(<= Y_0 Y_1)", "(and " * 9000 + "(<= Y_0 Y_1)" + ")" * 9000)
    assert parse_property(deep) == parse_property(SMALL)
    assert code_of(SMALL + "(assert " + "(and " * 10_001) == "E0906"
    terms = "(+ 1.0 " * 4000 + "Y_0" + ")" * 4000
    given = parse_property(SMALL + f"(assert (<= {terms} 0))")
    assert -4000 in {row.bound for row in given.disjuncts[0].rows}


def test_a_product_of_disjunctions_has_a_limit() -> None:
    either = "(assert (or (<= Y_0 1) (<= Y_1 1)))\n"
    assert len(parse_property(SMALL + either * 5).disjuncts) == 64
    start = time.perf_counter()
    with pytest.raises(PropertyMistake, match="131072 cases") as caught:
        parse_property(SMALL + either * 60)
    assert time.perf_counter() - start < 10
    assert caught.value.diagnostics[0].code == "E0920"
    nested = "(and " + "(or (<= Y_0 1) (<= Y_1 1)) " * 60 + ")"
    assert code_of(SMALL + f"(assert {nested})") == "E0920"


def test_numbers_cannot_grow_without_limit() -> None:
    grown = "(* 123456789 " * 2000 + "Y_0" + ")" * 2000
    assert code_of(SMALL + f"(assert (<= {grown} 0))") == "E0909"
    assert code_of(SMALL + f"(assert (<= Y_0 {'9' * 1001}))") == "E0909"


def test_warnings_of_one_kind_are_counted() -> None:
    given = parse_property(SMALL + "(check-sat)" * 40)
    (warning,) = given.warnings
    assert warning.notes == ("39 more like this",)


@settings(max_examples=60, deadline=None)
@given(properties(), st.integers(0, 2**32), st.sampled_from([write_vnnlib1, write_vnnlib2]))
def test_both_tiers_give_the_same_property(given: Property, seed: int, write: object) -> None:
    """Over texts whose blanks, comments and order of assertions are shuffled."""
    import random

    draw = random.Random(seed)
    assert callable(write)
    lines = write(given).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("(assert"))
    body = "\n".join(lines[start:]).split("(assert")[1:]
    draw.shuffle(body)
    spread = [
        part.replace(" ", draw.choice([" ", "  ", "\n", "\t"])).replace(
            ")", draw.choice([")", " )", ")\n"])
        )
        for part in body
    ]
    text = "\n".join(lines[:start]) + "".join(
        draw.choice(["", "\n", " ; note (\n"]) + draw.choice(["(assert", "( assert"]) + part
        for part in spread
    )
    fast, full = parse_property(text), parse_property(text, flat=False)
    assert fast == full
    assert fast.interface == full.interface
    assert [one.code for one in fast.warnings] == [one.code for one in full.warnings]


def test_the_fast_tier_really_reads_ordinary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full parser is not called for any statement of an image's file."""
    from ibpc.exchange import vnnlib1

    expected = parse_property(image(50, 10), flat=False)

    def refuse(*_: object) -> None:
        raise AssertionError("the full parser was called")

    monkeypatch.setattr(vnnlib1, "read_form", refuse)
    assert parse_property(image(50, 10)) == expected


@pytest.mark.slow
def test_16_megabytes_are_read_in_under_10_seconds(tmp_path: Path) -> None:
    path = tmp_path / "image.vnnlib"
    path.write_text(image(3 * 224 * 224, 1000))
    assert path.stat().st_size > 16e6
    start = time.perf_counter()
    found = read_property(path)
    seconds = time.perf_counter() - start
    assert (found.inputs, len(found.disjuncts)) == (150528, 999)
    assert seconds < 10, seconds


def test_importing_the_room_loads_nothing_heavy() -> None:
    script = (
        "import sys, ibpc.exchange as e; e.parse_property; e.write_vnnlib1; e.claim_property;"
        "print(sorted({'torch', 'onnx', 'numpy', 'networkx', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
