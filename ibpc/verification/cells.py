"""Cells: one report of one verify block on one network, and everything that its verdicts rest on.

A cell's verdicts are found again by the keys of its questions, never by what stands here. Facts are
kept so that a verdict which is missing can be explained: which of them was another when the cell
was last finished.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ibpc.language import Fit, canonical
from ibpc.verification.stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.graph import Fingerprint
    from ibpc.language import Report, VerifyTask


@dataclass(frozen=True)
class Cell:
    """A cell as it was asked; `facts` is JSON, `data` the key of its examples' digests.

    `task`, `report` and `net` are names, for people and for finding a cell's earlier self.
    """

    task: str
    report: str
    net: str
    facts: str
    data: str


def cell_of(
    task: VerifyTask, report: Report, found: Fingerprint | None, digests: Sequence[str]
) -> Cell:
    """The cell of one report of a task; `found` is None while the network is not trained."""
    network = task.network
    net = network.net if isinstance(network, Fit) else network
    observed = all(STAGES[stage.word].role == "observe" for stage in report.stages)
    facts: dict[str, Any] = {
        "network": json.loads(canonical(network)),
        "claim": None if observed else json.loads(canonical(task.claim)),
        "input": json.loads(canonical(net.input)),
        "stages": json.loads(canonical(report.stages)),
        "graph": "" if found is None else found.graph,
        "weights": "" if found is None else found.weights,
    }
    text = json.dumps(facts, sort_keys=True)
    return Cell(task.title, report.name, net.name, text, data_key(digests))


def data_key(digests: Sequence[str]) -> str:
    """The content of the examples of a cell, in their order."""
    return sha256(" ".join(digests).encode()).hexdigest()
