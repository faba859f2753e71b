"""Losses, one file each; `LOSSES` is read off the folder."""

from __future__ import annotations

from ibpc.training.records import collect

LOSSES = collect(__name__, __path__, "LOSS")

__all__ = ["LOSSES"]
