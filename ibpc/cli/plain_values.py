"""Values of a checked program as a person would write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ibpc.language import (
    BoundPart,
    Curve,
    IndexType,
    Invocation,
    LossExpr,
    LossTerm,
    Split,
    Symbol,
    TensorType,
    number_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SKIPPED = {"span", "nodes", "lines", "signature"}
_LONG = 8
"""Of longer tuples of numbers the first ones are shown."""


def settings_of(value: Any) -> Iterator[tuple[str, str]]:
    """The fields of a record with their values as text; those that are absent are left out."""
    for field in fields(value):
        content = getattr(value, field.name)
        if field.name not in _SKIPPED and content not in (None, (), ""):
            yield field.name, value_text(content)


def value_text(value: Any) -> str:
    """A value on one line."""
    for kind, text in _TEXTS.items():
        if isinstance(value, kind):
            return str(text(value))
    if is_dataclass(value):
        name = getattr(value, "name", None) or getattr(value, "recipe", None)
        if name:
            return str(name)
        inside = ", ".join(f"{key} = {text}" for key, text in settings_of(value))
        return f"{type(value).__name__}({inside})"
    return str(value)


def _several(values: tuple[Any, ...]) -> str:
    shown = [value_text(one) for one in values[:_LONG]]
    more = [f"and {len(values) - _LONG} more"] if len(values) > _LONG else []
    return ", ".join(shown + more)


def _mapping(values: Mapping[Any, Any]) -> str:
    return ", ".join(f"{key} = {value_text(one)}" for key, one in values.items())


def _split(split: Split) -> str:
    size = split.first or getattr(split.dataset, split.part, None)
    count = f" ({size:,} examples)" if size else ""
    return f"{split.dataset.name}.{split.part}{count}"


def _tensor(tensor: TensorType) -> str:
    shape = "x".join(map(str, tensor.shape))
    if tensor.domain is None:
        return shape
    if len(tensor.domain) > 1:
        return f"{shape}, each in its range"
    low, high = tensor.domain[0]
    return f"{shape} in [{number_text(low)} .. {number_text(high)}]"


def _invocation(value: Invocation) -> str:
    arguments = _mapping(value.arguments)
    return f"{value.word}({arguments})" if arguments else value.word


def _curve(curve: Curve) -> str:
    parts = []
    for segment in curve.segments:
        lead = f"{segment.value:g}" if segment.shape == "hold" else ""
        if lead:
            parts.append(lead + (f" until {segment.until:,}" if segment.until else ""))
        else:
            parts.append(f"{segment.shape} to {segment.value:g} at {segment.until:,}")
    return ", ".join(parts)


def _term(term: LossTerm) -> str:
    over = {"logits": "f(x)", "worst": "worst(spec)", "violation": "violation(spec)"}
    arguments = f", {_mapping(term.arguments)}" if term.arguments else ""
    return f"{term.word}({over.get(term.over, term.over)}{arguments})"


def _loss(loss: LossExpr) -> str:
    if loss.operator == "number":
        return value_text(loss.value)
    if loss.operator == "schedule":
        return loss.name
    if loss.operator == "term":
        return value_text(loss.term)
    sign = loss.operator
    parts = [_loss(one) for one in loss.operands]
    if sign in "*/":
        wrapped = zip(loss.operands, parts, strict=True)
        parts = [f"({text})" if one.operator in "+-" else text for one, text in wrapped]
    return f" {sign} ".join(parts) if len(parts) > 1 else f"{sign}{parts[0]}"


def _part(part: BoundPart) -> str:
    weight = _loss(part.weight)
    method = _invocation(part.method)
    return method if weight == "1" else f"({weight}) * {method}"


def _schedule(symbol: Symbol) -> str:
    times = "" if symbol.factor == 1 else f"{number_text(symbol.factor)} times "
    return f"{times}the schedule {symbol.name}"


def _index(index: IndexType) -> str:
    return f"index[{index.size}]" if index.labels is None else f"{{ {', '.join(index.labels)} }}"


_TEXTS: dict[type, Any] = {
    type(None): lambda _: "automatic",
    bool: lambda value: "true" if value else "false",
    Fraction: number_text,
    float: lambda value: f"{value:g}",
    tuple: _several,
    Mapping: _mapping,
    Split: _split,
    TensorType: _tensor,
    Invocation: _invocation,
    Curve: _curve,
    LossTerm: _term,
    LossExpr: _loss,
    BoundPart: _part,
    IndexType: _index,
    Symbol: _schedule,
}
