"""Runs the LALR(1) tables over tokens; its stack is a list, so no nesting can exhaust Python's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ibpc.syntax import tree
from ibpc.syntax.tokens import Token

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.syntax.automaton import Rule, Tables
    from ibpc.syntax.source import Source

MAX_DEPTH = 100
"""Levels of a tree: the rooms that read it recurse, a few calls for each level."""

END = "$END"


class Builder(Protocol):
    """What makes tree nodes."""

    def build(self, action: str, children: list[Any], span: Span) -> Any:
        """The node that the rule or alias `action` makes of its children."""


class UnexpectedError(Exception):
    """The token cannot stand here; the machine is left as it was."""

    def __init__(self, token: Token) -> None:
        super().__init__(token.kind)
        self.token = token


class TooDeepError(Exception):
    """The tree under this span has more than `MAX_DEPTH` levels."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


class Machine:
    """The automaton with its stacks: states, values, where values start and end, and depths."""

    def __init__(self, tables: Tables, start: str, source: Source, builder: Builder | None) -> None:
        self.tables = tables
        self.source = source
        self.builder = builder
        self.end_state = tables.ends[start]
        self.states = [tables.starts[start]]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.depths: list[int] = []

    def run(self, tokens: list[Token]) -> Any:
        """The value of the start symbol.

        Raises:
            UnexpectedError: at the first token that cannot stand where it stands.
            TooDeepError: at the first value that is nested too deeply.
        """
        for token in tokens:
            self.feed(token)
        return self.finish()

    def finish(self) -> Any:
        """Feeds the end of the text."""
        end = len(self.source.text)
        return self.feed(Token(END, "", end, end))

    def terminal(self, token: Token) -> str:
        """The token's terminal: a word is a keyword only where the grammar has it here."""
        if token.kind == "NAME":
            word = self.tables.words.get(token.text)
            if word is not None and word in self.tables.states[self.states[-1]]:
                return word
        return token.kind

    def feed(self, token: Token) -> Any:
        """Takes one token: reduces what it completes, then shifts it."""
        kind = self.terminal(token)
        table, rules, states = self.tables.states, self.tables.rules, self.states
        while True:
            step = table[states[-1]].get(kind)
            if step is None:
                raise UnexpectedError(token)
            if step >= 0:
                self._shift(kind, token, step)
                return None
            rule = rules[-1 - step]
            if rule.renames:  # three reductions of four: value, place and depth stay
                states[-1] = table[states[-2]][rule.origin]
            else:
                self._reduce(rule)
            if kind == END and states[-1] == self.end_state:
                return self.values[-1]

    def recover(self, depth: int, symbol: str, at: int) -> None:
        """Drops all above the first `depth` states and goes on as if `symbol` had been read."""
        del self.states[depth:]
        for stack in (self.values, self.starts, self.ends, self.depths):
            del stack[depth - 1 :]
        self._push(self.tables.states[self.states[-1]][symbol], None, (at, at), 0)

    def accepted(self) -> dict[str, int]:
        """The terminals that could stand here, and the state in which each would be shifted."""
        actions = self.tables.states[self.states[-1]]
        places = {kind: self._shifted_in(kind) for kind in actions if _is_terminal(kind)}
        return {kind: state for kind, state in places.items() if state is not None}

    def _shifted_in(self, kind: str) -> int | None:
        """Plays the reductions that `kind` causes on a copy of the states."""
        states = list(self.states)
        while True:
            step = self.tables.states[states[-1]].get(kind)
            if step is None:
                return None
            if step >= 0:
                return states[-1]
            rule = self.tables.rules[-1 - step]
            del states[len(states) - rule.length :]
            states.append(self.tables.states[states[-1]][rule.origin])
            if kind == END and states[-1] == self.end_state:
                return states[-1]

    def _push(self, state: int, value: Any, place: tuple[int, int], depth: int) -> None:
        self.states.append(state)
        self.values.append(value)
        self.starts.append(place[0])
        self.ends.append(place[1])
        self.depths.append(depth)

    def _shift(self, kind: str, token: Token, state: int) -> None:
        place = (token.start, token.end)
        value = self.leaf(kind, token)
        if kind == "_NL" and self.ends:
            # A line's end belongs to no node: spans end with what stands before it.
            place = (self.ends[-1], self.ends[-1])
        self._push(state, value, place, 0)

    def leaf(self, kind: str, token: Token) -> Any:
        """What stands for a token of terminal `kind`."""
        if kind == "NAME":
            return tree.Name(token.text, self.source.span(token.start, token.end))
        return token

    def _reduce(self, rule: Rule) -> None:
        bottom = len(self.values) - rule.length
        values = self.values[bottom:]
        place = (self.starts[bottom], self.ends[-1])
        depth = max(self.depths[bottom:])
        value = self.node(rule, values, place)
        if rule.action == "":
            depth += rule.length > 1  # parentheses leave no node, and count all the same
        elif not rule.action.startswith("_"):
            depth += 1
        del self.states[bottom + 1 :]
        for stack in (self.values, self.starts, self.ends, self.depths):
            del stack[bottom:]
        if depth > MAX_DEPTH:
            raise TooDeepError(self.source.span(*place))
        self._push(self.tables.states[self.states[-1]][rule.origin], value, place, depth)

    def node(self, rule: Rule, values: list[Any], place: tuple[int, int]) -> Any:
        """What `rule` makes of the values of its symbols."""
        children: list[Any] = []
        for entry in rule.plan:
            if entry is None:
                children.append(None)
            elif entry >= 0:
                children.append(values[entry])
            elif children or values[-1 - entry] is None:
                children.extend(values[-1 - entry] or ())
            else:
                children = values[-1 - entry]  # a growing list is extended in place
        if rule.action == "":
            return children[0]
        if rule.action.startswith("_"):
            return children
        if self.builder is None:
            return None
        return self.builder.build(rule.action, children, self.source.span(*place))


def _is_terminal(symbol: str) -> bool:
    """Lark's convention: terminals are upper case, rules are not."""
    return symbol == END or symbol.upper() == symbol
