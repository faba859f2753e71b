"""One query about one network: is the unsafe set of a property file reached?

The answer is sat with a replayed witness, unsat with a method, unknown with a reason, or timeout.
Light at import; the engine loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibpc.verification.query.answer import QueryAnswer
    from ibpc.verification.query.clock import Clock, process_started
    from ibpc.verification.query.engine import QuerySettings, decide_query
    from ibpc.verification.query.guard import Ended, run_guarded

__all__ = [
    "Clock",
    "Ended",
    "QueryAnswer",
    "QuerySettings",
    "decide_query",
    "process_started",
    "run_guarded",
]

_HOMES = {
    "Clock": "clock",
    "Ended": "guard",
    "QueryAnswer": "answer",
    "QuerySettings": "engine",
    "decide_query": "engine",
    "process_started": "clock",
    "run_guarded": "guard",
}


def __getattr__(name: str) -> Any:
    """Loads the engine only when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ibpc.verification.query.{_HOMES[name]}"), name)
