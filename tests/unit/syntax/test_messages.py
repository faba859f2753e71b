"""One test for each thing that a broken file is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibpc.errors import Diagnostic, FileMistake, SyntaxMistake
from ibpc.syntax import EXPLANATIONS, parse_expression, parse_file, parse_text

if TYPE_CHECKING:
    from pathlib import Path


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(SyntaxMistake) as caught:
        parse_text(text, "a.ibp")
    assert all(diagnostic.code in EXPLANATIONS for diagnostic in caught.value.diagnostics)
    return caught.value.diagnostics


def places(found: tuple[Diagnostic, ...]) -> list[tuple[str, int, int]]:
    return [(d.code, d.at.line, d.at.column) for d in found if d.at is not None]


def only(text: str, code: str, line: int, column: int) -> Diagnostic:
    """The one mistake of a file, which is this one, here."""
    found = mistakes(text)
    assert places(found) == [(code, line, column)]
    return found[0]


TRAIN = "ibp 1\ntrain fit(f: A) {\n"

ONE_LINE = [
    # text behind `ibp 1`, code, line, column, part of the problem, part of the fix
    ("nett a: A -> B {\n}\n", "E0002", 2, 1, "expected a declaration, found `nett`", "`net`"),
    ("foo = 3\n", "E0002", 2, 1, "found `foo`", "a declaration starts with one of"),
    ("ibp 1\n", "E0002", 2, 1, "once, at the top", ""),
    ("net a: A -> B {\n  conv 16 )\n}\n", "E0007", 3, 11, "`)` closes nothing", ""),
    ("net a: A -> B {\n}\n", "E0001", 3, 1, "expected a layer, found `}`", ""),
    ("net a: A -> B {\n  out\n  3\n}\n", "E0001", 4, 3, "expected a layer or `}`", ""),
    ("net a: A -> B {\n  fc 1 =\n}\n", "E0001", 3, 8, "an option `name = value`", ""),
    ("net a: A -> B\n{\n  out\n}\n", "E0001", 2, 14, "the end of the line", "at the end of this"),
    ("net a A -> B {\n  out\n}\n", "E0001", 2, 7, "expected `:`, found `A`", ""),
    ("net a: A -> B {\n  out\n", "E0006", 2, 15, "`{` is never closed", "add `}`"),
    ("const a = (1 + 2\n", "E0006", 2, 11, "`(` is never closed", "add `)`"),
    ("const a = [1 + 2)\n", "E0007", 2, 17, "`)` cannot close `[`", "write `]`"),
    ("set a() = { x)\n", "E0007", 2, 14, "`)` cannot close `{`", "write `}`"),
    ("unit ft }\n", "E0007", 2, 9, "`}` closes nothing", ""),
    ('import "a.ibp as b\n', "E0008", 2, 8, "not closed", 'end it with `"`'),
    ("import a as b\n", "E0001", 2, 8, 'expected a quoted path "...", found `a`', ""),
    ("const a = 3 ; 4\n", "E0009", 2, 13, "unexpected character `;`", "a line of its own"),
    ("const a = 3 \u2264 4\n", "E0009", 2, 13, "character `\u2264`", "write `<=`"),
    ("const a =\u00a03\n", "E0009", 2, 10, "unexpected character U+00A0", "plain blank"),
    ("const a = \x00\n", "E0009", 2, 11, "unexpected character U+0000", ""),
    ("const a = 8level\n", "E0010", 2, 11, "`8level` is not a number", "`8 level`"),
    ("const a = 1_000\n", "E0010", 2, 11, "is not a number", "write `1000`"),
    ("const a = 1.2.3\n", "E0010", 2, 11, "`1.2.3` is not a number", ""),
    ("const a = .5\n", "E0001", 2, 11, "found `.`", "as in `0.5`"),
    ("const a = 1e999999999\n", "E0011", 2, 11, "out of range", ""),
    ("const a = " + "9" * 401 + "\n", "E0011", 2, 11, "out of range", ""),
    ("const a\n", "E0001", 2, 8, "expected `:` or `=`, found the end of the line", ""),
    ("const a = 1 +\n", "E0001", 2, 14, "expected an expression", ""),
    ("unit a = = 3\n", "E0001", 2, 10, "expected an expression, found `=`", ""),
    ("enum E { a b }\n", "E0001", 2, 12, "expected `,` or the end of the line", ""),
    ("type T = 3\n", "E0001", 2, 10, "expected a type, found `3`", ""),
    ("spec s() {\n  z = 3\n}\n", "E0001", 3, 5, "found `=`", "to compare, write `==`"),
    ("run r {\n}\n", "E0001", 3, 1, "expected a call, found `}`", ""),
    ("set s = 3\n", "E0001", 2, 7, "`(`", ""),
    ("sweep s {\n  a [1]\n  run f()\n}\n", "E0001", 3, 5, "expected `in`, found `[`", ""),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "problem", "fix"), ONE_LINE)
def test_a_mistake_is_located_and_explained(
    text: str, code: str, line: int, column: int, problem: str, fix: str
) -> None:
    found = only("ibp 1\n" + text, code, line, column)
    assert problem in found.problem
    assert fix in found.fix
    assert bool(fix) == bool(found.fix) or not fix


@pytest.mark.parametrize(
    ("line", "column", "fix"),
    [
        ("lr(t) = 1e-3 unti 5k, 1", 19, "did you mean `until`?"),
        ("lr(t) = 1 until 5k, linear too 3 at 4", 28, "did you mean `to`?"),
        ("steps == 3", 7, "write one `=`"),
    ],
)
def test_a_slip_in_a_setting_gets_a_suggestion(line: str, column: int, fix: str) -> None:
    found = mistakes(TRAIN + line + "\n}\n")
    assert places(found) == [("E0001", 3, column)]
    assert fix in found[0].fix


def test_a_mistyped_word_of_a_cascade_gets_a_suggestion() -> None:
    text = "ibp 1\nverify v() {\n  report a = by ibp thn pgd\n  reprt b = by ibp\n}\n"
    found = mistakes(text)
    assert places(found) == [("E0001", 3, 21), ("E0001", 4, 9)]
    assert [d.fix for d in found] == ["did you mean `then`?", "did you mean `report`?"]


def test_a_missing_value_is_told_where_the_line_ends() -> None:
    found = only(TRAIN + "  batch =   # how many?\n\n  steps = 3\n}\n", "E0001", 3, 10)
    assert found.problem == "expected an expression, found the end of the line"


def test_every_broken_line_of_a_block_gets_its_own_message() -> None:
    text = TRAIN + "  a = 1 2\n  b = 3\n  c 4\n  d = )\n}\nnett x\nunit 5\n"
    assert places(mistakes(text))[-2:] == [("E0002", 8, 1), ("E0001", 9, 6)]
    text = TRAIN + "  a = 1 2\n  b = 3\n  c 4\n  d = *\n  e = 1\n}\n"
    assert [line for _, line, _ in places(mistakes(text))] == [3, 5, 6]


def test_recovery_steps_over_inner_blocks() -> None:
    text = (
        "ibp 1\nnet a: A -> B {\n  residual 5 {\n    fc = 3\n  } else {\n    fc 1\n  }\n"
        "  residual {\n    fc 1 1\n  }\n  fc +\n}\n"
    )
    assert [line for _, line, _ in places(mistakes(text))] == [3, 9, 11]


def test_a_lost_brace_costs_one_declaration() -> None:
    text = "ibp 1\nnet a: A -> B {\n  fc (1\nnet b: A -> B {\n  fc 1 1\n}\nunit = 3\n"
    assert places(mistakes(text)) == [("E0006", 3, 6), ("E0001", 5, 8), ("E0001", 7, 6)]


def test_a_lost_brace_points_at_what_came_first() -> None:
    found = only("ibp 1\nnet a: A -> B {\n  fc 1 a = (3\n}\nunit ft\n", "E0006", 3, 12)
    assert found.related[0].at.line == 4


def test_at_most_twenty_mistakes_are_told() -> None:
    assert len(mistakes("ibp 1\n" + "unit 3\n" * 100)) == 20


def test_a_missing_edition_line_is_told_with_all_else() -> None:
    found = mistakes("unit ft\nunit 3\n")
    assert places(found) == [("E0003", 1, 1), ("E0001", 2, 6)]
    assert "write `ibp 1`" in found[0].fix


def test_an_unknown_edition_is_all_that_is_told() -> None:
    found = only("ibp 2\nunit 3\n", "E0004", 1, 5)
    assert "unknown edition 2" in found.problem


@pytest.mark.parametrize("text", ["ibp\n", "ibp one\n"])
def test_an_edition_line_needs_its_number(text: str) -> None:
    assert "expected a number" in mistakes(text)[0].problem


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "\ufeff"])
def test_an_empty_file_says_how_to_start(text: str) -> None:
    assert "`ibp 1`" in only(text, "E0005", 1, 1).fix


@pytest.mark.parametrize(
    "text",
    [
        "const a = " + "(" * 10_000 + "1" + ")" * 10_000,
        "const a = " + "[" * 10_000 + "1" + "]" * 10_000,
        "const a = " + "-" * 10_000 + "1",
        "const a = 1" + "+1" * 10_000,
        "const a = " + "x." * 10_000 + "y",
        "const a = " + "x => " * 10_000 + "y",
        "spec s() {\n" + "not " * 10_000 + "x\n}",
        "net a: A -> B {\n" + "residual {" * 10_000 + "fc 1" + "}" * 10_000 + "\n}",
    ],
    ids=["parens", "lists", "minus", "sum", "members", "implies", "not", "residual"],
)
def test_deep_nesting_is_a_mistake_and_not_a_crash(text: str) -> None:
    found = mistakes("ibp 1\n" + text + "\n")
    assert [d.code for d in found] == ["E0012"]


def test_an_expression_on_the_command_line_is_bounded_too() -> None:
    with pytest.raises(SyntaxMistake, match="nested too deeply"):
        parse_expression("(" * 10_000 + "1" + ")" * 10_000, "-p eps")


@pytest.mark.parametrize("text", ["", "   ", "1 2", "1)", "a = 3", "\n", "1\n2", "ibp 1", '"'])
def test_an_expression_that_is_none_is_told(text: str) -> None:
    with pytest.raises(SyntaxMistake):
        parse_expression(text, "-p eps")


# --- files -----------------------------------------------------------------------------------


def file_mistake(path: Path | str) -> Diagnostic:
    with pytest.raises(FileMistake) as caught:
        parse_file(path)
    assert caught.value.diagnostics[0].code in EXPLANATIONS
    return caught.value.diagnostics[0]


def test_an_absent_file_gets_a_suggestion_among_its_siblings(tmp_path: Path) -> None:
    (tmp_path / "mnist.ibp").write_text("ibp 1\n")
    found = file_mistake(tmp_path / "mnits.ibp")
    assert "no such file" in found.problem
    assert str(tmp_path / "mnist.ibp") in found.fix


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert "is a folder" in file_mistake(tmp_path).problem


def test_a_path_through_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ibp").write_text("ibp 1\n")
    assert "cannot read" in file_mistake(tmp_path / "a.ibp" / "b.ibp").problem


def test_a_path_with_a_nul_is_told() -> None:
    assert "cannot read" in file_mistake("a\0b.ibp").problem


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.ibp"
    path.write_bytes(b"#" * (2**22 + 1))
    assert "too large" in file_mistake(path).problem


def test_a_nul_byte_is_located(tmp_path: Path) -> None:
    path = tmp_path / "a.ibp"
    path.write_bytes(b"ibp 1\nunit \0ft\n")
    with pytest.raises(SyntaxMistake) as caught:
        parse_file(path)
    assert places(caught.value.diagnostics) == [("E0014", 2, 6)]


def test_a_byte_that_is_not_utf8_is_located(tmp_path: Path) -> None:
    path = tmp_path / "a.ibp"
    path.write_bytes("ibp 1\n# \u00e9t\u00e9 ".encode() + b"\xff\n")
    with pytest.raises(SyntaxMistake) as caught:
        parse_file(path)
    assert places(caught.value.diagnostics) == [("E0013", 2, 7)]
    assert "0xFF" in caught.value.diagnostics[0].problem


def test_every_code_has_an_explanation_and_is_of_this_room() -> None:
    assert all(code.startswith(("E00", "E05")) for code in EXPLANATIONS)
    assert all(text.endswith(".") for text in EXPLANATIONS.values())
