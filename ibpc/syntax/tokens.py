"""Cuts a text into tokens, and says what is wrong with the stretches that are none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ibpc.errors import Diagnostic
from ibpc.syntax import codes

if TYPE_CHECKING:
    from ibpc.syntax.automaton import Tables
    from ibpc.syntax.source import Source

MAX_NUMBER = 400

_SUBSTITUTES = {
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
    "\u2212": "-",
    "\u2013": "-",
    "\u00d7": "x",
    "\u00b7": "*",
    "\u2192": "->",
    "\u21d2": "=>",
    "\u2200": "forall",
    "\u2203": "exists",
    "\u2227": "and",
    "\u2228": "or",
    "\u00ac": "not",
    "\u201c": '"',
    "\u201d": '"',
    "\u00a0": " ",
    "'": '"',
    "!": "not",
    "&": "and",
    "|": "or",
    "%": "/ 100",
    "\u03b5": "eps",
    "\u03ba": "kappa",
}
_NUMBER_LIKE = re.compile(r"[0-9][0-9A-Za-z_.']*")
_NUMBER_UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z_][A-Za-z0-9_]*)$")


class Token(NamedTuple):
    """A word of the language: its terminal, its text, and where it stands (offsets)."""

    kind: str
    text: str
    start: int
    end: int


class Scan(NamedTuple):
    """The tokens of a text, its comments, and what is wrong; kind BAD stands for the wrong."""

    tokens: list[Token]
    comments: list[Token]
    problems: list[Diagnostic]


def scan(source: Source, tables: Tables) -> Scan:
    """Cuts the whole text; newlines are tokens `_NL`, blanks are dropped."""
    result = Scan([], [], [])
    text, match = source.text, tables.lexer.match
    offset = 0
    while offset < len(text):
        found = match(text, offset)
        assert found is not None, "the lexer's last alternative takes any character"
        kind = found.lastgroup or ""
        end = found.end()
        if kind == "BAD":
            end = _bad(source, offset, result.problems)
        elif kind in {"NUMBER", "KERNEL"} and not _bounded(found.group()):
            result.problems.append(_huge(source, offset, end))
            kind = "BAD"
        if kind == "COMMENT":
            result.comments.append(Token(kind, found.group(), offset, end))
        elif kind != "BLANK":
            result.tokens.append(Token(kind, text[offset:end], offset, end))
        offset = end
    return result


def _bounded(text: str) -> bool:
    """Whether a number is small enough to be held exactly."""
    exponent = re.search(r"[eE][+-]?([0-9]+)", text)
    return len(text) <= MAX_NUMBER and (exponent is None or int(exponent[1]) <= MAX_NUMBER)


def _huge(source: Source, start: int, end: int) -> Diagnostic:
    return Diagnostic(
        codes.HUGE_NUMBER,
        "this number is out of range",
        source.span(start, end),
        f"at most {MAX_NUMBER} characters, exponents from -{MAX_NUMBER} to {MAX_NUMBER}",
    )


def _bad(source: Source, start: int, problems: list[Diagnostic]) -> int:
    """Reports the stretch at `start` that is no token, and says where it ends."""
    sign = source.text[start]
    if sign == '"':
        return _unclosed_text(source, start, problems)
    number = _NUMBER_LIKE.match(source.text, start)
    if number:
        problems.append(_bad_number(source, number.group(), start, number.end()))
        return number.end()
    end = start + 1
    shown = f"`{sign}`" if sign.isprintable() and not sign.isspace() else f"U+{ord(sign):04X}"
    substitute = _SUBSTITUTES.get(sign, "")
    fix = "put each statement on a line of its own" if sign == ";" else ""
    if substitute:
        fix = "write a plain blank" if substitute == " " else f"write `{substitute}`"
    at = source.span(start, end)
    problems.append(Diagnostic(codes.BAD_CHARACTER, f"unexpected character {shown}", at, fix=fix))
    return end


def _unclosed_text(source: Source, start: int, problems: list[Diagnostic]) -> int:
    end = source.text.find("\n", start)
    end = len(source.text) if end < 0 else end
    problems.append(
        Diagnostic(
            codes.UNCLOSED_TEXT,
            "this quoted text is not closed",
            source.span(start, start + 1),
            "opened here",
            'end it with `"` on the same line',
        )
    )
    return end


def _bad_number(source: Source, text: str, start: int, end: int) -> Diagnostic:
    unit = _NUMBER_UNIT.match(text)
    fix = f"put a blank before the unit: `{unit[1]} {unit[2]}`" if unit else ""
    if "_" in text and text.replace("_", "").isdigit():
        fix = f"write `{text.replace('_', '')}`"
    return Diagnostic(
        codes.BAD_NUMBER, f"`{text}` is not a number", source.span(start, end), fix=fix
    )
