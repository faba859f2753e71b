"""What a verdict belongs to: locks, what stored verdicts still say, replaying them, differences.

Everything here speaks of content, never of places: moving a folder, reformatting a spec, renaming
or a comment changes nothing.
"""

from ibpc.integrity.codes import EXPLANATIONS
from ibpc.integrity.lockfile import LOCK, Lock, read_lock, write_lock
from ibpc.integrity.locking import Outcome, check_lock, refuse_other_networks, update_lock

__all__ = [
    "EXPLANATIONS",
    "LOCK",
    "Lock",
    "Outcome",
    "check_lock",
    "read_lock",
    "refuse_other_networks",
    "update_lock",
    "write_lock",
]
