"""A spec as it stood in a revision of its git repository, laid out in a folder while it is read."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, FileMistake
from ibpc.integrity.codes import NO_REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".ibp", ".onnx", ".onnx.gz", ".csv", ".tsv")
"""What a spec may name beside itself."""


@contextmanager
def revision_of(path: str, revision: str) -> Iterator[str]:
    """The path of the spec in a temporary copy of the revision's specs and networks.

    Raises: FileMistake (E0570) where there is no repository, no such revision, or no such file in
    it.
    """
    folder = Path(path).absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", said=revision
    )
    name = commit.decode().strip()
    inside = PurePosixPath(Path(path).absolute().resolve().relative_to(top.resolve()).as_posix())
    listed = _git(top, "ls-tree", "-r", "-z", "--name-only", name).decode().split("\0")
    if str(inside) not in listed:
        fix = "name a file that was there then; a renamed one is not followed"
        raise _mistake(f"{inside} is not in revision {revision}", fix)
    with TemporaryDirectory(prefix="ibpc-") as place:
        for entry in listed:
            if entry.endswith(SUFFIXES):
                target = Path(place, entry)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_git(top, "cat-file", "blob", f"{name}:{entry}"))
        yield str(Path(place, inside))


def _git(folder: Path, *arguments: str, said: str = "") -> bytes:
    """What git answers."""
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise _mistake("there is no git on this machine", "compare two files instead") from error
    if found.returncode == 0:
        return found.stdout
    if said:
        fix = "write REV FILE, REV..REV FILE, or two files that exist"
        raise _mistake(f"there is no revision or file `{said}`", fix)
    why = " ".join(found.stderr.decode(errors="replace").split())
    raise _mistake(f"git: {why}", "compare two files, or run this inside a git repository")


def _mistake(problem: str, fix: str) -> FileMistake:
    return FileMistake(Diagnostic(NO_REVISION, problem, fix=fix))
