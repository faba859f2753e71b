"""Data sets that torchvision downloads and checks: what they share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibpc.data.record import Request

STALL_S = 30.0
"""A connection that says nothing for so long counts as no network."""


def obtain(request: Request, name: str, make: Callable[[Any], Any], fix: str) -> Any:
    """`make(torchvision.datasets)`, with every failure told as what to put where.

    `make` builds a data set, downloading it where it is absent (torchvision shows a progress bar
    and checks the files' MD5). `fix` says which files belong into which folder.

    Raises: FileMistake (E0520) where the data set cannot be had, or is damaged.
    """
    try:
        from torchvision import datasets
    except ImportError as error:
        raise request.mistake(
            "E0520",
            f"builtin({name}) needs torchvision, which cannot be imported: {error}",
            "pip install torchvision",
        ) from error
    try:
        with _patience(STALL_S):
            return make(datasets)
    except ImportError as error:
        raise request.mistake(
            "E0520", f"builtin({name}) cannot be read: {error}", f"pip install {error.name}"
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        lines = str(error).strip().splitlines()
        why = lines[-1] if lines else type(error).__name__
        doing = "read or downloaded" if request.download else "read"
        raise request.mistake(
            "E0520", f"builtin({name}) cannot be {doing} in {request.data_dir}: {why}", fix
        ) from error


@contextmanager
def _patience(limit_s: float) -> Iterator[None]:
    """New sockets give up after `limit_s`: urllib as torchvision calls it would wait for ever."""
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(limit_s)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
