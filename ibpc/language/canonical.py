"""The canonical text of checked values, and the hash of it which is their identity.

Places, paths, docs, layout and the names that only people read are left out, so renaming or moving
a file, reformatting it or editing a comment changes nothing; changing a radius or a layer does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

_LEFT_OUT: Mapping[str, frozenset[str]] = {
    "DeclaredNet": frozenset({"name", "lines", "signature"}),
    "OnnxNet": frozenset({"name"}),
    "Dataset": frozenset({"name"}),
    "Claim": frozenset({"name", "text"}),
    "Fit": frozenset({"recipe"}),
    "VerifyTask": frozenset({"name", "title", "bindings"}),
    "Program": frozenset({"files", "warnings", "docs"}),
}
_NEVER = frozenset({"span", "path"})


def canonical(value: Any) -> str:
    """A program value as JSON: keys sorted, no blanks, rationals as "8/255", the class by name."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def identity(value: Any) -> str:
    """The sha256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        skipped = _NEVER | _LEFT_OUT.get(kind, frozenset())
        kept = [one.name for one in fields(value) if one.name not in skipped]
        return {"is": kind, **{name: _plain(getattr(value, name)) for name in kept}}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, float):
        return {"float": value.hex()}
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"no canonical form for {type(value).__name__}")
