"""Proofs in exact arithmetic against float32 execution, where the two are a rounding apart.

`unsat` speaks of real arithmetic on the stored weights, a witness of what onnxruntime computes in
float32. Where the attack came within a rounding of the unsafe set, its best points and their
float32 neighbours are replayed after the proof; where one of them is a witness, both stand, and
the answer is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ibpc.verification.query.cases import Cases
    from ibpc.verification.query.judging import Found, Judge

ROUNDING = "decided only by rounding"

NEAR = 1e-5
"""Margins of less than this, relative to the forms' size, may be rounding."""

KEPT, NEIGHBOURS = 4, 64
"""Points of the attack that are kept, and neighbours of each that are replayed."""


class NearMisses:
    """The attack's best points that were no witnesses, and how far they were."""

    def __init__(self) -> None:
        self._points: list[tuple[float, np.ndarray, int]] = []

    def add(self, points: np.ndarray, margins: np.ndarray, group: np.ndarray) -> None:
        """Keeps the best ones.  Shapes: points (points, inputs), margins and group (points,)."""
        near = zip(
            margins[:KEPT].tolist(), points[:KEPT].copy(), group[:KEPT].tolist(), strict=True
        )
        self._points = sorted([*self._points, *near], key=lambda one: -one[0])[:KEPT]

    def witness(self, cases: Cases, judge: Judge, seed: int) -> Found | None:
        """A witness among the neighbours of points that missed by a rounding; costs nothing else.

        Neighbours differ from a point in the last bits of their coordinates.
        """
        draws = np.random.default_rng(seed)
        for margin, point, group in self._points:
            bounds = cases.bound[group][np.isfinite(cases.bound[group])]
            if not margin >= -NEAR * (1 + np.abs(bounds).max(initial=0.0)):
                continue
            steps = draws.integers(-64, 65, (NEIGHBOURS, len(point)))
            around = point + steps * np.spacing(np.abs(point))
            for part in np.array_split(around, NEIGHBOURS // 16):
                found = judge.first(part, np.full(len(part), group), "rounding")
                if found is not None:
                    return found
        return None
