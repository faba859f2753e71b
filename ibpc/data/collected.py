"""Records are found by looking into a folder: adding a file adds a word, and edits nothing."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

Record = TypeVar("Record")


def collect(package: str, kind: type[Record]) -> tuple[Record, ...]:
    """Every record of this kind that a file of the package exports, ordered by file name."""
    folder = import_module(package)
    modules = sorted(found.name for found in iter_modules(folder.__path__))
    return tuple(
        value
        for name in modules
        for value in vars(import_module(f"{package}.{name}")).values()
        if isinstance(value, kind)
    )
