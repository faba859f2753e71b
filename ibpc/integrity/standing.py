"""Which verdicts of a spec are there, which are stale and why, and which were never asked for.

A cell is one report of one verify block on one network. Its verdicts are looked up by content, in
the stores of all runs under a root, so that whatever computes the same is found whatever it is
called and wherever it lies. An example whose next answer is not there is *stale* if the cell was
finished before with something else (another radius, other weights, another pixel, another seed),
and *never run* otherwise. The earlier self of a cell is looked for among the cells that runs
finished and that no report of the present spec still asks for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ibpc.errors import IbpcError
from ibpc.experiment import fit_folders, merged, stores, trained_before, untrained
from ibpc.integrity.differences import differences, with_names
from ibpc.language import Fit, Product, Split, VerifyTask, canonical
from ibpc.verification import Archive, Recorded, Subject, cell_of, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ibpc.data import Examples
    from ibpc.language import Net, Program, Report
    from ibpc.verification import Cell, Standing

ASKED = ("network", "claim", "input", "stages")
"""Facts of a cell that the spec alone decides."""

REASONS = 4
"""Differences that a cell's reason names; more are counted."""


@dataclass(frozen=True)
class CellStanding:
    """One cell with its examples counted: they add up to `examples`.

    `why` gives the reasons of what is stale. `unseen`: the data are not at hand, so that nothing
    can be said; `examples` is then 0. `vacuous` has a reason for each verdict that says nothing of
    the network: a set that is empty, a premise that is never true.
    """

    task: str
    report: str
    net: str
    examples: int
    proved: int = 0
    refuted: int = 0
    unknown: int = 0
    stale: int = 0
    never: int = 0
    why: tuple[str, ...] = ()
    unseen: bool = False
    vacuous: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether every example has its verdict, be it that nothing could decide it."""
        return not self.stale and not self.never and not self.unseen


@dataclass(frozen=True)
class Situation:
    """What the look-ups go through: the runs' root, where data lie, and the runs' stores."""

    root: Path
    data_dir: Path
    archive: Archive


@dataclass
class _Present:
    """A cell that the spec asks for now."""

    task: VerifyTask
    report: Report
    examples: Examples | None
    digests: list[str]
    standing: Standing | None
    cell: Cell
    trouble: str = ""

    @property
    def asked(self) -> str:
        """What the spec asks, without what became of it."""
        return asked_part(self.cell.facts)


def cell_standings(
    program: Program, targets: Iterable[str], root: Path, data_dir: Path
) -> tuple[list[CellStanding], list[str]]:
    """The cells of the named targets, and what is to be said of stores that cannot be read."""
    with Archive(stores(root)) as archive:
        look = Look(Situation(root, data_dir, archive))
        present = _distinct(
            one
            for name in targets
            for task in program.targets[name].tasks
            if isinstance(task, VerifyTask)
            for one in look.cells(task)
        )
        wanted = {one.asked for one in present} | _asked_elsewhere(program)
        earlier = _earlier_selves(present, list(archive.cells()), wanted)
        found = [look.judge(one, earlier.get(number)) for number, one in enumerate(present)]
        return found, archive.unread


class Look:
    """Networks, data and answers as they are found for one program; each is looked up once."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self._examples: dict[str, Examples | str] = {}
        self._networks: dict[str, tuple[bytes | None, str]] = {}

    def cells(self, task: VerifyTask) -> list[_Present]:
        """The task's cells, with what the stores say of each."""
        from ibpc.graph import fingerprint

        examples = None if task.data is None else self.examples(task.data)
        if isinstance(examples, str):
            cells = [cell_of(task, report, None, ()) for report in task.reports]
            pairs = zip(task.reports, cells, strict=True)
            return [_Present(task, one, None, [], None, cell, examples) for one, cell in pairs]
        data, trouble = self.network(task.network)
        subject = subject_of(task, data or b"", examples)
        digests = [subject.digest(index) for index in range(len(subject))]
        known = None if data is None else fingerprint(data, task.title)
        found = standing(task, subject, self.situation.archive) if data is not None else None
        return [
            _Present(
                task,
                report,
                examples,
                digests,
                None if found is None else found[number],
                cell_of(task, report, known, digests),
                trouble,
            )
            for number, report in enumerate(task.reports)
        ]

    def examples(self, split: Split) -> Examples | str:
        """The examples of a split, or why they are not at hand."""
        from ibpc.data import load

        key = canonical(split)
        if key not in self._examples:
            try:
                self._examples[key] = load(split, self.situation.data_dir, download=False)
            except IbpcError as error:
                self._examples[key] = error.diagnostics[0].problem
        return self._examples[key]

    def network(self, network: Fit | Net | Product) -> tuple[bytes | None, str]:
        """The bytes of a network; or None and, where it is no matter of training, why."""
        key = canonical(network) + getattr(network, "path", "")
        if key not in self._networks:
            self._networks[key] = self._network(network)
        return self._networks[key]

    def _network(self, network: Fit | Net | Product) -> tuple[bytes | None, str]:
        if isinstance(network, Product):
            parts = [self.network(one) for one in network.networks]
            known = [data for data, _ in parts if data is not None]
            if len(known) == len(parts):
                return merged(network, known), ""
            return None, next((why for data, why in parts if data is None and why), "")
        if not isinstance(network, Fit):
            try:
                return untrained(network), ""
            except IbpcError as error:
                return None, error.diagnostics[0].problem
        examples = self.examples(network.data)
        if isinstance(examples, str):
            return None, f"training data: {examples}"
        path = trained_before(network, examples, self.situation.root)
        if path is not None:
            return path.read_bytes(), ""
        trained = any(one.is_dir() for one in fit_folders(self.situation.root, network))
        return None, "the network is not trained on these data" if trained else ""

    def judge(self, one: _Present, earlier: Recorded | None) -> CellStanding:
        """A cell's counts and reasons, given its earlier self."""
        cell, count = one.cell, len(one.digests)
        if one.standing is None:
            missing = frozenset(range(count))
            counts = {"holds": 0, "violated": 0, "unknown": 0}
        else:
            missing = one.standing.missing
            kinds = [
                decision.verdict.kind
                for decision in one.standing.result.decisions
                if decision.index not in missing
            ]
            counts = {kind: kinds.count(kind) for kind in ("holds", "violated", "unknown")}
        stale, why = _stale(one, earlier, missing)
        if one.trouble and one.trouble not in why:
            why = [one.trouble, *why]
        if not count:
            return CellStanding(cell.task, cell.report, cell.net, 0, why=tuple(why), unseen=True)
        return CellStanding(
            cell.task,
            cell.report,
            cell.net,
            count,
            counts["holds"],
            counts["violated"],
            counts["unknown"],
            stale,
            len(missing) - stale,
            tuple(why),
            vacuous=() if one.standing is None else tuple(one.standing.result.vacuous.values()),
        )


