"""A second reading of property files, by substitution: is a point in the unsafe set?

Shares nothing with `ibpc.exchange`: the text becomes nested lists, and each assertion is evaluated
at a point in exact arithmetic. It says nothing about what it does not know.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod
from typing import Any

_TOKEN = re.compile(r";[^\n]*|\"[^\"]*\"|[()]|[^\s()\";\[]+\s*(?:\[[^\]]*\])?|\[[^\]]*\]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_VARIABLE = re.compile(r"([A-Za-z]\w*?)(?:_(\d+)|\s*\[([\d,\s]*)\])?")

_COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


class NotPlain(Exception):
    """The text holds something that this reading does not know."""


class PlainProperty:
    """The assertions of a file, and the tensors that it declares."""

    def __init__(self, text: str) -> None:
        commands = _lists(text)
        self.asserts = [command[1] for command in commands if command[:1] == ["assert"]]
        self.tensors: dict[str, tuple[str, tuple[int, ...]]] = {}
        for command in commands:
            if command[:1] == ["declare-network"]:
                self._declare(command)
        if not self.tensors:
            self.tensors = {"X": ("x", ()), "Y": ("y", ())}

    def unsafe(self, x: Sequence[float], y: Sequence[float]) -> bool:
        """Whether every assertion holds at flat points of floats."""
        sys.setrecursionlimit(100_000)
        return all(self._true(one, x, y) for one in self.asserts)

    def numbers(self) -> dict[int, set[float]]:
        """The numbers that each input is compared with somewhere."""
        found: dict[int, set[float]] = {}
        stack: list[Any] = list(self.asserts)
        while stack:
            item = stack.pop()
            if not isinstance(item, list):
                continue
            stack.extend(item)
            if len(item) == 3 and isinstance(item[0], str) and item[0] in _COMPARE:
                for variable, number in ((item[1], item[2]), (item[2], item[1])):
                    place = self._place(variable) if isinstance(variable, str) else None
                    if not place or place[0] != "x" or not isinstance(number, str):
                        continue
                    if _NUMBER.fullmatch(number):
                        found.setdefault(place[1], set()).add(float(number))
        return found

    def _declare(self, command: list[Any]) -> None:
        for part in command[2:]:
            if part[0] in ("declare-input", "declare-output"):
                extents = tuple(int(n) for n in re.findall(r"\d+", part[-1].partition("[")[2]))
                self.tensors[part[1]] = ("x" if part[0] == "declare-input" else "y", extents)
            else:
                raise NotPlain(str(part[0]))

    def _true(self, item: Any, x: Sequence[float], y: Sequence[float]) -> bool:
        if not isinstance(item, list) or not item or not isinstance(item[0], str):
            raise NotPlain(str(item)[:80])
        head, rest = item[0], item[1:]
        if head in ("and", "or") and len(rest) == 1:
            return self._true(rest[0], x, y)
        if head == "and":
            return all(self._true(one, x, y) for one in rest)
        if head == "or":
            return any(self._true(one, x, y) for one in rest)
        if head == "not" and len(rest) == 1:
            return not self._true(rest[0], x, y)
        if head in _COMPARE and len(rest) == 2:
            left, right = (self._value(one, x, y) for one in rest)
            return _COMPARE[head](left, right)
        raise NotPlain(str(item)[:80])

    def _value(self, item: Any, x: Sequence[float], y: Sequence[float]) -> Fraction:
        if isinstance(item, str):
            if _NUMBER.fullmatch(item):
                return Fraction(item)
            place = self._place(item)
            if place is None:
                raise NotPlain(item)
            return Fraction(float((x if place[0] == "x" else y)[place[1]]))
        if not item or not isinstance(item[0], str):
            raise NotPlain(str(item)[:80])
        head, values = item[0], [self._value(one, x, y) for one in item[1:]]
        if head == "+":
            return sum(values, Fraction(0))
        if head == "*":
            return prod(values, start=Fraction(1))
        if head == "/" and len(values) == 2:
            return values[0] / values[1]
        if head == "-" and values:
            return -values[0] if len(values) == 1 else values[0] - sum(values[1:])
        raise NotPlain(str(item)[:80])

    def _place(self, word: str) -> tuple[str, int] | None:
        """Which entry of x or y a variable is."""
        found = _VARIABLE.fullmatch(word)
        if found is None or found[1] not in self.tensors:
            return None
        side, extents = self.tensors[found[1]]
        if found[2] is not None:
            return side, int(found[2])
        flat = 0
        indices = [int(n) for n in re.findall(r"\d+", found[3] or "")]
        for index, extent in zip(indices, extents, strict=True):
            flat = flat * extent + index
        return side, flat


def _lists(text: str) -> list[Any]:
    """The text as nested lists of words."""
    stack: list[list[Any]] = [[]]
    for token in _TOKEN.findall(text.replace("\ufeff", " ")):
        if token[0] == ";":
            continue
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) < 2:
                raise NotPlain("a parenthesis too many")
            last = stack.pop()
            stack[-1].append(last)
        elif token[0] == "[" and stack[-1] and isinstance(stack[-1][-1], str):
            stack[-1].append(token)
        else:
            stack[-1].append(token.strip() if "[" not in token else re.sub(r"\s", "", token))
    if len(stack) != 1:
        raise NotPlain("a parenthesis is open")
    return stack[0]
