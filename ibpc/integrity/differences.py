"""What differs between two values of a program in canonical form, field by field, in words.

Canonical values (ibpc.language.canonical) hold no places, docs or names, so that a difference here
is one of meaning. A list is aligned like lines of text: an inserted layer is one difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ibpc.language import schedule_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ABSENT = "absent"
SHOWN = 160
"""Letters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field with its old and its new value, as text; "absent" where one side has none."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


def differences(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """The fields in which two plain canonical values differ, in their order."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and old.get("is") == new.get("is"):
        if old.get("is") in _ATOMS or set(old) == {"float"}:
            yield Change(path, words(old), words(new))
            return
        word = old.get("word", "")
        if "is" in old and word != new.get("word", ""):
            yield Change(path, words(old), words(new))
            return
        inner = _joined(path, str(word)) if old.get("is") in _NAMED else path
        for key in dict.fromkeys([*old, *new]):
            name = inner if key in _ELIDED else _joined(inner, key)
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), name)
    elif isinstance(old, list) and isinstance(new, list) and path.rpartition(".")[2] not in _WHOLE:
        yield from _of_lists(old, new, path)
    else:
        yield Change(path, words(old), words(new))


def with_names(text: str, fit: Any) -> str:
    """A text about a recipe in which its schedules are called as the spec calls them."""
    for number, name in schedule_names(fit).items():
        text = re.sub(rf"\b{number}\b", name, text)
    return text


def words(value: Any) -> str:
    """A plain canonical value as a person writes it, shortened where it is long."""
    text = _words(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 4]} ..."


_NAMED = frozenset({"Invocation", "LossTerm"})
"""Classes whose word stands in the path: `stages.pgd.steps`."""

_ATOMS = frozenset({"Curve", "TensorType", "IndexType", "Symbol"})
"""Classes that are shown whole, where any of their fields differs."""

_ELIDED = frozenset({"arguments", "template", "net"})
"""Fields that a path does not spell out."""

_WHOLE = frozenset({"coefficients", "lower", "upper"})
"""Lists of which a part says nothing."""


def _of_lists(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    """Entries of lists that were changed, removed or added."""
    left, right = ([json.dumps(one, sort_keys=True) for one in side] for side in (old, new))
    matched = SequenceMatcher(None, left, right, autojunk=False)
    for kind, i, i_end, j, j_end in matched.get_opcodes():
        if kind == "equal":
            continue
        both = min(i_end - i, j_end - j)
        for step in range(both):
            yield from differences(old[i + step], new[j + step], _entry(path, old, i + step))
        for index in range(i + both, i_end):
            yield Change(_entry(path, old, index), words(old[index]), ABSENT)
        for index in range(j + both, j_end):
            yield Change(_entry(path, new, index), ABSENT, words(new[index]))


def _entry(path: str, entries: Sequence[Any], index: int) -> str:
    """The path of an entry; one that says its own name needs no number."""
    one = entries[index]
    if isinstance(one, dict):
        if one.get("is") in _NAMED:
            return path
        if isinstance(one.get("name"), str) and one["name"]:
            return _joined(path, one["name"])
    return f"{path}[{index + 1}]"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _words(value: Any) -> str:
    if isinstance(value, dict):
        form = _FORMS.get(value.get("is", ""))
        if form is not None:
            return form(value)
        if set(value) == {"float"}:
            return f"{float.fromhex(value['float']):g}"
        shown = [f"{key} = {_words(one)}" for key, one in value.items() if key != "is" and one]
        return f"{value.get('is', '')}({', '.join(shown)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_words, value))}]"
    if value is None:
        return "none"
    return _number(value) if isinstance(value, str) else str(value)


def _number(text: str) -> str:
    """A rational as a decimal where that is exact and short, else as a fraction."""
    top, slash, bottom = text.partition("/")
    if not slash or not top.lstrip("-").isdigit() or not bottom.isdigit() or int(bottom) == 0:
        return text
    value = Fraction(int(top), int(bottom))
    decimal = f"{float(value):.6g}"
    return decimal if Fraction(decimal) == value else str(value)


def _invocation(value: Mapping[str, Any]) -> str:
    given = [f"{name} = {_words(one)}" for name, one in value["arguments"].items()]
    return f"{value['word']}({', '.join(given)})" if given else str(value["word"])


def _set(value: Mapping[str, Any]) -> str:
    rest = [
        f"{name} = {_words(one)}"
        for name, one in value.items()
        if name not in ("is", "kind") and one not in (None, [], "")
    ]
    return f"{value['kind']}({', '.join(rest)})"


def _curve(value: Mapping[str, Any]) -> str:
    return ", ".join(_segment(one) for one in value["segments"])


def _segment(value: Mapping[str, Any]) -> str:
    level, until = _words(value["value"]), value["until"]
    if value["shape"] == "hold":
        return level if until is None else f"{level} until {until}"
    return f"{value['shape']} to {level} at {until}"


def _loss(value: Mapping[str, Any]) -> str:
    match value["operator"]:
        case "number":
            return _words(value["value"])
        case "schedule":
            return str(value["name"])
        case "term":
            return f"{value['term']['word']}({value['term']['over']})"
    inner = [_loss(one) for one in value["operands"]]
    if len(inner) == 1:
        return f"{value['operator']}{inner[0]}"
    sign = value["operator"]
    return f"({f' {sign} '.join(inner)})"


def _scaled(name: str, factor: str | None) -> str:
    """A schedule, and what it is multiplied by."""
    return name if factor is None else f"{_words(factor)} * {name}"


def _type(value: Mapping[str, Any]) -> str:
    domain = value.get("domain")
    shape = f"real[{', '.join(map(str, value['shape']))}]"
    if not domain:
        return shape
    spans = ", ".join(f"{_words(low)} .. {_words(high)}" for low, high in domain)
    return f"{shape} in [{spans}]"


def _row(value: Mapping[str, Any]) -> str:
    terms = " + ".join(f"{_words(factor)} z[{index}]" for index, factor in value["coefficients"])
    return f"{terms} + {_words(value['constant'])} {'<' if value['strict'] else '<='} 0"


def _node(value: Mapping[str, Any]) -> str:
    sides = "x".join(map(str, value["out_shape"]))
    return f"{value['template']['op']} to {sides}"


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Invocation": _invocation,
    "InputSet": _set,
    "Curve": _curve,
    "Segment": _segment,
    "LossExpr": _loss,
    "TensorType": _type,
    "IndexType": lambda value: f"index[{value['size']}]",
    "Symbol": lambda value: _scaled(value["name"], value.get("factor")),
    "Row": _row,
    "PlannedNode": _node,
}
"""How the classes of a program are shown; others are shown field by field."""
