"""What a run folder holds, read back as typed values: the one thing that reports are made of.

A report shows what the files say and computes no figure of its own, so it can be written at any
time, by any later run, and again after a newer ibpc is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from ibpc.errors import Diagnostic, FileMistake

NO_RUN = "E0592"


@dataclass(frozen=True)
class Stage:
    """What one stage of a report decided; `seconds` waited for, `work` over all its workers."""

    title: str
    holds: int
    violated: int
    seconds: float
    work: float


@dataclass(frozen=True)
class Report:
    """One figure of a task, as results.json has it; rates are shares of one."""

    name: str
    rate: float | None
    low: float
    high: float
    meaning: str
    counts: Mapping[str, int]
    roles: tuple[str, ...]
    stages: tuple[Stage, ...]
    unknown: Mapping[str, str]
    vacuous: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Which figure of the paper it is: test, pgd, ibp_bound, verified, or "" for none."""
        roles = set(self.roles)
        if roles == {"observe"}:
            return "test"
        if roles == {"refute"}:
            return "pgd"
        if [stage.title for stage in self.stages] == ["ibp"]:
            return "ibp_bound"
        return "verified" if roles & {"exact", "relax"} else ""


@dataclass(frozen=True)
class Task:
    """A task of a run with its reports; one that only trained has none."""

    title: str
    verify: str
    claim: str
    eps: Fraction | None
    bindings: Mapping[str, Any]
    source: str
    part: str
    first: int | None
    net: str
    recipe: str
    bound: str
    seed: int | None
    eps_train: Fraction | None
    fit: str
    network: str
    examples: int
    seconds: float
    reports: tuple[Report, ...]
    warnings: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Fit:
    """A trained network: the name of its folder, its fit.json, and the lines of its logs."""

    name: str
    about: Mapping[str, Any]
    metrics: tuple[Mapping[str, Any], ...]
    polytopes: tuple[Mapping[str, Any], ...] = ()
    widths: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Run:
    """A run folder; `pictures` are the counterexamples by the title of their task."""

    path: Path
    manifest: Mapping[str, Any]
    tasks: tuple[Task, ...]
    fits: tuple[Fit, ...]
    pictures: Mapping[str, Mapping[str, Any]]
    texts: tuple[tuple[str, str], ...] = field(default=())

    @property
    def name(self) -> str:
        """The spec and its target: `digits · default`."""
        return f"{Path(str(self.manifest['spec'])).stem} · {self.manifest['target']}"

    @property
    def verified(self) -> tuple[Task, ...]:
        """The tasks that have reports."""
        return tuple(task for task in self.tasks if task.reports)

    @property
    def planned(self) -> int:
        """How many tasks the run was to do."""
        return int(self.manifest.get("tasks", len(self.tasks)))

    def fit_of(self, task: Task) -> Fit | None:
        """The trained network of a task."""
        return next((fit for fit in self.fits if fit.name == task.fit), None)


def read_run(path: Path) -> Run:
    """The run in a folder.

    Raises: FileMistake (E0592) where it is none, or its files are not what ibpc writes.
    """
    if not (path / "manifest.json").is_file():
        fix = "give a folder that `ibpc run` wrote, such as runs/digits-default-806e8333c03b"
        raise _no_run(f"{path} is not a run folder: it has no manifest.json", fix)
    manifest = _object(path / "manifest.json")
    results = _object(path / "results.json") if (path / "results.json").exists() else {}
    shown = path / "counterexamples.json"
    pictures = _object(shown) if shown.exists() else {}
    try:
        return Run(
            path,
            {"spec": "", "target": "", **manifest},
            tuple(_task(facts) for facts in results.get("tasks", ())),
            tuple(_fit(folder) for folder in sorted(path.glob("fits/*")) if folder.is_dir()),
            {facts["task"]: facts for facts in pictures.get("tasks", ())},
            tuple(_texts(path / "spec", str(manifest.get("spec", "")))),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        problem = f"the results in {path} are not those of this version of ibpc ({error!r})"
        raise _no_run(problem, "run the same command again: it reuses what is there") from error


def _task(facts: Mapping[str, Any]) -> Task:
    data = facts.get("data") or {}
    return Task(
        title=str(facts["task"]),
        verify=str(facts.get("verify", "")),
        claim=str(facts.get("claim", "")),
        eps=_fraction(facts.get("eps")),
        bindings=dict(facts.get("bindings", {})),
        source=str(data.get("source", "")),
        part=str(data.get("part", "")),
        first=data.get("first"),
        net=str(facts.get("net", "")),
        recipe=str(facts.get("recipe") or ""),
        bound=str(facts.get("bound") or ""),
        seed=facts.get("seed"),
        eps_train=_fraction(facts.get("eps_train")),
        fit=str(facts.get("fit") or ""),
        network=str(facts.get("network", "")),
        examples=int(facts.get("examples", 0)),
        seconds=float(facts.get("seconds", 0.0)),
        reports=tuple(_report(one) for one in facts.get("reports", ())),
        warnings=tuple(_warning(one) for one in facts.get("warnings", ())),
    )


def _report(facts: Mapping[str, Any]) -> Report:
    seconds, work = facts["stage_seconds"], facts.get("stage_work_seconds", {})
    stages = tuple(
        Stage(
            title,
            int(facts["by_stage"][title]["holds"]),
            int(facts["by_stage"][title]["violated"]),
            float(seconds[title]),
            float(work.get(title, 0.0)),
        )
        for title in facts.get("stages", list(seconds))
    )
    return Report(
        name=str(facts["name"]),
        rate=None if facts["rate"] is None else float(facts["rate"]),
        low=float(facts["low"]),
        high=float(facts["high"]),
        meaning=str(facts["meaning"]),
        counts={kind: int(facts[kind]) for kind in ("holds", "violated", "unknown")},
        roles=tuple(facts.get("roles", ())),
        stages=stages,
        unknown=_by_index(facts["unknown_examples"]),
        vacuous=_by_index(facts.get("vacuous_examples", {})),
    )


def _by_index(facts: Mapping[str, Any]) -> dict[str, str]:
    return {str(index): str(why) for index, why in facts.items()}


def _warning(facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(facts.get(name, "")) for name in ("code", "problem", "notes", "fix")}


def _fit(folder: Path) -> Fit:
    about = folder / "fit.json"
    return Fit(
        folder.name,
        _object(about) if about.exists() else {},
        tuple(_lines(folder / "metrics.jsonl")),
        tuple(_lines(folder / "polytope.jsonl")),
        tuple(_lines(folder / "bounds.jsonl")),
    )


def _lines(path: Path) -> list[Mapping[str, Any]]:
    """The whole lines of a log, if there is one; a crash may leave a torn last line."""
    if not path.exists():
        return []
    found: list[Mapping[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("step"), int):
            found.append(value)
    return found


def _texts(folder: Path, first: str) -> list[tuple[str, str]]:
    """The spec's files, the one that was run before those that it imports."""
    if not folder.is_dir():
        return []
    paths = sorted(
        (path for path in folder.rglob("*.ibp") if path.is_file()),
        key=lambda path: (path.name != first, path),
    )
    return [
        (path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8", errors="replace"))
        for path in paths
    ]


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_run(f"cannot read {path}: {error}", "run the same command again") from error
    if not isinstance(value, dict):
        raise _no_run(f"{path} holds no JSON object", "run the same command again")
    return value


def _fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(str(value))


def _no_run(problem: str, fix: str) -> FileMistake:
    return FileMistake(Diagnostic(NO_RUN, problem, fix=fix))
