"""The concrete tree of a text: every word and sign of it, and the comments that lie between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ibpc.syntax.automaton import load_tables
from ibpc.syntax.layout import lay_out
from ibpc.syntax.machine import Machine
from ibpc.syntax.tokens import scan

if TYPE_CHECKING:
    from ibpc.syntax.automaton import Rule, Tables
    from ibpc.syntax.source import Source
    from ibpc.syntax.tokens import Token


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word or sign: its terminal, its text, and the number of its place among all leaves.

    `ends_block` marks the `}` before which a line ended: that of a block, not of an image.
    """

    kind: str
    text: str
    first: int
    ends_block: bool = False

    @property
    def last(self) -> int:
        """The place of the last leaf, which is this one."""
        return self.first


@dataclass(frozen=True, slots=True)
class Node:
    """What one rule of the grammar covers, signs included; lists are spliced into their parents.

    `rule` is the rule's name, `action` its alias (empty for parentheses).
    """

    rule: str
    action: str
    children: tuple[Node | Leaf, ...]

    @property
    def first(self) -> int:
        """The place of its first leaf."""
        return self.children[0].first

    @property
    def last(self) -> int:
        """The place of its last leaf."""
        return self.children[-1].last


class Comment(NamedTuple):
    """A comment; whether it has a line of its own, and whether that line follows a blank one."""

    text: str
    own_line: bool
    after_blank: bool


class Gap(NamedTuple):
    """What lies before a leaf: comments; then whether a line ends and whether one is blank."""

    comments: tuple[Comment, ...]
    newline: bool
    blank: bool


class Concrete(NamedTuple):
    """A text's concrete tree; `gaps[i]` lies before leaf i, the last one before the text's end."""

    root: Node
    leaves: list[Leaf]
    gaps: list[Gap]


def concrete(source: Source) -> Concrete:
    """The concrete tree of a text that parses."""
    tables = load_tables()
    scanned = scan(source, tables)
    machine = _ConcreteMachine(tables, source)
    root: Node = machine.run(lay_out(source, scanned.tokens).tokens)
    return Concrete(root, machine.leaves, _gaps(source, machine.tokens, scanned.comments))


class _ConcreteMachine(Machine):
    """Keeps what the tree's builder drops."""

    def __init__(self, tables: Tables, source: Source) -> None:
        super().__init__(tables, "file", source, None)
        self.leaves: list[Leaf] = []
        self.tokens: list[Token] = []
        self._line_ended = False

    def leaf(self, kind: str, token: Token) -> Any:
        line_ended, self._line_ended = self._line_ended, kind == "_NL"
        if kind == "_NL":
            return None
        leaf = Leaf(kind, token.text, len(self.leaves), line_ended and kind == "RBRACE")
        self.leaves.append(leaf)
        self.tokens.append(token)
        return leaf

    def node(self, rule: Rule, values: list[Any], place: tuple[int, int]) -> Any:
        children: list[Any] = []
        for number, value in enumerate(values):
            if not isinstance(value, list):
                children += [] if value is None else [value]
            elif number == 0:
                children = value  # a growing list is extended in place
            else:
                children += value
        if rule.origin.startswith("_"):
            return children
        if rule.action == "" and len(children) == 1:
            return children[0]
        return Node(rule.origin, rule.action, tuple(children))


def _gaps(source: Source, tokens: list[Token], comments: list[Token]) -> list[Gap]:
    """The gap before each token and before the end of the text."""
    gaps = []
    end, next_comment = 0, 0
    for start, stop in [*((token.start, token.end) for token in tokens), (len(source.text),) * 2]:
        inside = []
        newline = False
        while next_comment < len(comments) and comments[next_comment].start < start:
            comment = comments[next_comment]
            lines = source.text.count("\n", end, comment.start)
            own_line = lines > 0 or not source.text[:end].strip("\n\t ")
            inside.append(Comment(comment.text.rstrip(), own_line, lines > 1))
            newline = newline or lines > 0
            end = comment.end
            next_comment += 1
        lines = source.text.count("\n", end, start)
        gaps.append(Gap(tuple(inside), newline or lines > 0, lines > 1))
        end = stop
    return gaps
