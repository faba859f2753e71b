"""Attacks for training, one file each; `ATTACKS` is read off the folder."""

from __future__ import annotations

from ibpc.training.records import collect

ATTACKS = collect(__name__, __path__, "ATTACK")

__all__ = ["ATTACKS"]
