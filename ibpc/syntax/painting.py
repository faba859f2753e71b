"""A text cut into pieces by what they are, for whoever shows it in colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.syntax.automaton import load_tables
from ibpc.syntax.source import Source
from ibpc.syntax.tokens import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {"COMMENT": "comment", "NUMBER": "number", "KERNEL": "number", "STRING": "string"}


def painted(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of a kind (comment, number, string, word, or "" for all else) and a piece of text.

    The pieces, joined, are the text with its line ends as newlines. A keyword is a `word` wherever
    it stands; broken text is cut as far as it can be.
    """
    tables, source = load_tables(), Source("", text)
    scanned = scan(source, tables)
    done = 0
    for token in sorted((*scanned.tokens, *scanned.comments), key=lambda one: one.start):
        if token.start > done:
            yield "", source.text[done : token.start]
        word = token.kind == "NAME" and token.text in tables.words and len(token.text) > 1
        yield "word" if word else _KINDS.get(token.kind, ""), token.text
        done = token.end
    if done < len(source.text):
        yield "", source.text[done:]
