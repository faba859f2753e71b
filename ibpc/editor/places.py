"""Where in a text a cursor stands: the word, the block and the call around it, the line so far.

Works on the words of the text up to the cursor, so half a line is as good as a whole one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ibpc.syntax import DECLARATION_WORDS, Source, tokenise

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_']*")
_OPENERS, _CLOSERS = {"(", "[", "{"}, {")", "]", "}"}
_GOING_ON = {",", ":", "=", "->", "=>", "+", "-", "*", "/", "@", "and", "or", "not", "(", "["}


class Place(NamedTuple):
    """A place in a text.

    `declaration`: keyword and name of the declaration around it; `block`: the keyword of the
    innermost braces, `residual` counting as `net`; `line`: the words of the statement before the
    cursor, without the one that is being written; `call`: the word whose parentheses are open;
    `prefix`: the part of the word before the cursor.
    """

    declaration: tuple[str, str]
    block: str
    line: tuple[str, ...]
    call: str
    prefix: str

    @property
    def last(self) -> str:
        """The last word before the one that is being written, or nothing."""
        return self.line[-1] if self.line else ""


def place_at(text: str, offset: int) -> Place:
    """The place of a cursor before `text[offset]`."""
    before = text[:offset]
    prefix = ""
    for found in _WORD.finditer(before, before.rfind("\n") + 1):
        prefix = found.group() if found.end() == offset else ""
    words = [(token.kind, token.text, token.start) for token in tokenise(Source("", before)).tokens]
    if prefix and words:
        words.pop()
    opened: list[tuple[str, str]] = []
    line: list[str] = []
    declaration = ("", "")
    for number, (kind, word, start) in enumerate(words):
        if kind == "_NL":
            if not _inside(opened) and not (line and line[-1] in _GOING_ON):
                line = []
            continue
        if word in DECLARATION_WORDS and (start == 0 or before[start - 1] == "\n"):
            following = words[number + 1][1] if number + 1 < len(words) else ""
            declaration, opened, line = (word, following), [], []
        if word in _OPENERS:
            opened.append((word, line[-1] if word != "{" and line else ""))
        elif word in _CLOSERS and opened:
            opened.pop()
        line.append(word)
        if word in {"{", "}"} and not _inside(opened):
            line = []
    block = declaration[0] if any(sign == "{" for sign, _ in opened) else ""
    call = next((word for sign, word in reversed(opened) if sign == "("), "")
    return Place(declaration, block, tuple(line), call, prefix)


def _inside(opened: list[tuple[str, str]]) -> bool:
    return bool(opened) and opened[-1][0] != "{"


def word_at(line: str, column: int) -> tuple[str, int, int]:
    """The word around a column (from 0) of a line, with its ends; or nothing."""
    for found in _WORD.finditer(line):
        if found.start() <= column <= found.end():
            return found.group(), found.start(), found.end()
    return "", column, column


def quoted_at(line: str, column: int) -> str:
    """The quoted text around a column of a line, or nothing."""
    for found in re.finditer(r'"([^"]*)"', line):
        if found.start() <= column <= found.end():
            return found[1]
    return ""


def owner_of(line: str, start: int) -> str:
    """The word before the dot before a column: `gowal` for `gowal.robust`."""
    found = re.search(r"([A-Za-z_][A-Za-z0-9_']*)\s*\.\s*$", line[:start])
    return found[1] if found else ""
