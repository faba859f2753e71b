"""Source text to syntax tree: the parser of `.ibp` files and its mistakes; and their layout."""

from __future__ import annotations

from ibpc.syntax import tree
from ibpc.syntax.codes import EXPLANATIONS
from ibpc.syntax.layout import DECLARATION_WORDS
from ibpc.syntax.likeness import alike
from ibpc.syntax.painting import painted
from ibpc.syntax.parser import parse_expression, parse_file, parse_text, tokenise
from ibpc.syntax.source import Source, read_source, source_of_bytes
from ibpc.syntax.tokens import Scan

__all__ = [
    "DECLARATION_WORDS",
    "EXPLANATIONS",
    "Scan",
    "Source",
    "alike",
    "format_source",
    "painted",
    "parse_expression",
    "parse_file",
    "parse_text",
    "read_source",
    "source_of_bytes",
    "tokenise",
    "tree",
]


def format_source(source: Source) -> str:
    """A text in its canonical layout (see `ibpc.syntax.format`, loaded when it is asked for).

    Raises:
        SyntaxMistake: the text is not the language.
    """
    from ibpc.syntax.format import format_source as lay_out

    return lay_out(source)
