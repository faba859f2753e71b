"""The tables: of this grammar only, without conflicts, the same each time, cheap to load."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ibpc.errors import FileMistake
from ibpc.syntax import automaton, parse_text
from ibpc.syntax.grammar_tables import START_SYMBOLS, compile_grammar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUDGET = 0.3
"""CPU seconds for starting Python and parsing all specs; measured: 0.11."""


@pytest.fixture
def grammar(root: Path) -> str:
    return (root / "grammar" / "ibp.lark").read_text(encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grammar: str) -> Iterator[Path]:
    """A folder that stands for an installed `ibpc/syntax`, with the grammar and no tables."""
    (tmp_path / "ibp.lark").write_text(grammar, encoding="utf-8")
    monkeypatch.setattr(automaton, "_HERE", tmp_path)
    automaton.load_tables.cache_clear()
    yield tmp_path
    automaton.load_tables.cache_clear()


def test_the_grammar_has_no_conflicts(
    grammar: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lark

    monkeypatch.setattr(lark.logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger="lark"):
        lark.Lark(grammar, parser="lalr", lexer="basic", start=list(START_SYMBOLS), debug=True)
    assert not [line for line in caplog.messages if "onflict" in line]


def test_a_conflict_would_be_seen(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lark

    monkeypatch.setattr(lark.logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger="lark"):
        lark.Lark('start: start "+" start | "a"', parser="lalr", debug=True)
    assert [line for line in caplog.messages if "onflict" in line]


def test_the_same_grammar_gives_the_same_tables(grammar: str) -> None:
    assert compile_grammar(grammar) == compile_grammar(grammar)


def test_every_comment_line_of_an_example_parses(grammar: str) -> None:
    """The one-line examples above the rules are the language."""
    heads = ("import ", "from ", "param ", "const ", "unit ", "type ", "enum ")
    examples = [
        line.removeprefix("// ").split("   ")[0]
        for line in grammar.splitlines()
        if line.startswith("// ") and line.removeprefix("// ").startswith(heads)
    ]
    examples = [line for line in examples if line.startswith(('import "', 'from "')) or "=" in line]
    assert len(examples) > 5
    for example in examples:
        parse_text(f"ibp 1\n{example}\n", "a.ibp")


def test_without_tables_they_are_built_and_kept(elsewhere: Path, grammar: str) -> None:
    assert "net" in automaton.load_tables().words
    assert (elsewhere / "tables.json").read_text(encoding="utf-8") == compile_grammar(grammar)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"grammar": "of another one"}', "null"])
def test_stale_or_broken_tables_are_never_used(elsewhere: Path, damage: str, grammar: str) -> None:
    (elsewhere / "tables.json").write_text(damage, encoding="utf-8")
    assert "net" in automaton.load_tables().words
    assert (elsewhere / "tables.json").read_text(encoding="utf-8") == compile_grammar(grammar)


def test_fitting_tables_need_no_lark(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, grammar: str
) -> None:
    (elsewhere / "tables.json").write_text(compile_grammar(grammar), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "lark", None)
    assert "net" in automaton.load_tables().words


def test_without_tables_and_lark_the_user_learns_what_to_install(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lark", None)
    with pytest.raises(FileMistake, match="tables are missing"):
        automaton.load_tables()


def test_parsing_all_specs_is_cheap_and_imports_nothing_heavy(root: Path) -> None:
    automaton.load_tables()
    code = (
        "import json, sys, time\n"
        "from ibpc.syntax import parse_file\n"
        "for path in sys.argv[1:]: parse_file(path)\n"
        "print(json.dumps([time.process_time(), sorted(sys.modules)]))\n"
    )
    specs = [str(path) for path in sorted((root / "specs").glob("*.ibp"))]
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", code, *specs],
                cwd=root,
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )
        for _ in range(3)
    ]
    heavy = {"lark", "torch", "numpy", "onnx", "networkx", "mip"}
    assert not heavy & {name.split(".")[0] for name in runs[0][1]}
    assert min(seconds for seconds, _ in runs) < BUDGET
