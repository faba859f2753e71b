"""Premises of a claim, and whether one can be true at all.

`premise => conclusion` is a clause of rows of which one must hold: those of the negated premise,
which read the input alone, and those of the conclusion, which read outputs. Where rows of the first
kind hold all over the input set, the premise is never true: the claim says nothing of the network.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.language.program import Claim, Row, TensorType

Premises = tuple[tuple["Row", ...], ...]
"""For each clause with a conclusion the rows of its negated premise."""


def premises_of(claim: Claim, label: int) -> Premises:
    """Those of a label's claim; empty where some clause speaks of the network without one."""
    if not claim.inputs or not claim.clauses:
        return ()
    rows = claim.rows[label if len(claim.rows) > 1 else 0]
    found = []
    for clause in claim.clauses_of(label):
        own = tuple(rows[row] for row in clause if _reads_input_alone(rows[row], claim.size))
        if len(own) == len(clause):
            continue  # it says something of the inputs, whatever the network
        if not own:
            return ()
        found.append(own)
    return tuple(found)


def never_true(
    found: Premises,
    lower: Sequence[Fraction | float],
    upper: Sequence[Fraction | float],
    size: int,
) -> bool:
    """Whether in each of the premises some row refutes it all over a box, in exact numbers.

    `size`: how many outputs stand before the inputs in the rows' columns.
    """
    return bool(found) and all(any(_holds(row, lower, upper, size) for row in own) for own in found)


def never_true_by_numbers(claim: Claim, kind: TensorType) -> bool:
    """Whether no premise of a claim can be true, for any label, on a box that needs no datum."""
    if not claim.inputs or not claim.clauses:
        return False
    box = _box(claim, kind)
    if box is None:
        return False
    labels = range(len(claim.rows))
    return all(never_true(premises_of(claim, label), *box, claim.size) for label in labels)


def _reads_input_alone(row: Row, size: int) -> bool:
    return all(column >= size for column, _ in row.coefficients)


def _holds(
    row: Row, lower: Sequence[Fraction | float], upper: Sequence[Fraction | float], size: int
) -> bool:
    """Whether the row's maximum over the box is at most 0 (below 0, where it is strict)."""
    most = row.constant
    for column, factor in row.coefficients:
        side = upper if factor > 0 else lower
        most += factor * Fraction(side[column - size])
    return most < 0 or (most == 0 and not row.strict)


def _box(
    claim: Claim, kind: TensorType
) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]] | None:
    """The claim's set in exact numbers, where it is a box without a datum."""
    if claim.set.kind == "box":
        lower, upper = claim.set.lower, claim.set.upper
    elif claim.set.kind == "domain" and kind.domain is not None:
        lower, upper = (tuple(pair[end] for pair in kind.domain) for end in (0, 1))
    else:
        return None
    wide = claim.inputs if len(lower) == 1 else 1
    return lower * wide, upper * wide
