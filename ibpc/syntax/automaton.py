"""Loads the parser's tables: from the file made at build time, else from the grammar itself."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ibpc.errors import Diagnostic, FileMistake
from ibpc.syntax import codes
from ibpc.syntax.grammar_tables import compile_grammar, fingerprint

_HERE = Path(__file__).parent


class Rule(NamedTuple):
    """One production: what it makes, and of which children (see `compile_grammar`).

    `renames`: its one symbol stands for the whole, as a number does for a sum of one term.
    """

    origin: str
    action: str
    length: int
    plan: list[int | None]
    symbols: list[str]
    renames: bool


class Tables(NamedTuple):
    """Lexer and LALR(1) automaton of the grammar (see `compile_grammar` for the fields)."""

    lexer: re.Pattern[str]
    words: dict[str, str]
    signs: dict[str, str]
    rules: list[Rule]
    states: list[dict[str, int]]
    starts: dict[str, int]
    ends: dict[str, int]


@cache
def load_tables() -> Tables:
    """The tables of the grammar that lies beside this file, or in `grammar/` of a checkout.

    Tables of any other grammar are never used: they carry its hash.

    Raises:
        FileMistake: there are no fitting tables, and lark is not installed to build them.
    """
    grammar = _grammar()
    place = _HERE / "tables.json"
    data = _stored(place, grammar)
    if data is None:
        try:
            text = compile_grammar(grammar)
        except ImportError:
            raise FileMistake(
                Diagnostic(
                    codes.NO_TABLES,
                    "the parser's tables are missing, and lark is not installed to build them",
                    fix="install ibpc again, or run `pip install lark==1.3.1`",
                )
            ) from None
        _store(place, text)
        data = json.loads(text)
    rules = [
        Rule(origin, action, length, plan, symbols, (action, plan) == ("", [0]) and length == 1)
        for (origin, action, length, plan), symbols in zip(
            data["rules"], data["symbols"], strict=True
        )
    ]
    lexer = re.compile(data["lexer"] + r"|(?P<BAD>.)")
    return Tables(
        lexer, data["words"], data["signs"], rules, data["states"], data["starts"], data["ends"]
    )


def _grammar() -> str:
    packaged = _HERE / "ibp.lark"
    path = packaged if packaged.exists() else _HERE.parents[1] / "grammar" / "ibp.lark"
    return path.read_text(encoding="utf-8")


def _stored(place: Path, grammar: str) -> Any:
    """The tables in the file `place`, or None where there are none for this grammar."""
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fits = isinstance(data, dict) and data.get("grammar") == fingerprint(grammar)
    return data if fits else None


def _store(place: Path, text: str) -> None:
    """Keeps the tables for the next run, as Python keeps its byte code: where it may."""
    mine = place.with_suffix(f".{os.getpid()}")
    try:
        mine.write_text(text, encoding="utf-8")
        mine.replace(place)
    except OSError:
        return
