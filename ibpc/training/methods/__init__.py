"""Ways to bound a claim while training, one file each; `BOUNDS` is read off the folder."""

from __future__ import annotations

from ibpc.training.records import collect

BOUNDS = collect(__name__, __path__, "BOUND")

__all__ = ["BOUNDS"]
