"""The run folder: where one target of one spec leaves everything that it made.

    runs/digits-default-1f2e3d4c5b6a/
        manifest.json     what was asked, with which versions, on what kind of machine
        spec/             the spec's files as they were, with the files that they name
        fits/IDENTITY/    one folder per trained network: checkpoints, metrics, model.onnx
        nets/             networks that are used as they are
        verdicts.sqlite   one row per decided question (append-only)
        results.json, results.csv, counterexamples.json
        report.html       the page to read; its drawings are in plots/ too

The folder's name follows from what is asked (nets, recipes, claims, data, parameters), not from
the text, so that the same command resumes and a changed comment changes nothing.

Folders under one root (`runs/`) know of each other: a network that another run has trained from the
same recipe and data is copied, and verdicts that another run has reached are read from its store.
So a changed radius, a new report or a renamed file costs exactly the work that is new.
"""

from __future__ import annotations

import json
import os
import platform
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ibpc import __version__
from ibpc.errors import Diagnostic, FileMistake
from ibpc.graph import save_bytes
from ibpc.language import identity
from ibpc.syntax import read_source, tokenise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibpc.language import Fit, Program, Target

PACKAGES = ("torch", "torchvision", "onnx", "onnxruntime", "mip", "numpy", "scipy", "lark")


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run."""

    path: Path

    @property
    def store(self) -> Path:
        """The verdicts."""
        return self.path / "verdicts.sqlite"

    @property
    def nets(self) -> Path:
        """Networks used as they are."""
        return self.path / "nets"

    def fit(self, fit: Fit) -> Path:
        """The folder of one trained network, by content."""
        return self.path / "fits" / f"{fit.net.name}-{identity(fit)[:12]}"

    def elder_stores(self) -> list[Path]:
        """The verdicts of the other runs under the same root."""
        return [path for path in stores(self.path.parent) if path != self.store]


def stores(root: Path) -> list[Path]:
    """The verdict stores of all runs under a root."""
    return sorted(root.glob("*/verdicts.sqlite"))


def fit_folders(root: Path, fit: Fit) -> list[Path]:
    """Folders under a root that may hold what a recipe trains, whatever its names then."""
    return sorted(root.glob(f"*/fits/*-{identity(fit)[:12]}"))


def run_folder(root: Path, program: Program, target: Target) -> RunFolder:
    """The folder of a target under `root`; nothing is created yet."""
    stem = Path(program.path).stem
    return RunFolder(root / f"{stem}-{target.name}-{identity(target.tasks)[:12]}")


@contextmanager
def opened(folder: RunFolder) -> Iterator[None]:
    """Create the folder and hold its lock, so that two runs never write the same one."""
    folder.path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.path / "lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise FileMistake(
            Diagnostic(
                "E0591",
                f"another ibpc is writing {folder.path}",
                fix="wait for it, stop it, or give this run another folder with -o DIR",
            )
        ) from None
    try:
        yield
    finally:
        lock.release()


def write_manifest(folder: RunFolder, program: Program, target: Target, **facts: Any) -> None:
    """Record what was asked and with what: spec texts, parameters, versions, machine.

    The spec's files are copied with the networks, tables and texts that they name, each where it
    lies as seen from the others, so that the copy can be checked and run by itself.
    """
    save_bytes(folder.path / "manifest.json", _json(manifest(program, target, **facts)))
    for path, place in _copied(program).items():
        save_bytes(folder.path / "spec" / place, path.read_bytes())


def _copied(program: Program) -> dict[Path, Path]:
    """The files that a run keeps, and where: relative to the lowest folder that holds them all."""
    named = {path for file in program.files for path in _named(file)}
    paths = [*map(Path, program.files), *sorted(path for path in named if path.is_file())]
    full = {path: Path(os.path.abspath(path)) for path in paths}
    above = os.path.commonpath([path.parent for path in full.values()])
    return {path: place.relative_to(above) for path, place in full.items()}


def _named(spec: str) -> Iterator[Path]:
    """What a spec names in quotes, as seen from it: networks, tables; maybe nothing that exists."""
    for token in tokenise(read_source(spec)).tokens:
        if token.kind == "STRING" and "\0" not in token.text:
            yield Path(os.path.normpath(Path(spec).parent / token.text[1:-1]))


@dataclass(frozen=True)
class RecordedRun:
    """What a run folder says that it was asked: its copy of the spec, target and parameters."""

    spec: str
    target: str
    overrides: Mapping[str, str]


def recorded_run(folder: Path) -> RecordedRun:
    """What a run folder was asked.  Raises: FileMistake (E0593) where it does not say."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        given = {name: str(found["parameters"][name]) for name in found["overridden"]}
        spec = folder / "spec" / found.get("main", found["spec"])
        return RecordedRun(str(spec), str(found["target"]), given)
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{folder} is not the folder of a run: {error}"
        fix = "name a folder that `ibpc run` wrote, or a spec file"
        raise FileMistake(Diagnostic("E0593", problem, fix=fix)) from error


def manifest(program: Program, target: Target, **facts: Any) -> dict[str, Any]:
    """What a reader needs to repeat the run."""
    return {
        "ibpc": __version__,
        "spec": Path(program.path).name,
        "main": _copied(program)[Path(program.path)].as_posix(),
        "target": target.name,
        "tasks": len(target.tasks),
        "identity": identity(target.tasks),
        "parameters": {param.name: _written(param.value) for param in program.params},
        "overridden": sorted(param.name for param in program.params if param.overridden),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "os": platform.system()},
        **facts,
    }


def _written(value: object) -> str:
    """A parameter's value as the language writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
