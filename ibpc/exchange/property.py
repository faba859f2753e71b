"""A property as a value: the unsafe set as a union of (input box, linear rows over outputs).

    unsafe = { (x, y) : some disjunct has lower <= x <= upper and A y + B x <= b }

Numbers are exact (`Decimal`, or `Fraction` where there is no finite decimal) until `lowering`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibpc.errors import Diagnostic

Exact = Decimal | Fraction
"""A rational number; both kinds compare, and hash, by value."""

Bound = tuple[int, bool, Exact]
"""(input, whether an upper bound, number)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One row `sum a_i y_i + sum b_j x_j <= bound` (`<` where strict).

    Coefficients are sorted by index, none is zero, and all numbers are finite decimals: a row
    that has others is multiplied by their denominators.
    """

    outputs: tuple[tuple[int, Exact], ...]
    inputs: tuple[tuple[int, Exact], ...]
    bound: Exact
    strict: bool = False

    def excess(self, x: Sequence[float], y: Sequence[float]) -> Fraction:
        """`A y + B x - b` at flat points of floats, in exact arithmetic."""
        total = -Fraction(self.bound)
        for terms, values in ((self.outputs, y), (self.inputs, x)):
            for index, coefficient in terms:
                total += Fraction(coefficient) * Fraction(float(values[index]))
        return total

    def holds(self, x: Sequence[float], y: Sequence[float]) -> bool:
        """Whether finite flat points satisfy the row, with zero tolerance."""
        excess = self.excess(x, y)
        return excess < 0 or (excess == 0 and not self.strict)


@dataclass(frozen=True, slots=True)
class Disjunct:
    """One case: exact bounds for every input (flat, row-major), and rows that hold together.

    Disjuncts with the same box share the same two tuples.
    """

    lower: tuple[Exact, ...]
    upper: tuple[Exact, ...]
    rows: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A declared input or output; `kind` is its element type (`real`, `float32`, ...)."""

    name: str
    kind: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Interface:
    """What the file calls things; `version` is "1.0" or "2.x" as it is written there."""

    version: str
    network: str
    input: Tensor
    output: Tensor


@dataclass(frozen=True, slots=True)
class Property:
    """The unsafe set: `sat` says that some input and the network's output for it are in it.

    Two properties are equal when they have equal disjuncts; names, element types, shapes and
    warnings do not count. Without disjuncts the set is empty and the answer unsat.
    """

    inputs: int
    outputs: int
    disjuncts: tuple[Disjunct, ...]
    interface: Interface = field(compare=False)
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)
    origin: str = field(default="", compare=False)

    @property
    def empty(self) -> bool:
        """Whether the constraints contradict each other before any network is looked at."""
        return not self.disjuncts

    def closed(self) -> Property:
        """The smallest closed superset of this form: strict rows become `<=`, or go.

        A strict row that says nothing new without its strictness (of a bound that the box has
        too) is dropped.
        """
        disjuncts = tuple(
            Disjunct(case.lower, case.upper, _closed_rows(case)) for case in self.disjuncts
        )
        return Property(
            self.inputs, self.outputs, disjuncts, self.interface, self.warnings, self.origin
        )


def flat_interface(inputs: int, outputs: int) -> Interface:
    """The interface of VNN-LIB 1.0: inputs X_0.., outputs Y_0.., of sort Real."""
    return Interface(
        "1.0", "network", Tensor("X", "real", (inputs,)), Tensor("Y", "real", (outputs,))
    )


def _closed_rows(case: Disjunct) -> tuple[Constraint, ...]:
    """The rows without strictness, each once; a bound of an input is in the box already."""
    rows = []
    for row in case.rows:
        if not row.strict:
            rows.append(row)
        elif row.outputs or len(row.inputs) != 1:
            rows.append(Constraint(row.outputs, row.inputs, row.bound))
    return tuple(dict.fromkeys(rows))
