"""Who decides that a point is a counterexample: onnxruntime and exact arithmetic, nobody else.

A witness counts only if its float32 numbers lie in the exact decimal box of a case (where a
coordinate's box holds no float32: the nearest one), and the output that onnxruntime computes from
the file's own bytes satisfies every row of the case with zero tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ibpc.graph import Runtime
    from ibpc.verification.query.cases import Cases

TRIES = 16
"""Points of one call that are replayed: the attack's best ones come first."""


@dataclass(frozen=True)
class Found:
    """A replayed witness: float32 input and output, flat; `near`: inputs without a float32."""

    x: np.ndarray
    y: np.ndarray
    near: int
    by: str


class Judge:
    """Replays points on the network's original bytes."""

    def __init__(self, data: bytes, origin: str, cases: Cases) -> None:
        self._data, self._origin, self._cases = data, origin, cases

    @cached_property
    def runtime(self) -> Runtime:
        """The session over the original bytes."""
        from ibpc.graph import Runtime

        return Runtime(self._data, origin=self._origin)

    def run(self, x: np.ndarray) -> np.ndarray:
        """The output for one flat float32 point, flat."""
        runtime = self.runtime
        name = runtime.inputs[0]
        output = next(iter(runtime.run({name: x.reshape(runtime.shapes[name])}).values()))
        return np.asarray(output).reshape(-1)

    def first(self, points: np.ndarray, group: np.ndarray, by: str) -> Found | None:
        """The first of some points that is a counterexample.

        Shapes: points (points, inputs), any float type, moved into their inner boxes here;
        group (points,): the box that each belongs to.
        """
        for point, number in list(zip(points, group.tolist(), strict=True))[:TRIES]:
            found = self._replay(point, number, by)
            if found is not None:
                return found
        return None

    def _replay(self, point: np.ndarray, group: int, by: str) -> Found | None:
        cases = self._cases
        lower, upper = cases.inner_lower[group], cases.inner_upper[group]
        x = np.minimum(np.maximum(point.astype(np.float32), lower), upper)
        if not np.isfinite(x).all():
            return None
        y = self.run(x)
        if not np.isfinite(y).all():
            return None
        values, outputs = x.tolist(), y.tolist()
        for case in cases.members[group]:
            if all(row.holds(values, outputs) for row in case.rows):
                return Found(x, y, int(cases.nearest[group].sum()), by)
        return None
