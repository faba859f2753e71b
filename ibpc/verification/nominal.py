"""A claim that fails before anything is done to the input is mostly not the one that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibpc.errors import IbpcError

if TYPE_CHECKING:
    import numpy as np

    from ibpc.verification.subject import Subject

LOOKED_AT = 100
"""Data (or, of a claim without data, random points of its box) that are looked at."""

FEWEST = 10
"""Of fewer than these nothing is said."""

NEARLY_ALL = 0.95


@dataclass(frozen=True)
class Nominal:
    """Of how many points the claim was looked at, at how many it fails, and turned round holds."""

    points: int
    failed: int
    turned: int

    @property
    def suspicious(self) -> bool:
        """Whether it fails at nearly all of them."""
        return self.points >= FEWEST and self.failed >= NEARLY_ALL * self.points


def at_nominal_points(subject: Subject) -> Nominal | None:
    """The claim at the first data themselves; None where nothing can be said.

    A claim of Eq. 3 is not looked at: it fails where the network is wrong, which is an error rate.
    Nor is one that something exists: it needs no more than one point.
    """
    if subject.claim.argmax or subject.claim.exists:
        return None
    try:
        points, labels = _points(subject)
        outputs = subject.replayer.outputs(points)
    except IbpcError:  # the stages will say what is wrong, and where
        return None
    import numpy as np

    if len(points) < FEWEST or not np.isfinite(outputs).all():
        return None
    judged = [_judged(subject, *one) for one in zip(points, outputs, labels, strict=True)]
    failed, turned = (sum(side) for side in zip(*judged, strict=True))
    return Nominal(len(points), failed, turned)


def _points(subject: Subject) -> tuple[np.ndarray, list[int]]:
    """The first data that lie in their sets; random points of a box without data. (n, inputs)."""
    import numpy as np

    from ibpc.sets import inner_box, settle_datum

    if subject.examples is not None:
        from ibpc.errors import NumericalDoubt

        found = []
        for index in range(min(LOOKED_AT, len(subject))):
            try:
                grounds = [subject.ground([index], member) for member in subject.parts]
            except NumericalDoubt:
                continue
            if any(settle_datum(ground) is not None for ground in grounds):
                found.append(index)
        points = subject.pixels(found).reshape(len(found), -1)
        return points, [subject.label(index) for index in found]
    zero = np.zeros(subject.kind.shape, dtype=np.float32)
    lower, upper = (side.reshape(-1) for side in inner_box(subject.claim.set, subject.kind, zero))
    if subject.claim.set.kind not in {"box", "domain"} or (lower > upper).any():
        return np.zeros((0, zero.size), dtype=np.float32), []
    random = np.random.default_rng(0)
    shares = random.random((LOOKED_AT, zero.size), dtype=np.float32)
    drawn = np.clip(lower + shares * (upper - lower), lower, upper).astype(np.float32)
    return drawn, [0] * LOOKED_AT


def _judged(
    subject: Subject, point: np.ndarray, output: np.ndarray, label: int
) -> tuple[bool, bool]:
    """Whether the claim fails at a point, and whether it holds there with its rows turned round."""
    import numpy as np

    from ibpc.verification.replay import exact_violation

    claim = subject.claim
    failed = subject.replayer.violated_row(output, label, point) is not None
    values = np.concatenate([output, point]) if claim.inputs else output
    rows = claim.rows[label if len(claim.rows) > 1 else 0]
    signs = [exact_violation(row, values) >= 0 for row in rows]
    return failed, all(any(signs[row] for row in clause) for clause in claim.clauses_of(label))
