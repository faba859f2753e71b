"""The canonical text of checked values, and the hash of it which is their identity.

Places, paths, docs, layout and the names that only people read are left out, so renaming or moving
a file, reformatting it or editing a comment changes nothing; changing a radius or a layer does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

_LEFT_OUT: Mapping[str, frozenset[str]] = {
    "DeclaredNet": frozenset({"name", "lines", "signature"}),
    "OnnxNet": frozenset({"name"}),
    "Dataset": frozenset({"name"}),
    "TensorType": frozenset({"labels"}),
    "IndexType": frozenset({"labels"}),
    "Claim": frozenset({"name", "text"}),
    "Product": frozenset({"name"}),
    "Fit": frozenset({"recipe"}),
    "VerifyTask": frozenset({"name", "title", "bindings"}),
    "Program": frozenset({"files", "warnings", "docs"}),
}
_NEVER = frozenset({"span", "path"})
_IF_EMPTY: Mapping[str, frozenset[str]] = {"InputSet": frozenset({"options", "parts"})}
"""Left out where empty, so that sets which have none keep the identity that they had."""

_IF_ONE: Mapping[str, frozenset[str]] = {"Symbol": frozenset({"factor"})}
"""Left out where 1, for the same reason."""

_SOLE: Mapping[str, Mapping[str, str]] = {"Fit": {"logs": "log"}}
"""Lists by the name under which there was one value or none: such a list is written as it was."""


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
        skipped |= {name for name in _IF_EMPTY.get(kind, ()) if not getattr(value, name)}
        skipped |= {name for name in _IF_ONE.get(kind, ()) if getattr(value, name) == 1}
        kept = [one.name for one in fields(value) if one.name not in skipped]
        plain = {"is": kind, **dict(_field(kind, name, getattr(value, name)) for name in kept)}
        return _numbered(plain) if kind == "Fit" else plain
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


def _field(kind: str, name: str, value: Any) -> tuple[str, Any]:
    alone = _SOLE.get(kind, {}).get(name)
    if alone is None:
        return name, _plain(value)
    return alone, _plain(value if len(value) > 1 else next(iter(value), None))


def schedule_names(fit: Any) -> Mapping[str, str]:
    """How the canonical form of a recipe calls its schedules, and how the spec does."""
    kept = {one.name: _plain(getattr(fit, one.name)) for one in fields(fit) if one.name != "span"}
    return {number: name for name, number in _numbers(kept).items()}


def _numbered(fit: dict[str, Any]) -> dict[str, Any]:
    """A recipe whose schedules are called after the places that use them, not as the spec does."""
    names = _numbers(fit)
    renamed = {names.get(name, name): curve for name, curve in fit["curves"].items()}
    return {**_renamed(fit, names), "curves": renamed} if names else fit


def _numbers(fit: Mapping[str, Any]) -> dict[str, str]:
    """A number for each schedule, in the order of its uses; `lr` is a setting's name and stays."""
    names: dict[str, str] = {}
    for name in _schedules({key: fit[key] for key in sorted(fit) if key != "curves"}):
        if name in fit["curves"] and name != "lr":
            names.setdefault(name, f"schedule {len(names) + 1}")
    return names


def _schedules(value: Any) -> Iterator[str]:
    """The names of schedules in a plain value, in an order that does not depend on them."""
    if isinstance(value, dict):
        if _names_schedule(value):
            yield value["name"]
        for key in sorted(value):
            yield from _schedules(value[key])
    elif isinstance(value, list):
        for one in value:
            yield from _schedules(one)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        changed = {key: _renamed(one, names) for key, one in value.items()}
        if _names_schedule(value):
            changed["name"] = names.get(value["name"], value["name"])
        return changed
    return [_renamed(one, names) for one in value] if isinstance(value, list) else value


def _names_schedule(value: Mapping[str, Any]) -> bool:
    """Whether a plain value is a schedule's name: in a radius, or in a loss."""
    return value.get("is") == "Symbol" or (
        value.get("is") == "LossExpr" and value.get("operator") == "schedule"
    )
