"""Locking: what the files on this machine are now, against what the lock says they should be."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, FileMistake, NameMistake, did_you_mean
from ibpc.integrity.codes import MISMATCH, NO_SUCH_RESOURCE, NOT_LOCKED
from ibpc.integrity.lockfile import lock_path, read_lock, write_lock
from ibpc.language import Dataset, Fit, OnnxNet, Product, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ibpc.errors import Span
    from ibpc.integrity.lockfile import Entry, Key, Lock
    from ibpc.language import Program

SPOKEN = 12
"""Digits of a hash that a message shows."""


@dataclass
class Outcome:
    """What came of one lock file: mistakes, statements of what could not be looked at, changes."""

    path: Path
    mistakes: list[Diagnostic] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    changed: bool = False
    entries: int = 0


@dataclass(frozen=True)
class Resource:
    """Something that a spec takes from outside: a network's file, or one part of a data set."""

    key: Key
    source: OnnxNet | Split
    folder: Path
    span: Span
    spec: str

    @property
    def name(self) -> str:
        """As `--update` names it: `net:acas_1_1`, `data:mnist`."""
        return f"{self.key[1]}:{self.key[2]}"


def check_lock(programs: Sequence[Program], data_dir: Path) -> list[Outcome]:
    """Compare each folder's lock with what is there; nothing is written or downloaded."""
    outcomes = []
    for path, resources, specs in _by_lock(programs):
        lock = read_lock(path)
        outcome = Outcome(path, entries=len(lock))
        if not path.is_file() and resources:
            problem = f"there is no {path}"
            fix = f"make it: ibpc lock {' '.join(specs)}"
            outcome.mistakes.append(Diagnostic(NOT_LOCKED, problem, fix=fix))
            outcomes.append(outcome)
            continue
        for one in resources:
            _compare(one, lock, data_dir, outcome)
        outcome.mistakes += _left_over(lock, resources, specs, outcome.path)
        outcomes.append(outcome)
    return outcomes


def update_lock(
    programs: Sequence[Program], data_dir: Path, renewed: str | None = None
) -> list[Outcome]:
    """Write each folder's lock.

    New resources are added and those that no spec declares any longer are removed. What is locked
    and differs is a mistake (E0501), unless `renewed` names it (`net:NAME`, or "" for all). What is
    absent on this machine keeps the entry that it has.
    """
    groups = list(_by_lock(programs))
    if renewed:
        _check_name(renewed, [one.name for _, resources, _ in groups for one in resources])
    outcomes = []
    for path, resources, specs in groups:
        outcome = Outcome(path)
        old = read_lock(path)
        new = {key: entry for key, entry in old.items() if key[0] not in specs}
        for one in resources:
            known = old.get(one.key)
            if known is not None and (renewed is None or (renewed and renewed != one.name)):
                _compare(one, old, data_dir, outcome)
                new[one.key] = known
                continue
            found = _looked_at(one, data_dir, outcome)
            entry = found if found is not None else known
            if entry is not None:
                new[one.key] = entry
        if not outcome.mistakes:
            outcome.entries = len(new)
            outcome.changed = bool(new or old) and write_lock(path, new)
        outcomes.append(outcome)
    return outcomes


def refuse_other_networks(program: Program) -> None:
    """Raise E0501 where a network's file is not the one that the lock beside the spec names.

    Reads the lock only where there is one and the spec uses files; compares hashes of bytes, which
    the checker has computed. A difference in bytes alone (names, notes) is let pass.
    """
    path = lock_path(program.path)
    if not path.is_file():
        return
    lock = read_lock(path)
    mistakes = []
    for one in _resources(program):
        entry = lock.get(one.key)
        if not isinstance(one.source, OnnxNet) or entry is None or not one.source.sha256:
            continue
        if one.source.sha256 != entry["sha256"]:
            found = _net_entry(one.source, one.folder)
            if _same_computation(entry, found):
                continue
            mistakes.append(_mismatch(one, entry, found))
    if mistakes:
        raise FileMistake(*mistakes)


def _by_lock(programs: Sequence[Program]) -> Iterator[tuple[Path, list[Resource], list[str]]]:
    """Each lock file with the resources that it should hold and the names of its specs' files."""
    groups: dict[Path, dict[Key, Resource]] = {}
    specs: dict[Path, set[str]] = {}
    for program in programs:
        path = lock_path(program.path)
        group = groups.setdefault(path, {})
        specs.setdefault(path, set()).update(
            _relative(Path(one), path.parent) for one in program.files
        )
        group.update({one.key: one for one in _resources(program)})
    for path, group in groups.items():
        yield path, [group[key] for key in sorted(group)], sorted(specs[path])


def _resources(program: Program) -> Iterator[Resource]:
    """What the program takes from outside: networks' files, and the parts of data that it uses."""
    folder = lock_path(program.path).parent
    seen: set[Key] = set()
    nets = [net for net in program.nets.values() if isinstance(net, OnnxNet)]
    sources: list[OnnxNet | Split] = [*nets, *_splits(program)]
    for source in sources:
        place: tuple[str, ...]
        if isinstance(source, OnnxNet):
            place, span = ("net", source.name), source.span
        else:
            place, span = ("data", source.dataset.name, source.part), source.dataset.span
        key = (_relative(Path(span.path), folder), *place)
        if key not in seen:
            seen.add(key)
            yield Resource(key, source, folder, span, program.path)


