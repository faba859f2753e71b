"""Averages of weights, one file each; `AVERAGES` is read off the folder."""

from __future__ import annotations

from ibpc.training.records import collect

AVERAGES = collect(__name__, __path__, "AVERAGE")

__all__ = ["AVERAGES"]
