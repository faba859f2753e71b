"""What a training may write down on its way, one file each; `LOGS` is read off the folder."""

from __future__ import annotations

from ibpc.training.records import collect

LOGS = collect(__name__, __path__, "LOG")

__all__ = ["LOGS"]
