"""Claims in conjunctive normal form: of every clause at least one atom holds.

Source of the form: the negation of a clause is a polyhedron of outputs (and inputs), so the
negation of a claim is the union of polyhedra that verifiers and VNN-LIB speak of.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.language.values import Entry

ATOMS = 100_000
"""The most atoms that a claim may be written out to."""


@dataclass(frozen=True, slots=True)
class Atom:
    """`sum factor * entry + constant <= 0` (`< 0` where strict)."""

    terms: tuple[tuple[Entry, Fraction], ...]
    constant: Fraction
    strict: bool

    def negated(self) -> Atom:
        """The atom that holds exactly where this one does not."""
        terms = tuple((entry, -factor) for entry, factor in self.terms)
        return Atom(terms, -self.constant, not self.strict)

    def reduced(self) -> Atom:
        """The same half-space with its first factor 1 or -1."""
        size = abs(self.terms[0][1]) if self.terms else Fraction(1)
        terms = tuple((entry, factor / size) for entry, factor in self.terms)
        return Atom(terms, self.constant / size, self.strict)


Clause = tuple[Atom, ...]
Formula = bool | tuple[Clause, ...]
"""True, False, or clauses that all hold."""


def both(one: Formula, other: Formula) -> Formula:
    """One and other."""
    if one is False or other is False:
        return False
    if one is True:
        return other
    return one if other is True else one + other


def either(one: Formula, other: Formula) -> Formula:
    """One or other: every clause of the one together with every clause of the other."""
    if one is True or other is True:
        return True
    if one is False:
        return other
    if other is False:
        return one
    return tuple(tuple(dict.fromkeys(a + b)) for a in one for b in other)


def size_of_either(one: Formula, other: Formula) -> int:
    """How many atoms `either` writes out."""
    if isinstance(one, bool) or isinstance(other, bool):
        return 0
    atoms = [sum(map(len, part)) for part in (one, other)]
    return atoms[0] * len(other) + atoms[1] * len(one)


def all_of(atoms: tuple[Atom, ...]) -> Formula:
    """Every atom by itself."""
    return tuple((atom,) for atom in atoms)


def not_all_of(atoms: tuple[Atom, ...]) -> Formula:
    """At least one of the atoms fails."""
    return (tuple(atom.negated() for atom in atoms),) if atoms else False


def entries_of(formula: Formula) -> Iterator[Entry]:
    """Every entry that a formula speaks of, as often as it does."""
    for clause in () if isinstance(formula, bool) else formula:
        for atom in clause:
            yield from (entry for entry, _ in atom.terms)
