"""Entries of tensors in claims: `z[k]`, `x[0, 3, 4]`, `s.rho`, each as a linear form."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.evaluate import as_whole, evaluate
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.spelling import expression_text, shape_text, tensor_text
from ibpc.language.values import (
    DatumLabel,
    Entry,
    Label,
    Linear,
    Opaque,
    Outputs,
    Tensor,
    TensorVariable,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.program import IndexType
    from ibpc.language.scopes import Scope


def indexed(base: Outputs | TensorVariable, expr: tree.Index, scope: Scope) -> Linear:
    """`z[k]`, or an entry of a quantified tensor, which may also be counted flat (row-major).

    Raises: TypeMistake E0207, E0209; NameMistake E0101.
    """
    shape = base.type.type.shape
    flat = isinstance(base, TensorVariable) and len(expr.items) == 1
    if len(expr.items) != len(shape) and not flat:
        name = base.text if isinstance(base, Outputs) else base.name
        problem = f"`{name}` has {len(shape)} axes, {len(expr.items)} indices are given"
        raise wrong("E0207", problem, expr.span, f"shape {shape_text(shape)}")
    if len(shape) == 1:
        place = _entry(base.type, expr.items[0], scope)
    else:
        place = _position(shape if not flat else (base.type.type.entries,), expr, scope)
    if isinstance(base, Outputs):
        text = expression_text(expr)
        source = (base.text, base.at)
        return Linear(((Entry(base.applied, place), Fraction(1)),), Fraction(0), text, (), source)
    if not isinstance(place, int):
        problem = "an entry of the input is named by a number or a field"
        raise wrong("E0207", problem, expr.items[0].span, "an index that the data give")
    return input_entry(base, place, expr)


def member(base: TensorVariable, expr: tree.Member) -> Linear:
    """`s.rho`; raises NameMistake E0113."""
    fields = base.type.fields
    if expr.name.text not in fields:
        fix = suggestion(expr.name.text, fields)
        problem = f"`{base.name}` has no field `{expr.name.text}`"
        raise wrong("E0113", problem, expr.name.span, fix=fix)
    return input_entry(base, fields.index(expr.name.text), expr)


def input_entry(base: TensorVariable, place: int, expr: tree.Expr) -> Linear:
    """Entry `place` of a quantified tensor, in base units of its dimension."""
    unit = base.type.unit(place)
    terms = ((Entry(base.point, place), unit.factor),)
    text = expression_text(expr)
    return Linear(terms, Fraction(0), text, unit.dimension, (base.name, expr.span))


def chosen_entries(base: TensorVariable, expr: tree.Expr, scope: Scope) -> set[int]:
    """The entries that `except = i`, `except = rho` or a list of them names."""
    items = expr.items if isinstance(expr, tree.Listing) else (expr,)
    found = set()
    for item in items:
        if isinstance(item, tree.Name) and item.text in base.type.fields:
            found.add(base.type.fields.index(item.text))
            continue
        place = as_whole(evaluate(item, scope), item.span)
        _inside(place, base.type.type.entries, item.span)
        found.add(place)
    return found


def _position(shape: tuple[int, ...], expr: tree.Index, scope: Scope) -> int:
    """The row-major position of indices that are all known."""
    place = 0
    for item, size in zip(expr.items, shape, strict=True):
        index = as_whole(evaluate(item, scope), item.span)
        _inside(index, size, item.span)
        place = place * size + index
    return place


def _entry(axis: Tensor, item: tree.Expr, scope: Scope) -> int | DatumLabel | Opaque:
    labels, size = axis.type.labels, axis.type.shape[0]
    if isinstance(item, tree.Name) and labels and item.text not in scope.names:
        if item.text in labels:
            return labels.index(item.text)
        if scope.find(item.text) is None and not scope.world.enums_with(scope.module, item.text):
            fix = suggestion(item.text, labels)
            problem = f"`{item.text}` is no label of `{tensor_text(axis)}`"
            raise wrong("E0101", problem, item.span, "not a label of this axis", fix)
    value = evaluate(item, scope)
    if isinstance(value, Label | DatumLabel | Opaque):
        _same_axis(axis, value.type, item.span)
        return value.index if isinstance(value, Label) else value
    place = as_whole(value, item.span)
    _inside(place, size, item.span)
    return place


def _same_axis(axis: Tensor, label: IndexType, at: Span) -> None:
    if (axis.type.shape[0], axis.type.labels) == (label.size, label.labels):
        return
    theirs = "labels " + ", ".join(label.labels) if label.labels else f"{label.size} entries"
    ours = axis.type.labels
    mine = "labels " + ", ".join(ours) if ours else f"{axis.type.shape[0]} entries"
    problem = "this label belongs to another axis"
    raise wrong("E0209", problem, at, f"it has {theirs}; the axis has {mine}")


def _inside(place: int, size: int, at: Span) -> None:
    if not 0 <= place < size:
        label = f"the axis has entries 0 to {size - 1}"
        raise wrong("E0207", f"index {place} is out of range", at, label)