def _splits(program: Program) -> Iterator[Split]:
    """The splits that targets use, whole; a data set that no target uses is locked as "all"."""
    used: dict[str, Dataset] = {}
    for target in program.targets.values():
        for task in target.tasks:
            network = task if isinstance(task, Fit) else task.network
            parts = network.networks if isinstance(network, Product) else (network,)
            splits = [task.data, *(one.data for one in parts if isinstance(one, Fit))]
            for split in splits:
                if split is not None:
                    used[split.dataset.name] = split.dataset
                    yield Split(split.dataset, split.part)
    for dataset in program.data.values():
        if dataset.name not in used:
            yield Split(dataset, "all")


def _compare(one: Resource, lock: Lock, data_dir: Path, outcome: Outcome) -> None:
    """Enter a mistake where a resource is not what the lock says."""
    entry = lock.get(one.key)
    if entry is None:
        if _looked_at(one, data_dir, outcome) is not None:
            problem = f"{one.name} is not in {outcome.path}"
            fix = f"add it with `ibpc lock {one.spec}`"
            outcome.mistakes.append(Diagnostic(NOT_LOCKED, problem, one.span, "used here", fix))
        return
    if isinstance(one.source, OnnxNet) and one.source.sha256 == entry["sha256"]:
        if entry["path"] != _relative(Path(one.source.path), one.folder):
            outcome.mistakes.append(_mismatch(one, entry, {**entry, "path": one.source.path}))
        return
    found = _looked_at(one, data_dir, outcome)
    if found is not None and found != entry:
        outcome.mistakes.append(_mismatch(one, entry, found))


def _looked_at(one: Resource, data_dir: Path, outcome: Outcome) -> Entry | None:
    """What a resource is now; None, with a statement, where a data set is not on this machine."""
    if isinstance(one.source, OnnxNet):
        return _net_entry(one.source, one.folder)
    from ibpc.data import load

    try:
        examples = load(one.source, data_dir, download=False)
    except FileMistake as mistake:
        said = mistake.diagnostics[0]
        outcome.absent.append(f"{one.name}, {one.source.part}: {said.problem}")
        return None
    return {"items": len(examples), "tensor": examples.key}


def _net_entry(net: OnnxNet, folder: Path) -> Entry:
    """The entry of a network's file as it is now.  Raises: FileMistake where it is absent."""
    from hashlib import sha256

    from ibpc.graph import fingerprint, model_bytes

    try:
        raw = Path(net.path).read_bytes()
    except OSError as error:
        problem = f"cannot read {net.path}: {error.strerror}"
        fix = "put the network's file there; paths are relative to the spec's folder"
        raise FileMistake(Diagnostic("E0502", problem, net.span, "declared here", fix)) from error
    found = fingerprint(model_bytes(net.path), net.path)
    return {
        "path": _relative(Path(net.path), folder),
        "sha256": sha256(raw).hexdigest(),
        "graph": found.graph,
        "weights": found.weights,
        "opset": found.opset,
    }


def _mismatch(one: Resource, locked: Entry, found: Entry) -> Diagnostic:
    """E0501, with what differs."""
    name = "sha256" if isinstance(one.source, OnnxNet) else "tensor"
    shown = str(locked.get("path", one.name))
    notes = (
        f"locked   sha256:{str(locked[name])[:SPOKEN]}",
        f"on disk  sha256:{str(found[name])[:SPOKEN]}  {difference(locked, found)}",
    )
    fix = f"if intended, run `ibpc lock --update {one.name} {one.spec}`"
    return Diagnostic(MISMATCH, f"hash mismatch for {shown}", one.span, "used here", fix, (), notes)


def difference(locked: Entry, found: Entry) -> str:
    """What differs between two entries, in words."""
    if "tensor" in locked:
        if locked["items"] != found["items"]:
            return f"{found['items']} examples where {locked['items']} were locked"
        return f"the same number of examples ({found['items']}), but other content"
    graph, weights = (locked[name] == found[name] for name in ("graph", "weights"))
    if graph and weights:
        if locked["sha256"] == found["sha256"]:
            return f"the same file under another path: {found['path']}"
        return "graph and weights identical: only names, notes or packing differ"
    if graph:
        return "weights differ, graph structure identical"
    return "graph structure differs" + (", weights identical" if weights else ", weights too")


def _same_computation(locked: Entry, found: Entry) -> bool:
    return all(locked[name] == found[name] for name in ("graph", "weights", "opset"))


def _left_over(
    lock: Lock, resources: Sequence[Resource], specs: Sequence[str], path: Path
) -> Iterator[Diagnostic]:
    """Entries of the specs' own files that they no longer declare."""
    held = {one.key for one in resources}
    for key in sorted(lock):
        if key[0] in specs and key not in held:
            problem = f"{path} holds {key[1]}:{key[2]}, which {key[0]} no longer uses"
            yield Diagnostic(NOT_LOCKED, problem, fix="remove it with `ibpc lock`")


def _check_name(name: str, known: Iterable[str]) -> None:
    names = set(known)
    if name not in names:
        fix = did_you_mean(name, names) or f"there are: {', '.join(sorted(names)) or 'none'}"
        raise NameMistake(Diagnostic(NO_SUCH_RESOURCE, f"no spec uses `{name}`", fix=fix))


def _relative(path: Path, folder: Path) -> str:
    """A path as the lock writes it: from the lock's folder, with forward slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()
