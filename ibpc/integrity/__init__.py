"""What a verdict belongs to: locks, what stored verdicts still say, replaying them, differences.

Everything here speaks of content, never of places: moving a folder, reformatting a spec, renaming
or a comment changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.integrity.lockfile import LOCK, Lock, read_lock, write_lock
from ibpc.integrity.locking import Outcome, check_lock, refuse_other_networks, update_lock

if TYPE_CHECKING:
    from ibpc.integrity.differences import Change
    from ibpc.integrity.meaning import Comparison, Section, compare
    from ibpc.integrity.recheck import Recheck, StageRecheck, recheck
    from ibpc.integrity.revisions import revision_of
    from ibpc.integrity.standing import CellStanding, cell_standings

__all__ = [
    "LOCK",
    "CellStanding",
    "Change",
    "Comparison",
    "Lock",
    "Outcome",
    "Recheck",
    "Section",
    "StageRecheck",
    "cell_standings",
    "check_lock",
    "compare",
    "read_lock",
    "recheck",
    "refuse_other_networks",
    "revision_of",
    "update_lock",
    "write_lock",
]

_HOMES = {
    "CellStanding": "standing",
    "Change": "differences",
    "Comparison": "meaning",
    "Recheck": "recheck",
    "Section": "meaning",
    "StageRecheck": "recheck",
    "cell_standings": "standing",
    "compare": "meaning",
    "recheck": "recheck",
    "revision_of": "revisions",
}


def __getattr__(name: str) -> Any:
    """What reads stores and networks is loaded when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"ibpc.integrity.{_HOMES[name]}"), name)
    globals()[name] = value  # a submodule has the name `recheck`, too: its import put it here
    return value
