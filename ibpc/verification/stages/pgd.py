"""pgd: looks for a point that violates the claim; can refute and never prove."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ibpc.attacks import ATTACKS
from ibpc.verification.verdict import Answer, Evidence, Unknown, Violated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ibpc.verification.subject import Case, Subject
    from ibpc.verification.verdict import Witness

STAGE = ATTACKS["pgd"]

BATCH = 250

NEARLY = 1e-4
"""Candidates from this far below zero are replayed too: torch and onnxruntime round differently."""


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[tuple[Case, Answer]]:
    """Violated with a replayed witness, else Unknown.

    The datum itself is tried first: a misclassified example is its own witness.
    """
    for start in range(0, len(cases), BATCH):
        chunk = list(cases[start : start + BATCH])
        lower, upper = subject.inner([case.index for case in chunk])
        began = time.monotonic()
        found = clean_witnesses(subject, chunk, lower, upper)
        left = [position for position in range(len(chunk)) if position not in found]
        margins: dict[int, float] = {}
        if left:
            points, margin = climb(subject, arguments, chunk, left, lower, upper)
            for row, position in enumerate(left):
                margins[position] = float(margin[row])
                if margin[row] < -NEARLY:
                    continue
                witness = subject.replayer.replay(
                    points[row], chunk[position].label, lower[position], upper[position], "pgd"
                )
                if witness is not None:
                    found[position] = witness
        seconds = (time.monotonic() - began) / len(chunk)
        for position, case in enumerate(chunk):
            yield case, judge(found.get(position), margins.get(position), seconds)


def judge(witness: Witness | None, margin: float | None, seconds: float) -> Answer:
    """Violated with a witness; without one, Unknown with the best violation found."""
    if witness is not None:
        return Answer(Violated(witness), seconds=seconds)
    evidence = Evidence("pgd", {"violation": margin})
    return Answer(Unknown("the attack found no witness", evidence), seconds=seconds)


def clean_witnesses(
    subject: Subject, cases: list[Case], lower: np.ndarray, upper: np.ndarray
) -> dict[int, Witness]:
    """Witnesses among the data themselves (where they lie in their sets), by position.

    A batch is run first; only what fails there is replayed by itself.
    """
    points = subject.pixels([case.index for case in cases]).reshape(len(cases), -1)
    outputs = subject.replayer.outputs(points)
    found: dict[int, Witness] = {}
    for position, (case, output) in enumerate(zip(cases, outputs, strict=True)):
        if subject.replayer.violated_row(output, case.label, points[position]) is None:
            continue
        witness = subject.replayer.replay(
            points[position], case.label, lower[position], upper[position], "the datum itself"
        )
        if witness is not None:
            found[position] = witness
    return found


def climb(
    subject: Subject,
    arguments: Mapping[str, Any],
    cases: list[Case],
    left: list[int],
    lower: np.ndarray,
    upper: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The attack on the examples at positions `left`: points (batch, inputs) float32, margins."""
    import numpy as np
    import torch

    from ibpc.attacks import pgd

    device, shape = subject.device, subject.input_shape[1:]
    chosen = [cases[position] for position in left]
    low, high = np.minimum(lower[left], upper[left]), np.maximum(lower[left], upper[left])
    x = subject.pixels([case.index for case in chosen]).reshape(len(chosen), -1)
    lowest, highest, start = (
        torch.tensor(np.ascontiguousarray(part).reshape(len(chosen), *shape), device=device)
        for part in (low, high, x)
    )
    labels = torch.tensor([case.label for case in chosen], device=device)
    keys = torch.tensor([_key(subject.digest(case.index)) for case in chosen], device=device)
    options = {name: value for name, value in arguments.items() if value is not None}
    program = subject.rows_program
    for parameter in program.parameters():
        parameter.requires_grad_(False)
    points, margins = pgd(program, lowest, highest, start, labels, keys=keys, **options)
    flat = points.detach().cpu().numpy().reshape(len(chosen), -1)
    return flat.astype(np.float32), margins.detach().cpu().numpy()


def _key(digest: str) -> int:
    """The random starts of an example follow from its content, not from its place."""
    return int(digest[:15], 16) if digest != "no data" else 0
