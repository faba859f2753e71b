"""Reads VNN-LIB 1.0 as VNN-COMP uses it: X_i and Y_j of sort Real, `declare-const`, `assert`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibpc.errors import did_you_mean
from ibpc.exchange.assembly import Assembly
from ibpc.exchange.clauses import clauses
from ibpc.exchange.flat import FlatReader, patterns
from ibpc.exchange.forms import Form, Leaf, after_blanks, read_form, span_of
from ibpc.exchange.mistakes import (
    COMMAND,
    DUPLICATE,
    FORM,
    IGNORED,
    INDEX,
    MALFORMED,
    NO_NETWORK,
    SHAPE,
    SORT,
    UNBOUNDED,
    UNDECLARED,
    mistake,
)
from ibpc.exchange.property import Property, flat_interface

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.exchange.source import Text
    from ibpc.exchange.terms import Variable

MAX_ENTRIES = 50_000_000

_NAME = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
_HARMLESS = {"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"}
_FLAT = patterns(
    variable=r"[XY]_[0-9]++",
    number=r"[+-]?[0-9]{1,300}+(?:\.[0-9]{0,300}+)?(?:[eE][+-]?[0-9]{1,2}+)?",
    declaration=r"declare-const\s++([XY]_[0-9]++)\s++Real\s*+\)",
)


def read_vnnlib1(text: Text, flat: bool = True) -> Property:
    """The property in a VNN-LIB 1.0 text; `flat` lets the fast tier read what it can.

    Raises: PropertyMistake with the place of what is wrong.
    """
    reader = _Reader(text)
    quick = FlatReader(reader.assembly, _FLAT, reader.find, reader.declare)
    place = 0
    while True:
        place = quick.read(place) if flat else place
        place = after_blanks(text, place)
        if place >= len(text.content):
            return reader.finish()
        form = read_form(text, place)
        reader.command(form)
        place = form.end


class _Reader:
    """The declared names and what is asserted of them; the scope of terms."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.assembly = Assembly(text)
        self._numbers: dict[str, int] = {}
        self._declared: dict[int, int] = {}

    # --- the scope of terms

    def find(self, written: str) -> int | None:
        """The number of a declared name."""
        return self._numbers.get(written)

    def variable(self, found: Variable) -> tuple[int, str]:
        """The number of a declared name; raises where it is none."""
        name = found.name
        if found.index is not None:
            raise mistake(
                INDEX,
                "variables of VNN-LIB 1.0 have no index",
                span_of(self.text, found.index),
                fix="write X_3, or begin the file with (vnnlib-version <2.0>)",
            )
        number = self._numbers.get(name.text)
        if number is None:
            raise mistake(
                UNDECLARED,
                f"`{name.text[:60]}` is not declared",
                span_of(self.text, name),
                fix=did_you_mean(name.text[:60], list(self._numbers)[:2000])
                or f"declare it first: (declare-const {name.text[:60]} Real)",
            )
        return number, "real"

    def member(self, literal: Leaf, kind: str) -> None:
        """Every decimal is a Real."""

    def divides(self) -> bool:
        """SMT-LIB's reals have a division."""
        return True

    # --- commands

    def declare(self, name: str, start: int) -> bool:
        """Declares a name, or says that it could not."""
        found = _NAME.fullmatch(name)
        if found is None or name in self._numbers:
            return False
        index = int(found[2])
        if index >= MAX_ENTRIES:
            return False
        number = index if found[1] == "X" else ~index
        self._numbers[name] = number
        self._declared[number] = start
        return True

    def command(self, form: Form) -> None:
        """Carries out one command.  Raises: PropertyMistake."""
        if form.head == "assert":
            if len(form.items) != 2:
                raise mistake(FORM, "`assert` takes one formula", span_of(self.text, form))
            found = clauses(form.items[1], self, self.assembly.warnings, dialect=1)
            self.assembly.choose(found, span_of(self.text, form))
        elif form.head in {"declare-const", "declare-fun"}:
            self._declaration(form)
        elif form.head in _HARMLESS:
            self.assembly.warnings.add(
                IGNORED, f"`{form.head}` is ignored", span_of(self.text, form)
            )
        else:
            raise mistake(
                COMMAND,
                f"unknown command `{form.head[:40]}`",
                span_of(self.text, form.items[0] if form.items else form),
                fix=did_you_mean(form.head[:40], ("assert", "declare-const"))
                or "VNN-LIB 1.0 has declare-const and assert",
            )

    def finish(self) -> Property:
        """The property of all that was declared and asserted."""
        inputs = max((number for number in self._declared if number >= 0), default=-1) + 1
        outputs = max((~number for number in self._declared if number < 0), default=-1) + 1
        if not inputs or not outputs:
            missing = "inputs (X_0)" if not inputs else "outputs (Y_0)"
            raise mistake(
                NO_NETWORK,
                f"`{self.text.origin}` declares no {missing}",
                fix="a property declares X_0, X_1, ... and Y_0, Y_1, ... of sort Real",
            )
        self._check_gaps(inputs, outputs)
        return self.assembly.finish(flat_interface(inputs, outputs), self._place)

    def _check_gaps(self, inputs: int, outputs: int) -> None:
        given = sum(number >= 0 for number in self._declared)
        if given < inputs:
            gap = next(index for index in range(inputs) if index not in self._declared)
            raise mistake(
                UNBOUNDED,
                f"X_{gap} is not declared, so it has no bounds",
                self._place(inputs - 1),
                f"an input after it, and {inputs - given} before this one are missing",
            )
        if len(self._declared) - given < outputs:
            self.assembly.warnings.add(
                MALFORMED,
                "not all outputs are declared",
                self._place(~(outputs - 1)),
                f"this is output {outputs - 1}",
            )

    def _place(self, number: int) -> Span:
        start = self._declared[number]
        return self.text.span(start, start + len(f"X_{max(number, ~number)}"))

    def _declaration(self, form: Form) -> None:
        parts = form.items[1:]
        arguments = [item for item in parts if isinstance(item, Form)]
        if form.head == "declare-fun" and len(parts) == 3 and arguments == [parts[1]]:
            if arguments[0].items:
                raise mistake(
                    FORM, "functions cannot be declared", span_of(self.text, arguments[0])
                )
            parts = [parts[0], parts[2]]
        name, sort = (*parts, None, None)[:2]
        if len(parts) != 2 or not isinstance(name, Leaf) or not isinstance(sort, Leaf):
            raise mistake(
                FORM,
                "a declaration has a name and a sort",
                span_of(self.text, form),
                fix="write (declare-const X_0 Real)",
            )
        if sort.text != "Real":
            raise mistake(
                SORT,
                f"`{sort.text[:40]}` is not a sort that networks have",
                span_of(self.text, sort),
                fix="write Real",
            )
        self._check_name(name)
        if not self.declare(name.text, name.start):
            self.assembly.warnings.add(
                MALFORMED, "a variable is declared twice", span_of(self.text, name)
            )

    def _check_name(self, name: Leaf) -> None:
        found = _NAME.fullmatch(name.text)
        if found is None:
            raise mistake(
                DUPLICATE if re.fullmatch(r"[XY]_0\d+", name.text) else FORM,
                f"`{name.text[:40]}` is no name of an input or output",
                span_of(self.text, name),
                fix="inputs are X_0, X_1, ... and outputs Y_0, Y_1, ...",
            )
        if int(found[2]) >= MAX_ENTRIES:
            raise mistake(
                SHAPE,
                f"ibpc reads properties of up to {MAX_ENTRIES} entries",
                span_of(self.text, name),
            )
