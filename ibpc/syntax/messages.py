"""Turns a stuck automaton into words: what was found, what may stand there, and the likely fix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, did_you_mean
from ibpc.syntax import codes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibpc.syntax.automaton import Tables
    from ibpc.syntax.machine import Machine
    from ibpc.syntax.tokens import Token

# What may stand here, from the largest thing to the smallest; each covers its first tokens.
_PHRASES = {
    "declaration": "a declaration",
    "layer_item": "a layer",
    "verify_item": "a setting `name = value` or a report",
    "setting": "a setting `name = value`",
    "field": "a field `name: type`",
    "sweep_item": "an axis `name in values` or `run`",
    "statement": "a claim or `let`",
    "run_item": "a call",
    "_label": "a label",
    "schedule": "a schedule",
    "segment": "a segment of a schedule",
    "stages": "a method",
    "parameters": "`(`",
    "parameter": "a parameter `name: type`",
    "typed_name": "a field `name: type`",
    "option": "an option `name = value`",
    "option_value": "a value",
    "binder": "a binder such as `x in set`",
    "argument": "an argument",
    "type": "a type",
    "simple_type": "a type",
    "expr": "an expression",
    "sum": "an expression",
    "product": "an expression",
    "signed": "an expression",
    "negation": "an expression",
    "atom": "an expression",
}
_TERMINALS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": 'a quoted path "..."',
    "KERNEL": "a kernel such as `3x3+1`",
    "_NL": "the end of the line",
    "$END": "the end",
}
_OPERATORS = {"PLUS", "MINUS", "STAR", "SLASH", "AT_SIGN", "CARET", "COMPARE", "NOT_EQUAL"}
_OPERATORS |= {"AND", "OR", "IMPLIES", "LPAR", "LSQB", "DOT"}
_MANY = 5
_HEAD = re.compile(r"[ \t]*[A-Za-z_][A-Za-z0-9_']*[ \t]*(\([ \t]*t[ \t]*\)[ \t]*)?")
_DANGLING = re.compile(r"([-,:=+*/@^<>])[ \t]*(#[^\n]*)?(\n[ \t]*(#[^\n]*)?)*\Z")


def unexpected(machine: Machine, token: Token) -> Diagnostic:
    """The mistake of a token that the machine refused."""
    accepted = machine.accepted()
    cut = _value_cut_off(machine, token)
    if cut is not None:
        return cut
    at = machine.source.span(token.start, token.end)
    if token.kind in {"_NL", "$END"}:  # comments may lie between the last word and the line's end
        at = machine.source.point(machine.ends[-1] if machine.ends else token.start)
    return Diagnostic(
        codes.UNEXPECTED,
        f"expected {_choice(_phrases(machine, accepted))}, found {_found(token)}",
        at,
        "not expected here",
        _fix(machine, token, accepted),
    )


def _value_cut_off(machine: Machine, token: Token) -> Diagnostic | None:
    """Where a line ends in `name =`, the next line's `=` comes as the surprise: tell of the first.

    The layout drops the line's end behind an operator, so the parser sees `name = next = value`.
    """
    text = machine.source.text
    start = text.rfind("\n", 0, token.start) + 1
    if token.text != "=" or not _HEAD.fullmatch(text, start, token.start):
        return None
    before = _DANGLING.search(text, 0, start)
    if before is None:
        return None
    end = before.end(1)
    return Diagnostic(
        codes.UNEXPECTED,
        "expected an expression, found the end of the line",
        machine.source.point(end),
        "the value is missing",
    )


def _found(token: Token) -> str:
    if token.kind in {"_NL", "$END"}:
        return "the end of the line" if token.kind == "_NL" else "the end of the text"
    return token.text if token.kind == "STRING" else f"`{token.text}`"


def _choice(phrases: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    if len(phrases) < 2:
        return "".join(phrases) or "nothing more"
    return f"{', '.join(phrases[:-1])} or {phrases[-1]}"


def _phrases(machine: Machine, accepted: dict[str, int]) -> list[str]:
    """What may stand here, largest things first, without what they cover."""
    tables = machine.tables
    left = set(accepted)
    result: list[str] = []
    for symbol, phrase in _PHRASES.items():
        waiting = {kind for kind in left if symbol in tables.states[accepted[kind]]}
        covered = _first(tables, symbol) & waiting if waiting else waiting
        if covered and phrase not in result:
            result.append(phrase)
        left -= covered
    operators = left & _OPERATORS
    if len(operators) > 2:
        left -= operators
    # After a number a name is its unit; after all else it is just a name.
    after_number = bool(machine.values) and getattr(machine.values[-1], "kind", "") == "NUMBER"
    names = {**_TERMINALS, "NAME": "a unit" if after_number and operators else "a name"}
    rest = sorted(names.get(kind, f"`{tables.signs.get(kind, kind)}`") for kind in left)
    if len(operators) > 2:
        rest.append("an operator")
    if len(rest) > _MANY:
        rest[_MANY - 1 :] = ["another word"]
    return result + rest


def _first(tables: Tables, symbol: str) -> set[str]:
    """The terminals that can begin `symbol`; no rule of the grammar is empty."""
    result, seen, todo = set(), {symbol}, [symbol]
    while todo:
        current = todo.pop()
        heads = {rule.symbols[0] for rule in tables.rules if rule.origin == current}
        if not heads:
            result.add(current)
        todo.extend(heads - seen)
        seen |= heads
    return result


def _fix(machine: Machine, token: Token, accepted: Iterable[str]) -> str:
    """What was probably meant: a sign mixed up, or a keyword mistyped here or just before."""
    accepted = set(accepted)
    behind = machine.source.text[token.end :]
    if token.text == "." and behind[:1].isdigit():
        return "write a digit before the point, as in `0.5`"
    if "LBRACE" in accepted and token.kind == "_NL" and behind.lstrip().startswith("{"):
        return "put the `{` at the end of this line"
    if token.text == "=" and "COMPARE" in accepted:
        return "to compare, write `==`"
    if token.text == "==" and "EQUAL" in accepted:
        return "to give a value, write one `=`"
    if token.kind == "NAME":
        fix = did_you_mean(token.text, _words(machine.tables, accepted))
        if fix:
            return fix
    before = getattr(machine.values[-1], "text", "") if machine.values else ""
    if before and len(machine.states) > 1:
        words = _words(machine.tables, machine.tables.states[machine.states[-2]])
        return "" if before in words else did_you_mean(before, words)
    return ""


def _words(tables: Tables, kinds: Iterable[str]) -> set[str]:
    """The keywords among some terminals, as they are written."""
    return {
        word for kind in kinds if (word := tables.signs.get(kind, "")).isalpha() and word != "t"
    }
