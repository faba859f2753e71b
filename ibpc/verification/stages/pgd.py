"""pgd: looks for a point that violates the claim; can refute and never prove."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ibpc.attacks import ATTACKS
from ibpc.verification.verdict import Answer, Evidence, Unknown, Violated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ibpc.language import InputSet
    from ibpc.sets import Ground
    from ibpc.verification.subject import Answered, Case, Subject
    from ibpc.verification.verdict import Witness

STAGE = ATTACKS["pgd"]

BATCH = 250

NEARLY = 1e-4
"""Candidates from this far below zero are replayed too: torch and onnxruntime round differently."""


def decide(
    subject: Subject, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Violated with a replayed witness, else Unknown.

    The datum itself is tried first: a misclassified example is its own witness.
    """
    for start in range(0, len(cases), BATCH):
        chunk = list(cases[start : start + BATCH])
        began = time.monotonic()
        found: dict[int, Witness] = {}
        margins: dict[int, float] = {}
        for member in subject.parts:
            left = [position for position in range(len(chunk)) if position not in found]
            attack_member(subject, arguments, chunk, left, member, found, margins)
        seconds = (time.monotonic() - began) / len(chunk)
        yield [
            (case, judge(found.get(position), margins.get(position), seconds))
            for position, case in enumerate(chunk)
        ]


def attack_member(
    subject: Subject,
    arguments: Mapping[str, Any],
    cases: list[Case],
    left: list[int],
    member: InputSet,
    found: dict[int, Witness],
    margins: dict[int, float],
) -> None:
    """Looks for witnesses in one member of the set, at the positions `left`.

    Writes into `found` and `margins` (the largest violation seen), by position.
    """
    from ibpc.sets import settle

    if not left:
        return
    ground = subject.ground([case.index for case in cases], member)
    found.update(clean_witnesses(subject, cases, left, ground))
    left = [position for position in left if position not in found]
    if not left:
        return
    points, margin = attack(subject, arguments, cases, left, ground)
    for row, position in enumerate(left):
        margins[position] = max(float(margin[row]), margins.get(position, -math.inf))
        if margin[row] < -NEARLY:
            continue
        settled = settle(single(ground, position), points[row].astype("f8"))
        witness = subject.replayer.judge(settled, cases[position].label, "pgd")
        if witness is not None:
            found[position] = witness


def single(ground: Ground, position: int) -> Ground:
    """The set around one of the data."""
    chosen = slice(position, position + 1)
    return replace(
        ground, x=ground.x[chosen], lower=ground.lower[chosen], upper=ground.upper[chosen]
    )


def judge(witness: Witness | None, margin: float | None, seconds: float) -> Answer:
    """Violated with a witness; without one, Unknown with the best violation found."""
    if witness is not None:
        return Answer(Violated(witness), seconds=seconds)
    evidence = Evidence("pgd", {"violation": margin})
    return Answer(Unknown("the attack found no witness", evidence), seconds=seconds)


def clean_witnesses(
    subject: Subject, cases: list[Case], left: list[int], ground: Ground
) -> dict[int, Witness]:
    """Witnesses among the data themselves (where they lie in their sets), by position.

    A batch is run first; only what fails there is replayed by itself.
    """
    from ibpc.sets import settle_datum

    points = ground.x[left].reshape(len(left), -1)
    outputs = subject.replayer.outputs(points)
    found: dict[int, Witness] = {}
    for row, (position, output) in enumerate(zip(left, outputs, strict=True)):
        label = cases[position].label
        if subject.replayer.violated_row(output, label, points[row]) is None:
            continue
        settled = settle_datum(single(ground, position))
        witness = subject.replayer.judge(settled, label, "the datum itself")
        if witness is not None:
            found[position] = witness
    return found


def attack(
    subject: Subject,
    arguments: Mapping[str, Any],
    cases: list[Case],
    left: list[int],
    ground: Ground,
) -> tuple[np.ndarray, np.ndarray]:
    """The attack on the examples at positions `left`.

    Gives points of the set's search (batch, n) float32, and their margins.
    """
    import torch

    from ibpc.attacks import climb
    from ibpc.sets import search

    device = subject.device
    chosen = [cases[position] for position in left]
    region = search(ground)[torch.tensor(left)].to(device, subject.input_shape[1:])
    labels = torch.tensor([case.label for case in chosen], device=device)
    keys = torch.tensor([_key(subject.digest(case.index)) for case in chosen], device=device)
    options = {name: value for name, value in arguments.items() if value is not None}
    program = subject.rows_program
    for parameter in program.parameters():
        parameter.requires_grad_(False)
    points, margins = climb(program, region, labels, keys=keys, **options)
    flat = points.detach().cpu().numpy().reshape(len(chosen), -1)
    return flat.astype("f4"), margins.detach().cpu().numpy()


def _key(digest: str) -> int:
    """The random starts of an example follow from its content, not from its place."""
    return int(digest[:15], 16) if digest != "no data" else 0
