"""A property as arrays: boxes, and the rows that must all hold for a point to be unsafe.

With g = -(A y + B x) computed once for each distinct left-hand side (A, B), a row of the file
`A y + B x <= b` holds where

    violation = g + b >= 0        (> 0 where the row is strict)

so a case is safe on a box where an upper bound of g + b is negative for one of its rows.
Cases over the same box form a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from ibpc.exchange import inward_box, outward_box
from ibpc.rounding import up

if TYPE_CHECKING:
    from ibpc.exchange import Constraint, Disjunct, Property

_Terms = tuple[tuple[tuple[int, Fraction], ...], tuple[tuple[int, Fraction], ...]]


@dataclass(frozen=True)
class Forms:
    """The distinct left-hand sides, negated: g = outputs @ y + inputs @ x, in float64.

    Shapes: outputs (forms, outputs), inputs (forms, inputs) or None where no row speaks of inputs.
    Rows whose coefficients are not float64 numbers are multiplied by their denominators. `exact`:
    whether that made all of them float64 numbers; if not, no bound of g proves anything.
    """

    outputs: np.ndarray
    inputs: np.ndarray | None
    exact: bool


@dataclass(frozen=True)
class Cases:
    """The unsafe set: for each group a box, and for each of its cases rows (form, bound).

    Shapes: outer_* (groups, inputs) float64, enclosing the exact boxes; inner_* (groups, inputs)
    float32, the float32 points of the exact boxes (the nearest one where a coordinate has none,
    see `nearest`). form, bound, strict: (groups, cases, rows). Missing rows repeat the case's
    last one, missing cases have the bound -inf: they are safe whatever the network is.
    """

    forms: Forms
    outer_lower: np.ndarray
    outer_upper: np.ndarray
    inner_lower: np.ndarray
    inner_upper: np.ndarray
    nearest: np.ndarray
    form: np.ndarray
    bound: np.ndarray
    strict: np.ndarray
    members: tuple[tuple[Disjunct, ...], ...]

    @property
    def groups(self) -> int:
        """How many boxes there are."""
        return len(self.members)

    @property
    def inputs(self) -> int:
        """How many inputs the network has, flat."""
        return int(self.outer_lower.shape[1])

    def violations(self, g: np.ndarray, group: np.ndarray) -> np.ndarray:
        """`min over rows of g + bound` of each case, rounded up: (points, cases).

        Shapes: g (points, forms), group (points,).
        """
        picked = np.take_along_axis(g, self.form[group].reshape(len(g), -1), axis=1)
        sums = picked.reshape(self.form[group].shape) + self.bound[group]
        found: np.ndarray = np.nextafter(sums, np.inf).min(axis=2)
        return found

    def safe(self, upper: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Which cases upper bounds of g show to be empty: (points, cases); NaN shows nothing."""
        picked = np.take_along_axis(upper, self.form[group].reshape(len(upper), -1), axis=1)
        sums = np.nextafter(picked.reshape(self.form[group].shape) + self.bound[group], np.inf)
        shown = (sums < 0) | (self.strict[group] & (sums <= 0))
        found: np.ndarray = (shown | (self.bound[group] == -np.inf)).any(axis=2)
        return found

    def padding(self) -> np.ndarray:
        """Which cases are there only to fill the table: (groups, cases)."""
        found: np.ndarray = (self.bound == -np.inf).all(axis=2)
        return found


def lower_property(wanted: Property) -> Cases:
    """The arrays of a property: outward boxes for proofs, inward ones for witnesses."""
    groups = _groups(wanted)
    forms: dict[_Terms, int] = {}
    table = [
        [[_row(row, forms) for row in case.rows] or [(-1, Fraction(0), False)] for case in cases]
        for cases in groups
    ]
    boxes = [_boxes(cases[0]) for cases in groups]
    form, bound, strict = _padded(table)
    outer_lower, outer_upper, inner_lower, inner_upper, nearest = (
        np.stack([box[part] for box in boxes]) for part in range(5)
    )
    return Cases(
        _matrices(forms, wanted),
        outer_lower,
        outer_upper,
        inner_lower,
        inner_upper,
        nearest,
        form,
        bound,
        strict,
        tuple(tuple(cases) for cases in groups),
    )


def _groups(wanted: Property) -> list[list[Disjunct]]:
    """The cases by box; cases of one box share its tuples."""
    found: dict[tuple[int, int], list[Disjunct]] = {}
    for case in wanted.disjuncts:
        found.setdefault((id(case.lower), id(case.upper)), []).append(case)
    return list(found.values())


def _row(row: Constraint, forms: dict[_Terms, int]) -> tuple[int, Fraction, bool]:
    """(form, bound, strict) of one row."""
    numbers = [Fraction(number) for _, number in (*row.outputs, *row.inputs)]
    floats = all(Fraction(float(number)) == number for number in numbers)
    scale = 1 if floats else lcm(*(number.denominator for number in numbers))
    terms = (
        tuple((index, -scale * Fraction(number)) for index, number in row.outputs),
        tuple((index, -scale * Fraction(number)) for index, number in row.inputs),
    )
    return forms.setdefault(terms, len(forms)), scale * Fraction(row.bound), row.strict


def _boxes(case: Disjunct) -> tuple[np.ndarray, ...]:
    """Outer and inner box of one case, and where the inner one had to take the nearest float32."""
    outer_lower, outer_upper = outward_box(case)
    inner_lower, inner_upper = (side.copy() for side in inward_box(case))
    none = inner_lower > inner_upper
    for index in np.flatnonzero(none):
        middle = (Fraction(case.lower[index]) + Fraction(case.upper[index])) / 2
        sides = (inner_lower[index], inner_upper[index])
        near = min(sides, key=lambda side: abs(Fraction(float(side)) - middle))
        inner_lower[index] = inner_upper[index] = near
    return np.array(outer_lower), np.array(outer_upper), inner_lower, inner_upper, none


def _padded(
    table: list[list[list[tuple[int, Fraction, bool]]]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The table as arrays. A case without rows is unsafe everywhere: its bound is +inf."""
    most_cases = max(len(cases) for cases in table)
    most_rows = max(len(rows) for cases in table for rows in cases)
    shape = (len(table), most_cases, most_rows)
    form = np.zeros(shape, dtype=np.int64)
    bound = np.full(shape, -np.inf)
    strict = np.zeros(shape, dtype=bool)
    for group, cases in enumerate(table):
        for case, rows in enumerate(cases):
            full = rows + rows[-1:] * (most_rows - len(rows))
            for place, (index, number, is_strict) in enumerate(full):
                form[group, case, place] = max(index, 0)
                bound[group, case, place] = np.inf if index < 0 else up(number)
                strict[group, case, place] = is_strict
    return form, bound, strict


def _matrices(forms: dict[_Terms, int], wanted: Property) -> Forms:
    """The forms' coefficients as matrices; at least one form."""
    count = max(1, len(forms))
    outputs = np.zeros((count, wanted.outputs))
    inputs = np.zeros((count, wanted.inputs)) if any(terms[1] for terms in forms) else None
    exact = True
    for (over_outputs, over_inputs), place in forms.items():
        for matrix, terms in ((outputs, over_outputs), (inputs, over_inputs)):
            for index, number in terms:
                assert matrix is not None
                matrix[place, index] = float(number)
                exact &= Fraction(float(number)) == number
    return Forms(outputs, inputs, exact)
