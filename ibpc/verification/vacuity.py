"""Claims that cannot fail: at a datum whose set is empty, or whose premise is never true.

Such a claim holds, and says nothing of the network. What is said here is certain: bounds that
cross, distances and rows in exact or float64 numbers with slack, linear programs whose rows were
loosened by SLACK before a solver called them infeasible.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ibpc.errors import NumericalDoubt
from ibpc.language import never_true, premises_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from scipy.sparse import csr_array

    from ibpc.language import InputSet, Row
    from ibpc.verification.subject import Subject

EMPTY = "the input set is empty"
FALSE = "the premise is never true"

BATCH = 250
PROGRAMS = 500
"""How many linear programs a task may cost for this."""

SLACK = 1e-5
"""By so much of its size each row is loosened: above the solver's tolerance of 1e-7."""


def vacuous(subject: Subject) -> dict[int, str]:
    """Why the claim cannot fail at an example (EMPTY or FALSE), by index."""
    found = dict.fromkeys(_empty(subject), EMPTY)
    for index in _premise_false(subject, set(found)):
        found[index] = FALSE
    return found


# --- empty sets ------------------------------------------------------------------------------


def _empty(subject: Subject) -> Iterator[int]:
    from ibpc.sets import empty, may_be_empty

    given = subject.claim.set
    if subject.examples is None or not may_be_empty(given):
        return
    left = PROGRAMS
    for start in range(0, len(subject), BATCH):
        indices = list(range(start, min(start + BATCH, len(subject))))
        with suppress(NumericalDoubt):
            crossed = empty(given, subject.kind, subject.pixels(indices))
            for index, none in zip(indices, crossed, strict=True):
                if none:
                    yield index
                elif left > 0 and _has_parameters(given):
                    left -= 1
                    if _programs_empty(subject, index):
                        yield index


def _has_parameters(given: InputSet) -> bool:
    """Whether bounds alone may miss that the set is empty: an image meets another set."""
    return given.kind == "intersect" and any(part.kind == "image" for part in given.parts)


def _programs_empty(subject: Subject, index: int) -> bool:
    """Whether the set's linear description around one datum has no solution."""
    from ibpc.milp import ArrayEncoder
    from ibpc.sets import encoded, settle_datum

    ground = subject.ground([index], subject.claim.set)
    if settle_datum(ground) is not None:
        return False
    encoder = ArrayEncoder(relaxed=True)
    form = encoded(ground, encoder)
    model = encoder.finish(subject.kind.entries, form)
    return infeasible(model.matrix, model.rhs, model.equal, model.lower, model.upper)


# --- premises --------------------------------------------------------------------------------


def _premise_false(subject: Subject, empty: set[int]) -> Iterator[int]:
    """The examples at which no premise of the claim can be true."""
    claim = subject.claim
    if not claim.inputs or not claim.clauses:
        return
    left = PROGRAMS
    by_label: dict[int, tuple[tuple[Row, ...], ...]] = {}
    for index in range(len(subject)):
        label = subject.label(index)
        if label not in by_label:
            by_label[label] = premises_of(claim, label)
        own = by_label[label]
        if not own or index in empty:
            continue
        with suppress(NumericalDoubt):
            boxes = list(_boxes(subject, index))
            if all(never_true(own, *box, claim.size) for box in boxes):
                yield index
            elif left > 0:
                left -= len(own) * len(boxes)
                if all(_unreachable(rows, *box, claim.size) for box in boxes for rows in own):
                    yield index


def _boxes(subject: Subject, index: int) -> Iterator[tuple[list[float], list[float]]]:
    for member in subject.parts:
        ground = subject.ground([index], member)
        yield ground.lower.reshape(-1).tolist(), ground.upper.reshape(-1).tolist()


def _unreachable(rows: tuple[Row, ...], lower: list[float], upper: list[float], size: int) -> bool:
    """Whether no point of the box violates all rows: then their premise is nowhere true."""
    import numpy as np
    from scipy.sparse import csr_array

    entries = [
        (place, column - size, -float(factor))
        for place, row in enumerate(rows)
        for column, factor in row.coefficients
    ]
    places, columns, factors = (list(part) for part in zip(*entries, strict=True))
    matrix = csr_array((factors, (places, columns)), shape=(len(rows), len(lower)))
    rhs = np.array([float(row.constant) for row in rows])
    equal = np.zeros(len(rows), dtype=bool)
    return infeasible(matrix, rhs, equal, np.array(lower), np.array(upper))


def infeasible(
    matrix: csr_array, rhs: np.ndarray, equal: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> bool:
    """Whether `matrix v <= rhs` (`==` where `equal`) has no solution in a box, by a wide margin.

    Each row is loosened by SLACK of the sum of its terms' sizes over the box.
    Shapes: matrix (rows, columns); rhs, equal (rows,); lower, upper (columns,).
    """
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    slack = SLACK * (abs(matrix) @ np.maximum(abs(lower), abs(upper)) + abs(rhs) + SLACK)
    both = vstack([matrix, -matrix[equal]])
    sides = np.concatenate([rhs + slack, -rhs[equal] + slack[equal]])
    bounds = np.stack([lower, upper], axis=1)
    answer = linprog(np.zeros(len(lower)), A_ub=both, b_ub=sides, bounds=bounds, method="highs")
    return int(answer.status) == _INFEASIBLE


_INFEASIBLE = 2
"""scipy's word for it; whatever else it says, nothing is claimed."""
