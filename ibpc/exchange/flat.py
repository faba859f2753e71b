"""The fast tier: ordinary statements of large files, read by regular expressions.

Takes runs of `(declare-const X_0 Real)`, of asserted comparisons of a variable with a number or
another variable, and of `(assert (or (and c ...) ...))` over such comparisons. It stops in front
of anything else, which the full parser then reads; both tiers give the same property.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ibpc.exchange.clauses import MAX_CLAUSES
from ibpc.exchange.exact import negative
from ibpc.exchange.forms import SKIP
from ibpc.exchange.property import Constraint

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.exchange.assembly import Assembly
    from ibpc.exchange.clauses import Atom, Clause

_ONE, _MINUS_ONE, _ZERO = Decimal(1), Decimal(-1), Decimal(0)
_KEPT_TEXT = 6
"""Numbers of at most so many characters are made once and shared (0.0, 1, -0.5)."""


@dataclass(frozen=True)
class Patterns:
    """What one dialect's flat statements look like."""

    statement: re.Pattern[str]
    """Groups: 1 a declared name, or 2 an operator, 3 and 4 its operands."""
    comparison: re.Pattern[str]
    """Groups: operator and operands."""
    alternative: re.Pattern[str]
    """`(and c c ...)` with the comparisons as group 1, or one comparison as group 2."""


def patterns(variable: str, number: str, declaration: str) -> Patterns:
    """Patterns from those of a variable, a number and a declaration (with its name as group 1).

    Quantifiers are possessive: nothing is tried twice, so no text can make matching slow.
    """
    told = _comparison("(", variable, number)
    whole = _comparison("(?:", variable, number)
    return Patterns(
        re.compile(rf"{SKIP}\((?:{declaration}|assert{_BLANK}*+{told}{_BLANK}*+\))"),
        re.compile(told),
        re.compile(rf"{SKIP}(?:\(and((?:{_BLANK}*+{whole})++){_BLANK}*+\)|({whole}))"),
    )


def _comparison(group: str, variable: str, number: str) -> str:
    """`(<= X_0 0.5)`, its three parts in groups of the given kind."""
    parts = ("[<>]=?", variable, f"{variable}|{number}")
    return r"\(" + f"{_BLANK}++".join(f"{group}{part})" for part in parts) + rf"{_BLANK}*+\)"


_BLANK = r"[\s\ufeff]"
_OPEN = re.compile(rf"{SKIP}\(assert{_BLANK}*+\(or(?=[\s\ufeff(])")
_CLOSE = re.compile(SKIP + r"\)" + SKIP + r"\)")


class FlatReader:
    """Reads from an offset as far as statements are flat.

    `find` numbers a variable as it is written (None: unknown); `declare` takes a name and its
    offset, and says whether it could.
    """

    def __init__(
        self,
        assembly: Assembly,
        shapes: Patterns,
        find: Callable[[str], int | None],
        declare: Callable[[str, int], bool],
    ) -> None:
        self._assembly, self._shapes = assembly, shapes
        self._find, self._declare = find, declare
        self._numbers: dict[str, Decimal] = {}

    def read(self, start: int) -> int:
        """The offset up to which statements were read, from `start` on."""
        content, match = self._assembly.text.content, self._shapes.statement.match
        place = start
        while True:
            found = match(content, place)
            taken = self._statement(found) if found else False
            if found and taken:
                place = found.end()
                continue
            after = self._alternatives(place) if found is None else None
            if after is None:
                return place
            place = after

    def _statement(self, found: re.Match[str]) -> bool:
        """Takes a declaration or an asserted comparison."""
        name, operator, left, right = found.groups()
        if name is not None:
            return self._declare(name, found.start(1))
        atoms = self._atoms(operator, left, right)
        if atoms is None:
            return False
        for atom in atoms:
            if isinstance(atom, Constraint):
                self._assembly.row(atom)
            else:
                self._assembly.bound(*atom)
        return True

    def _alternatives(self, start: int) -> int | None:
        """The offset after an asserted `or` of flat cases, or None where there is none."""
        content, match = self._assembly.text.content, self._shapes.alternative.match
        opened = _OPEN.match(content, start)
        if opened is None:
            return None
        clauses: list[Clause] = []
        place = opened.end()
        while found := match(content, place):
            clause = self._clause(found[1] or found[2])
            if clause is None or len(clauses) >= MAX_CLAUSES:
                return None
            clauses.append(clause)
            place = found.end()
        closed = _CLOSE.match(content, place) if clauses else None
        if closed is None:
            return None
        self._assembly.choose(clauses, self._assembly.text.span(opened.start(), opened.end()))
        return closed.end()

    def _clause(self, comparisons: str) -> Clause | None:
        atoms: list[Atom] = []
        for operator, left, right in self._shapes.comparison.findall(comparisons):
            found = self._atoms(operator, left, right)
            if found is None:
                return None
            atoms.extend(found)
        return tuple(atoms)

    def _atoms(self, operator: str, left: str, right: str) -> tuple[Atom, ...] | None:
        """One comparison, or None where a variable is not known."""
        first = self._find(left)
        if first is None:
            return None
        upper, strict = operator[0] == "<", len(operator) == 1
        if right[0] in "+-.0123456789":
            number = self._number(right)
            if first < 0:
                return (_output_bound(~first, upper, number, strict),)
            if not strict:
                return ((first, upper, number),)
            sign, bound = (_ONE, number) if upper else (_MINUS_ONE, negative(number))
            return (first, upper, number), Constraint((), ((first, sign),), bound, True)
        second = self._find(right)
        if second is None or second == first:
            return None
        return (_order(first, second, upper, strict),)

    def _number(self, text: str) -> Decimal:
        number = self._numbers.get(text)
        if number is None:
            number = Decimal(text)
            if len(text) <= _KEPT_TEXT:
                self._numbers[text] = number
        return number


def _output_bound(output: int, upper: bool, number: Decimal, strict: bool) -> Constraint:
    """`y <= number` or `y >= number`."""
    if upper:
        return Constraint(((output, _ONE),), (), number, strict)
    return Constraint(((output, _MINUS_ONE),), (), negative(number), strict)


def _order(first: int, second: int, upper: bool, strict: bool) -> Constraint:
    """`first <= second` or `first >= second`, two variables."""
    signs = sorted(
        ((first, _ONE if upper else _MINUS_ONE), (second, _MINUS_ONE if upper else _ONE))
    )
    outputs = tuple(sorted((~number, sign) for number, sign in signs if number < 0))
    inputs = tuple((number, sign) for number, sign in signs if number >= 0)
    return Constraint(outputs, inputs, _ZERO, strict)
