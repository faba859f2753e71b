"""Whether a set around a datum is empty: said only where it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.sets.boxes import cut_bounds
from ibpc.sets.record import exact_radius

if TYPE_CHECKING:
    import numpy as np

    from ibpc.language import InputSet, TensorType

NORMS = {"ball_1": 1, "ball_2": 2}

SLACK = 1e-9
"""By so much of the radius a box must be farther away than the radius: float64 rounds."""


def may_be_empty(given: InputSet) -> bool:
    """Whether such a set can be empty though its datum lies in the domain."""
    if given.kind == "union":
        return all(may_be_empty(part) for part in given.parts)
    return given.kind in {"intersect", "image", "pixels"}


def empty(given: InputSet, kind: TensorType, x: np.ndarray) -> np.ndarray:
    """For which data the set holds no point at all; what is not sure is not said.

    A set is empty where the bounds of an entry cross, or where a ball that it lies in does not
    reach the box that it lies in; a union where all its members are.

    Shapes: x (batch, *dims) float32; the result (batch,) bool.  Raises: NumericalDoubt.
    """
    import numpy as np

    if given.kind == "union":
        members = [empty(part, kind, x) for part in given.parts]
        return np.asarray(np.logical_and.reduce(members))
    lower, upper = (side.reshape(len(x), -1) for side in cut_bounds(given, kind, x, outward=True))
    found = np.asarray((lower > upper).any(axis=1))
    for ball in _balls(given):
        center = x.reshape(len(x), -1).astype(np.float64)
        away = np.maximum(np.maximum(lower - center, center - upper), 0.0)
        distance = np.linalg.norm(away, ord=NORMS[ball.kind], axis=1)
        found |= distance > float(exact_radius(ball)) * (1 + SLACK) + SLACK**2
    return found


def _balls(given: InputSet) -> list[InputSet]:
    return [part for part in (given, *given.parts) if part.kind in NORMS]
