"""The codes of locks, stored evidence and comparisons; `explanations/` says what each means."""

from __future__ import annotations

MISMATCH = "E0501"
NOT_A_LOCK = "E0550"
NOT_LOCKED = "E0551"
NO_SUCH_RESOURCE = "E0552"
DISAGREES = "E0560"
NO_REVISION = "E0570"
