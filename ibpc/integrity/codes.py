"""The codes of locks, stored evidence and comparisons, each with what it means in a sentence."""

from __future__ import annotations

MISMATCH = "E0501"
NOT_A_LOCK = "E0550"
NOT_LOCKED = "E0551"
NO_SUCH_RESOURCE = "E0552"
DISAGREES = "E0560"
NO_REVISION = "E0570"

EXPLANATIONS = {
    MISMATCH: "A network or a data set is not the one that the lock file names: it was changed, or"
    " replaced, since `ibpc lock` looked at it.",
    NOT_A_LOCK: "The file that is called ibpc.lock is not one that `ibpc lock` wrote.",
    NOT_LOCKED: "A spec uses a network or a data set that the lock file does not hold, or the lock"
    " file holds one that no spec declares.",
    NO_SUCH_RESOURCE: "`ibpc lock --update NAME` names nothing that the specs use.",
    NO_REVISION: "`ibpc diff` found no such revision in git, or the spec is not in it.",
    DISAGREES: "Stored evidence, looked at again, does not show what the store says that it shows.",
}
