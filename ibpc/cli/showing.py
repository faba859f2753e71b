"""Tells diagnostics on stderr, coloured where a person sees them."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.errors import Diagnostic

_HEAD = re.compile(r"^(error|warning)(\[[EW]\d{4}\]): ", re.MULTILINE)
_CARETS = re.compile(r"^( +\| *\t*)(\^+)(.*)$", re.MULTILINE)
_DASHES = re.compile(r"^( +\| *\t*)(-+)(?= |$)(.*)$", re.MULTILINE)
_WORDS = re.compile(r"^(   = )(help|note)(: )", re.MULTILINE)
_RED, _YELLOW, _BLUE, _BOLD, _END = "\033[1;31m", "\033[1;33m", "\033[1;34m", "\033[1m", "\033[0m"


def tell(message: object) -> None:
    """Print an error or a warning; colours only on a terminal, and never under NO_COLOR."""
    text = str(message)
    print(coloured(text) if wants_colour() else text, file=sys.stderr)


def once() -> Callable[[Diagnostic], None]:
    """Tells warnings; of those of one code at one place only the first."""
    known: set[tuple[str, object]] = set()

    def warn(one: Diagnostic) -> None:
        if (one.code, one.at) not in known:
            known.add((one.code, one.at))
            tell(one.render())

    return warn


def wants_colour() -> bool:
    """Whether stderr is a terminal that shows colours. Source: no-color.org."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stderr.isatty() and not plain


def coloured(text: str) -> str:
    """The text with its head, carets and advice coloured."""

    def head(found: re.Match[str]) -> str:
        colour = _RED if found[1] == "error" else _YELLOW
        return f"{colour}{found[1]}{found[2]}{_END}: "

    text = _HEAD.sub(head, text)
    text = _CARETS.sub(rf"\1{_RED}\2\3{_END}", text)
    text = _DASHES.sub(rf"\1{_BLUE}\2\3{_END}", text)
    return _WORDS.sub(rf"\1{_BOLD}\2{_END}\3", text)
