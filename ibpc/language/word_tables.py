"""Word tables: `table("synonyms.tsv")`, on each line a word and its substitutes.

Tabs and blanks separate words; empty lines and lines that begin with `#` do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.modules import beside
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.scopes import Scope

WORDS = 100_000
"""The most words of a table."""


def substitutes_of(expr: tree.Expr, scope: Scope) -> tuple[tuple[int, ...], ...]:
    """For each word of a table, in the order of its lines, the numbers of its substitutes.

    Raises: TypeMistake E0408; FileMistake E0502, E0512.
    """
    fix = 'write `table("synonyms.tsv")`: on each line a word, then its substitutes'
    called = isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name)
    values = [argument.value for argument in expr.arguments] if isinstance(expr, tree.Call) else []
    if not called or len(values) != 1 or not isinstance(values[0], tree.Text):
        raise wrong("E0408", "the substitutes stand in a table", expr.span, "not a table", fix)
    path = beside(scope.module.path, values[0].value)
    return numbered(read_words(path, values[0].span), path, values[0].span)


def read_words(path: str, at: Span) -> list[list[str]]:
    """The lines of a table of words, each as its words."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.split() for line in file if not line.lstrip().startswith("#")]
    except (OSError, ValueError) as why:
        reason = getattr(why, "strerror", None) or "not a text file"
        fix = "paths are relative to the spec's folder"
        raise wrong("E0502", f"cannot read `{path}`", at, reason, fix) from why
    found = [line for line in lines if line]
    if not found or len(found) > WORDS:
        label = "empty" if not found else f"more than {WORDS} words"
        raise wrong("E0512", f"`{path}` is no table of words", at, label)
    return found


def numbered(lines: list[list[str]], path: str, at: Span) -> tuple[tuple[int, ...], ...]:
    """Substitutes as numbers of lines."""
    number: dict[str, int] = {}
    for word, *_ in lines:
        if word in number:
            raise wrong("E0512", f"the word `{word}` has two lines in `{path}`", at, "one too many")
        number[word] = len(number)
    found = []
    for word, *others in lines:
        for other in others:
            if other not in number:
                problem = f"`{other}`, a substitute of `{word}`, has no line of its own in `{path}`"
                raise wrong("E0512", problem, at, "no such word", suggestion(other, number))
        found.append(tuple(dict.fromkeys(number[other] for other in others if other != word)))
    return tuple(found)
