"""Parenthesised text as trees: tokens, nested forms, and a fold that never recurses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ibpc.exchange.mistakes import PARENTHESES, TOKEN, TOO_DEEP, mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ibpc.errors import Span
    from ibpc.exchange.mistakes import PropertyMistake
    from ibpc.exchange.source import Text

MAX_DEPTH = 10_000

SKIP = r"(?:[\s\ufeff]++|;[^\n]*+)*+"
_SKIPPED = re.compile(SKIP)
_TOKEN = re.compile(SKIP + r'(?:([()\[\],])|("(?:[^"\\\n]|\\.)*+")|([^\s()\[\],;"\ufeff]++))')

Node = TypeVar("Node")
Value = TypeVar("Value")


@dataclass(slots=True)
class Leaf:
    """A word, number or quoted text, with its offset."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + len(self.text)


@dataclass(slots=True)
class Form:
    """`( ... )`, or `[ ... ]` where `bracket`; `commas` counts those of a bracket."""

    start: int
    bracket: bool
    end: int = 0
    commas: int = 0
    items: list[Leaf | Form] = field(default_factory=list)

    @property
    def head(self) -> str:
        """The text of its first item where that is a word, else the empty string."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, Leaf) else ""


def after_blanks(text: Text, start: int) -> int:
    """The offset of the first thing from `start` on that is neither blank nor comment."""
    found = _SKIPPED.match(text.content, start)
    return found.end() if found else start


def read_form(text: Text, start: int) -> Form:
    """The parenthesised form that begins at `start` (or after blanks there).

    Raises: PropertyMistake where another thing stands there, or the form is not well nested.
    """
    open_forms: list[Form] = []
    place = start
    while True:
        found = _TOKEN.match(text.content, place)
        if found is None:
            raise _no_token(text, place, open_forms)
        place = found.end()
        group = found.lastindex or 0
        sign, at = found[group], found.start(group)
        if group != 1:
            _inside(open_forms, text, at, place).items.append(Leaf(sign, at))
        elif sign == ",":
            _comma(_inside(open_forms, text, at, place), text, at)
        elif sign in "([":
            _open(open_forms, text, at, sign)
        else:
            done = _close(open_forms, text, at, sign)
            if not open_forms:
                return done
            open_forms[-1].items.append(done)


def fold(
    root: Node,
    children: Callable[[Node], Sequence[Node]],
    finish: Callable[[Node, list[Value]], Value],
) -> Value:
    """`finish(node, values of its children)` over a tree, bottom up, without recursion."""
    waiting: list[tuple[Node, Sequence[Node], list[Value]]] = [(root, children(root), [])]
    while True:
        node, parts, values = waiting[-1]
        if len(values) < len(parts):
            child = parts[len(values)]
            waiting.append((child, children(child), []))
            continue
        value = finish(node, values)
        waiting.pop()
        if not waiting:
            return value
        waiting[-1][2].append(value)


def span_of(text: Text, item: Leaf | Form) -> Span:
    """The place of a leaf or form."""
    return text.span(item.start, item.end)


def _inside(open_forms: list[Form], text: Text, start: int, end: int) -> Form:
    """The innermost open form; at the top level nothing but forms may stand."""
    if not open_forms:
        raise mistake(
            PARENTHESES,
            f"`{text.content[start:end][:40]}` stands outside of all parentheses",
            text.span(start, end),
            fix="every command is written in parentheses: (assert ...)",
        )
    return open_forms[-1]


def _comma(form: Form, text: Text, at: int) -> None:
    if not form.bracket or form.commas != len(form.items) - 1:
        raise mistake(
            TOKEN,
            "a comma does not belong here",
            text.span(at, at + 1),
            fix="commas separate the numbers of a shape or an index: [1,3,32,32]",
        )
    form.commas += 1


def _open(open_forms: list[Form], text: Text, at: int, sign: str) -> None:
    if sign == "[":
        _inside(open_forms, text, at, at + 1)
    if len(open_forms) >= MAX_DEPTH:
        problem = f"parentheses are nested more than {MAX_DEPTH} deep"
        fix = "write a chain of pairs as one `(or ...)` or `(and ...)`"
        raise mistake(TOO_DEEP, problem, text.span(at, at + 1), fix=fix)
    open_forms.append(Form(at, sign == "["))


def _close(open_forms: list[Form], text: Text, at: int, sign: str) -> Form:
    if not open_forms or open_forms[-1].bracket != (sign == "]"):
        raise mistake(PARENTHESES, f"this `{sign}` closes nothing", text.span(at, at + 1))
    form = open_forms.pop()
    form.end = at + 1
    return form


def _no_token(text: Text, place: int, open_forms: list[Form]) -> PropertyMistake:
    """The error where no token follows: the end of the text, or a strange character."""
    at = after_blanks(text, place)
    if at >= len(text.content):
        opened = open_forms[-1].start if open_forms else max(0, at - 1)
        return mistake(
            PARENTHESES,
            "the file ends inside of parentheses",
            text.span(opened, opened + 1),
            "opened here and never closed",
            fix="the file may be cut off: download or write it again",
        )
    problem = "a quoted text has no end on its line"
    return mistake(
        TOKEN, problem, text.span(at, at + 1), fix='close it with `"`, or remove the sign'
    )
