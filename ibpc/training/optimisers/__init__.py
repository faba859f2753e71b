"""Optimisers, one file each; `OPTIMISERS` is read off the folder."""

from __future__ import annotations

from ibpc.training.records import collect

OPTIMISERS = collect(__name__, __path__, "OPTIMISER")

__all__ = ["OPTIMISERS"]
