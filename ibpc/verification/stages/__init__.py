"""The stages of a cascade, one file each: a record for the language and an engine.

A stage file offers `STAGE`, its record, and `decide(subject, arguments, cases)`, which yields
lists of (case, answer), in any order, as soon as they are known. Adding a stage adds a file.
Importing this room stays light.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language import StageEntry


def _collect() -> tuple[dict[str, StageEntry], dict[str, Any]]:
    """Records and engines by word, from the files of this folder."""
    records: dict[str, StageEntry] = {}
    engines: dict[str, Any] = {}
    for name in sorted(found.name for found in iter_modules(__path__)):
        module = import_module(f"{__name__}.{name}")
        record = getattr(module, "STAGE", None)
        if record is not None:
            records[record.word], engines[record.word] = record, module.decide
    return records, engines


_RECORDS, _ENGINES = _collect()

STAGES: Mapping[str, StageEntry] = MappingProxyType(_RECORDS)
"""Every stage's record by its word."""

ENGINES: Mapping[str, Any] = MappingProxyType(_ENGINES)
"""Every stage's engine by its word."""

__all__ = ["ENGINES", "STAGES"]