def subject_of(task: VerifyTask, data: bytes, examples: Examples | None) -> Subject:
    """What a task's stages look at."""
    network = task.network.net if isinstance(task.network, Fit) else task.network
    return Subject(data, task.title, task.claim, network.input, examples, 1, "cpu")


def asked_part(facts: str) -> str:
    """The hash of what a spec asks in a cell."""
    found = json.loads(facts)
    return sha256(json.dumps([found[name] for name in ASKED], sort_keys=True).encode()).hexdigest()


def _distinct(present: Iterable[_Present]) -> list[_Present]:
    """Cells that several targets ask for, once."""
    found: dict[tuple[str, ...], _Present] = {}
    for one in present:
        found.setdefault((one.cell.task, one.cell.report, one.cell.facts, one.cell.data), one)
    return list(found.values())


def _asked_elsewhere(program: Program) -> set[str]:
    """What all targets of the program ask, run or not: not what they asked before."""
    return {
        asked_part(cell_of(task, report, None, ()).facts)
        for target in program.targets.values()
        for task in target.tasks
        if isinstance(task, VerifyTask)
        for report in task.reports
    }


def _earlier_selves(
    present: Sequence[_Present], recorded: Sequence[Recorded], wanted: set[str]
) -> dict[int, Recorded]:
    """For each cell that lacks answers, the finished cell that it was; each is taken once."""
    parts = [(one, asked_part(one.cell.facts)) for one in recorded]
    pairs = []
    for number, now in enumerate(present):
        if now.standing is not None and not now.standing.missing:
            continue
        for age, (then, asked) in enumerate(parts):
            if asked == now.asked or asked not in wanted:
                score = _likeness(now, then)
                if score:
                    pairs.append((-score, age, number))
    chosen: dict[int, Recorded] = {}
    taken: set[int] = set()
    for _, age, number in sorted(pairs):
        if number not in chosen and age not in taken:
            chosen[number] = parts[age][0]
            taken.add(age)
    return chosen


def _likeness(now: _Present, then: Recorded) -> int:
    """How much a finished cell is like a present one; 0: it is another."""
    mine, other = json.loads(now.cell.facts), json.loads(then.cell.facts)
    named = int(now.cell.task == then.cell.task) + int(now.cell.report == then.cell.report)
    same = {name: bool(mine[name] == other[name]) for name in ASKED}
    if named < 2 and not same["network"] and not same["claim"]:
        return 0
    return 8 * named + 4 * same["network"] + 4 * same["claim"] + 3 * same["stages"] + 1


def _stale(
    one: _Present, earlier: Recorded | None, missing: frozenset[int]
) -> tuple[int, list[str]]:
    """How many of the missing examples are stale, and why."""
    if earlier is None or not missing:
        return 0, []
    reasons = reasons_of(one.cell, earlier.cell)
    if isinstance(one.task.network, Fit):
        reasons = [with_names(text, one.task.network) for text in reasons]
    if reasons or one.standing is None:
        return len(missing), reasons or [one.trouble or "the trained network is gone"]
    # The same question, of other data: stale is what stood at its place and is another now.
    before = earlier.digests
    changed = [index for index in missing if index < len(before)]
    moved = [index for index in changed if before[index] != one.digests[index]]
    if not moved:
        return 0, []
    where = ", ".join(map(str, sorted(moved)[:REASONS])) + (" ..." if len(moved) > REASONS else "")
    what = f"example {where} is" if len(moved) == 1 else f"examples {where} are"
    return len(moved), [f"data: {what} not what was verified"]


def reasons_of(now: Cell, then: Cell) -> list[str]:
    """What a cell asks differently from its earlier self, or of which other network."""
    mine, other = json.loads(now.facts), json.loads(then.facts)
    found = [
        str(change)
        for name in ASKED
        for change in differences(_shown(other[name]), _shown(mine[name]), name)
    ]
    if mine["graph"]:
        graph, weights = (mine[name] == other[name] for name in ("graph", "weights"))
        if not graph and not any(text.startswith("network") for text in found):
            found.append("the network's graph differs")
        elif not weights and not found:
            found.append("the network's weights differ, its graph is identical")
    if len(found) > REASONS:
        found[REASONS - 1 :] = [f"and {len(found) - REASONS + 1} more differences"]
    return found


def _shown(value: Any) -> Any:
    """A network by reference without the hash of its bytes, which says less than graph, weights."""
    if isinstance(value, dict) and value.get("is") == "OnnxNet":
        return {name: one for name, one in value.items() if name != "sha256"}
    return value
