"""A claim's rows as numbers: C and d of `violation = C z + d` (Eq. 2)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ibpc.language import Claim


def claim_rows(claim: Claim, label: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows that must not exceed zero when the datum's label is `label`.

        violation = C z + d

    d is rounded up, against us. An entry of C is the nearest float64: what that costs depends on
    z, and the interval rules of claim nodes cover it. An argmax claim has one row z[k] - z[label]
    for each class k != label, ascending.

    Shapes: C (rows, n), d (rows,), float64; n counts the entries of the input too, behind the
            outputs, where the claim reads them.
    Source: Gowal et al. 2019, Eq. 2 and 3.
    """
    if claim.argmax:
        others = other_classes(claim.size, label)
        matrix = np.zeros((len(others), claim.size))
        matrix[np.arange(len(others)), others] = 1.0
        matrix[:, label] = -1.0
        return matrix, np.zeros(len(others))
    rows = claim.rows[label if len(claim.rows) > 1 else 0]
    matrix, constants = np.zeros((len(rows), width(claim))), np.zeros(len(rows))
    for position, row in enumerate(rows):
        total: dict[int, Fraction] = {}
        for index, coefficient in row.coefficients:
            total[index] = total.get(index, Fraction(0)) + coefficient
        for index, coefficient in total.items():
            matrix[position, index] = float(coefficient)
        constants[position] = _rounded_up(row.constant)
    return matrix, constants


def other_classes(classes: int, label: int) -> np.ndarray:
    """All classes but `label`, ascending: the row order of an argmax claim."""
    return np.delete(np.arange(classes), label)


def claim_table(claim: Claim) -> tuple[np.ndarray, np.ndarray]:
    """The rows for every label at once.

    A label with fewer rows than others repeats its last one; a label without rows (a claim that
    says nothing of it) gets rows of constant violation -1. Neither changes what holds.

    Shapes: C (labels, rows, n), d (labels, rows), float64; labels = 1 where the claim does not
    look at the label.
    """
    labels = claim.size if claim.argmax else len(claim.rows)
    found = [claim_rows(claim, label) for label in range(labels)]
    most = max((len(constants) for _, constants in found), default=0)
    matrices = np.zeros((labels, most, width(claim)))
    constants = np.full((labels, most), -1.0)
    for label, (matrix, constant) in enumerate(found):
        count = len(constant)
        matrices[label, :count], constants[label, :count] = matrix, constant
        if 0 < count < most:
            matrices[label, count:], constants[label, count:] = matrix[-1], constant[-1]
    return matrices, constants


def width(claim: Claim) -> int:
    """How many columns the rows have: outputs, then the inputs that the claim may read."""
    return claim.size + claim.inputs


def clause_table(claim: Claim) -> np.ndarray | None:
    """The rows of every label's clauses; None for a conjunction, whose clauses are its rows.

    Clauses of fewer rows repeat their last row, labels of fewer clauses their last clause; a
    label without clauses has only the row that always holds. Neither changes what holds.

    Shapes: (labels, clauses, members), int64; labels = 1 where the claim ignores the label.
    """
    if not claim.clauses:
        return None
    groups = [group or ((0,),) for group in claim.clauses]
    most = max(len(group) for group in groups)
    members = max(len(clause) for group in groups for clause in group)
    table = np.zeros((len(groups), most, members), dtype=np.int64)
    for label, group in enumerate(groups):
        for place in range(most):
            clause = group[min(place, len(group) - 1)]
            table[label, place] = clause + clause[-1:] * (members - len(clause))
    return table


def _rounded_up(number: Fraction) -> float:
    """The smallest float64 that is not below an exact number."""
    nearest = float(number)
    return nearest if Fraction(nearest) >= number else math.nextafter(nearest, math.inf)
