"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ibpc.errors import Diagnostic, FileMistake

NOT_SAVED = "E0530"

_FIXES = {
    errno.ENOSPC: "free some space on that disk, or choose another folder with -o",
    errno.EDQUOT: "free some of your quota, or choose another folder with -o",
    errno.EACCES: "choose a folder that you may write to with -o",
    errno.EPERM: "choose a folder that you may write to with -o",
    errno.EROFS: "the file system is read-only: choose another folder with -o",
    errno.ENOTDIR: "a file stands where a folder is needed: move it, or choose another with -o",
    errno.EISDIR: "a folder stands where the file should go: move it, or choose another with -o",
}


def save_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that whoever reads it finds the old content or the new, never a part.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is
    then renamed over `path`. Missing folders are made.

    Raises: FileMistake (E0530) where the disk is full, the folder read-only, and so on.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data)
    except OSError as error:
        raise unsaved(target, error) from error


def unsaved(path: str | os.PathLike[str], error: OSError) -> FileMistake:
    """The mistake to raise where writing `path` failed with `error`."""
    reason = error.strerror or str(error)
    fix = _FIXES.get(error.errno or 0, "check the folder and the disk, or choose another with -o")
    return FileMistake(Diagnostic(NOT_SAVED, f"cannot write {os.fspath(path)}: {reason}", fix=fix))


def _replace(target: Path, data: bytes) -> None:
    """The write itself; nothing is left behind where it fails."""
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files private
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _flush_folder(target.parent)


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can flush folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
