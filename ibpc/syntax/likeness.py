"""Whether two trees say the same: all but the places where they stand."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from ibpc.errors import Span


def alike(one: Any, other: Any) -> bool:
    """Whether two nodes, or tuples of nodes, are equal up to their spans."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Span):
        return True
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if is_dataclass(one):
        names = [field.name for field in fields(one)]
        return all(alike(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)
