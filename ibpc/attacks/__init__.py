"""Attacks: searches for a point of the input set that violates the claim. They never prove.

Light at import: an attack's file loads torch when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.attacks.pgd import ATTACK as PGD
from ibpc.attacks.pgd import climb, pgd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language import StageEntry

ATTACKS: Mapping[str, StageEntry] = {one.word: one for one in (PGD,)}

__all__ = ["ATTACKS", "climb", "pgd"]
