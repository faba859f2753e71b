"""VNN-LIB files: those of the long forms, and what takes a file, or many words."""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from occasion import OCCASIONS, occasion, small_network

from ibpc.cli.long_forms import long_forms
from ibpc.cli.spec_query import spec_query
from ibpc.exchange import export_notes, parse_property, read_property, read_witness

if TYPE_CHECKING:
    import pytest

    from ibpc.errors import Diagnostic

BOUNDED = """\
(declare-const X_0 Real)
(declare-const Y_0 Real)
(assert (>= X_0 0.0))
(assert (<= X_0 1.0))
"""


def _example(text: str, *_: Any) -> tuple[Diagnostic, ...]:
    Path("example.vnnlib").write_text(text, encoding="utf-8")
    return parse_property(text, "example.vnnlib").warnings


for form in long_forms().values():
    example = form.example()
    if example is not None and example[0] == "Property":
        OCCASIONS[form.code] = partial(_example, example[2])


@occasion("E0901")
def absent(_: Path, __: pytest.MonkeyPatch) -> None:
    read_property("absent.vnnlib")


@occasion("E0902")
def bomb(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ibpc.exchange.source.MAX_BYTES", 2**20)
    Path("bomb.vnnlib.gz").write_bytes(gzip.compress(b" " * 2**21, mtime=0))
    read_property("bomb.vnnlib.gz")


@occasion("E0903")
def network(_: Path, __: pytest.MonkeyPatch) -> None:
    Path("model.onnx").write_bytes(b"\x08\x08\x12\x00pytorch")
    read_property("model.onnx")


@occasion("E0906")
def chain(_: Path, __: pytest.MonkeyPatch) -> None:
    parse_property(BOUNDED + "(assert " + "(or " * 10_001 + ")" * 10_002, "example.vnnlib")


@occasion("E0920")
def thirty_disjunctions(_: Path, __: pytest.MonkeyPatch) -> None:
    cases = "".join(f"(assert (or (<= Y_0 {k}.0) (>= Y_0 {k}.5)))\n" for k in range(30))
    parse_property(BOUNDED + cases, "example.vnnlib")


@occasion("E0923")
def cut_off(_: Path, __: pytest.MonkeyPatch) -> None:
    read_witness("((X_0 0.25)\n (Y_0 ", 1, 1)


@occasion("E0924")
def constant_map(_: Path, __: pytest.MonkeyPatch) -> None:
    Path("theirs.onnx").write_bytes(small_network())
    Path("spec.ibp").write_text(
        "ibp 1\n\ntype Point = real[2] in [0 .. 1]\n\n"
        'net theirs: Point -> real[2] = onnx("theirs.onnx") {\n    input = 0 * x\n}\n\n'
        "spec low(f: Point -> real[2]) {\n    forall x in Point, z = f(x): z[0] <= x[0]\n}\n",
        encoding="utf-8",
    )
    spec_query("spec.ibp", "low", {})


@occasion("W0906")
def strict(_: Path, __: pytest.MonkeyPatch) -> tuple[Diagnostic, ...]:
    return export_notes(parse_property(BOUNDED + "(assert (< Y_0 0.0))", "example.vnnlib"), 1)


@occasion("W0907")
def a_third(_: Path, __: pytest.MonkeyPatch) -> tuple[Diagnostic, ...]:
    text = BOUNDED + "(assert (<= (* 3 X_0) 1))(assert (<= Y_0 0.0))"
    return export_notes(parse_property(text, "example.vnnlib"), 1)
