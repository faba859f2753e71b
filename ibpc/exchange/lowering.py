"""From exact numbers to arrays: boxes outward for proofs and inward for witnesses, rows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ibpc.rounding import directed, to_float32, up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ibpc.exchange.property import Disjunct, Exact, Property

    _LowerOne = Callable[[Disjunct], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Rows:
    """`outputs @ y + inputs @ x <= bound` row by row (`<` where `strict`), in float64.

    Coefficients are the nearest float64, and `outputs_error`, `inputs_error` bound how far each is
    from the exact number (0 almost always); `bound` is rounded up, so that with the errors covered
    the float rows hold wherever the exact ones do. `inputs` and `inputs_error` are None where no
    row speaks of inputs.

    Shapes: outputs, outputs_error (rows, m); inputs, inputs_error (rows, n); bound, strict (rows,).
    """

    outputs: np.ndarray
    outputs_error: np.ndarray
    inputs: np.ndarray | None
    inputs_error: np.ndarray | None
    bound: np.ndarray
    strict: np.ndarray


def outward_box(case: Disjunct) -> tuple[np.ndarray, np.ndarray]:
    """Float64 bounds that enclose the exact box.  Shapes: (n,), (n,)."""
    return _side(case.lower, upward=False), _side(case.upper, upward=True)


def inward_box(case: Disjunct) -> tuple[np.ndarray, np.ndarray]:
    """Float32 bounds such that every float32 between them lies in the exact box.

    A coordinate where the box holds no float32 comes out with lower > upper: these are the two
    float32 beside it.

    Shapes: (n,), (n,).
    """
    lower, upper = _side(case.lower, upward=True), _side(case.upper, upward=False)
    return to_float32(lower, upward=True), to_float32(upper, upward=False)


def outward_boxes(cases: Sequence[Disjunct]) -> tuple[np.ndarray, np.ndarray]:
    """`outward_box` of several disjuncts; a shared box is lowered once.  Shapes: (k, n), (k, n)."""
    return _stacked(cases, outward_box)


def inward_boxes(cases: Sequence[Disjunct]) -> tuple[np.ndarray, np.ndarray]:
    """`inward_box` of several disjuncts; a shared box is lowered once.  Shapes: (k, n), (k, n)."""
    return _stacked(cases, inward_box)


def row_matrices(case: Disjunct, given: Property) -> Rows:
    """The rows of one disjunct as matrices."""
    count = len(case.rows)
    outputs, outputs_error = np.zeros((2, count, given.outputs))
    mixed = any(row.inputs for row in case.rows)
    inputs, inputs_error = np.zeros((2, count, given.inputs)) if mixed else (None, None)
    for position, row in enumerate(case.rows):
        _fill(outputs[position], outputs_error[position], row.outputs)
        if inputs is not None and inputs_error is not None:
            _fill(inputs[position], inputs_error[position], row.inputs)
    return Rows(
        outputs,
        outputs_error,
        inputs,
        inputs_error,
        np.array([up(row.bound) for row in case.rows], dtype=np.float64),
        np.array([row.strict for row in case.rows], dtype=bool),
    )


def _fill(values: np.ndarray, errors: np.ndarray, terms: Sequence[tuple[int, Exact]]) -> None:
    """Writes a row's nearest coefficients and their errors, rounded up."""
    for index, number in terms:
        nearest = float(number)
        values[index] = nearest
        if np.isfinite(nearest) and Fraction(nearest) != number:
            errors[index] = up(abs(Fraction(number) - Fraction(nearest)))


def _side(numbers: Sequence[Exact], upward: bool) -> np.ndarray:
    return directed(numbers, (len(numbers),), upward)


def _stacked(cases: Sequence[Disjunct], lower_one: _LowerOne) -> tuple[np.ndarray, np.ndarray]:
    made: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    pairs = []
    for case in cases:
        key = id(case.lower), id(case.upper)
        if key not in made:
            made[key] = lower_one(case)
        pairs.append(made[key])
    lowers, uppers = zip(*pairs, strict=True)
    return np.stack(lowers), np.stack(uppers)
