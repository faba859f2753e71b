"""The run folder: where one target of one spec leaves everything that it made.

    runs/digits-default-1f2e3d4c5b6a/
        manifest.json     what was asked, with which versions, on what kind of machine
        spec/             the spec's files as they were
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

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Record what was asked and with what: spec texts, parameters, versions, machine."""
    save_bytes(folder.path / "manifest.json", _json(manifest(program, target, **facts)))
    names = set()
    for number, path in enumerate(program.files):
        name = Path(path).name
        name = name if name not in names else f"{number}-{name}"
        names.add(name)
        save_bytes(folder.path / "spec" / name, Path(path).read_bytes())


def manifest(program: Program, target: Target, **facts: Any) -> dict[str, Any]:
    """What a reader needs to repeat the run."""
    return {
        "ibpc": __version__,
        "spec": Path(program.path).name,
        "target": target.name,
        "tasks": len(target.tasks),
        "identity": identity(target.tasks),
        "parameters": {param.name: str(param.value) for param in program.params},
        "overridden": sorted(param.name for param in program.params if param.overridden),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "os": platform.system()},
        **facts,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
