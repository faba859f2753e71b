"""Replay of witnesses: onnxruntime on the file's own bytes, the claim in exact arithmetic.

A witness counts only if it is a float32 point inside the exact input set (the inner box; where a
coordinate's set holds no float32 at all, one of the two beside it) and the network's output,
as onnxruntime computes it for this one input, violates a row with zero tolerance: `C z + d > 0`,
or `>= 0` for a strict row. Outputs are floats and C, d rationals, so the comparison is exact.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from ibpc.sets import Settled, within
from ibpc.verification.verdict import Evidence, Witness

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Runtime
    from ibpc.language import Claim, Row

BATCH = 256


class Replayer:
    """Runs points through one network and judges them by one claim; cheap to build."""

    def __init__(self, data: bytes, claim: Claim, shape: tuple[int, ...]) -> None:
        """`shape` is the network's input, batch axis first."""
        self._data, self._claim, self._shape = data, claim, shape
        self._batched = True

    @cached_property
    def _runtime(self) -> Runtime:
        from ibpc.graph import Runtime

        return Runtime(self._data)

    def outputs(self, points: np.ndarray) -> np.ndarray:
        """The network's outputs, flat: shapes (batch, inputs) -> (batch, outputs).

        Networks exported for one input at a time are run so.
        """
        import numpy as np

        from ibpc.errors import ModelMistake

        found: list[np.ndarray] = []
        step = BATCH
        start = 0
        while start < len(points):
            step = BATCH if self._batched else 1
            chunk = points[start : start + step]
            try:
                result = self._run(chunk)
            except ModelMistake:
                if len(chunk) == 1:
                    raise
                self._batched = False
                continue
            if result.shape[0] != len(chunk):
                self._batched = False
                continue
            found.append(result)
            start += len(chunk)
        return np.concatenate(found) if found else np.zeros((0, self._claim.size))

    def violated_row(
        self, output: np.ndarray, label: int, point: np.ndarray | None = None
    ) -> tuple[int, Fraction] | None:
        """The most violated row and its exact violation, or None where every row holds.

        Where the claim is no conjunction: the most violated clause, all of whose rows are violated,
        with the smallest of their violations. `point` is the input, for claims that read it.
        """
        import numpy as np

        if not np.isfinite(output).all():
            return None
        if self._claim.argmax:
            return self._overtaken(output, label)
        values = output
        if self._claim.inputs:
            assert point is not None
            values = np.concatenate([output, point.reshape(-1).astype(output.dtype)])
        rows = self._claim.rows[label if len(self._claim.rows) > 1 else 0]
        worst = []
        for number, members in enumerate(self._claim.clauses_of(label)):
            found = [(exact_violation(rows[row], values), rows[row].strict) for row in members]
            if all(value > 0 or (value == 0 and strict) for value, strict in found):
                worst.append((number, min(value for value, _ in found)))
        return max(worst, key=lambda one: one[1], default=None)

    def replay(
        self, point: np.ndarray, label: int, lower: np.ndarray, upper: np.ndarray, by: str
    ) -> Witness | None:
        """The witness that `point` is, or None where it is outside the box or violates nothing.

        Shapes: point, lower, upper flat float32; `lower`, `upper` bound the inner box.
        """
        inside = within(point, lower, upper)
        return None if inside is None else self.judge(Settled(point, inside), label, by)

    def judge(self, settled: Settled | None, label: int, by: str) -> Witness | None:
        """The witness that a point of the set is, or None where it violates nothing."""
        if settled is None:
            return None
        output = self.outputs(settled.point.reshape(1, -1))[0]
        row = self.violated_row(output, label, settled.point)
        if row is None:
            return None
        facts = {
            "by": by,
            "row": row[0],
            "violation": float(row[1]),
            "output": [float(value) for value in output[:64]],
            **settled.facts,
        }
        if settled.note:
            facts["note"] = settled.note
        return Witness(settled.point.copy(), Evidence("replayed with onnxruntime", facts))

    def _run(self, points: np.ndarray) -> np.ndarray:
        runtime = self._runtime
        shaped = points.reshape(len(points), *self._shape[1:])
        found = runtime.run({runtime.inputs[0]: shaped})
        output = next(iter(found.values()))
        return output.reshape(output.shape[0], -1)

    def _overtaken(self, output: np.ndarray, label: int) -> tuple[int, Fraction] | None:
        """For argmax claims: the largest other output, where it exceeds the label's."""
        others = [k for k in range(len(output)) if k != label]
        best = max(range(len(others)), key=lambda row: output[others[row]])
        gap = Fraction(float(output[others[best]])) - Fraction(float(output[label]))
        strict = self._claim.strict
        return (best, gap) if gap > 0 or (strict and gap == 0) else None


def exact_violation(row: Row, output: np.ndarray) -> Fraction:
    """`C z + d` of one row in exact arithmetic."""
    total = row.constant
    for index, coefficient in row.coefficients:
        total += coefficient * Fraction(float(output[index]))
    return total
