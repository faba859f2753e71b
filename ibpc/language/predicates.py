"""Words of claims that stand for several atoms: `minimal(z, k)`, `maximal(z, k)`, `agree(x, u)`."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.evaluate import as_whole, evaluate
from ibpc.language.formulas import ATOMS, Atom, all_of, not_all_of
from ibpc.language.mistakes import wrong
from ibpc.language.places import chosen_entries
from ibpc.language.quantities import Quantity
from ibpc.language.tensor_types import agree
from ibpc.language.values import (
    DatumLabel,
    Entry,
    Label,
    Linear,
    Outputs,
    TensorVariable,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.formulas import Formula
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Value

ONE = Fraction(1)


class NeedsLabel(Exception):
    """The claim looks at the datum's label, so it must be written out for each label."""

    def __init__(self, label: DatumLabel) -> None:
        super().__init__(label.name)
        self.label = label


def ranking(atoms: tuple[Atom, ...], positive: bool) -> Formula:
    """All of the atoms, or (not `positive`) not all of them."""
    if not atoms:
        return positive
    return all_of(atoms) if positive else not_all_of(atoms)


def ranked(expr: tree.Call, scope: Scope) -> tuple[Outputs, Value, tree.Expr]:
    """The output and the entry of `minimal(z, k)`; raises TypeMistake E0210, UnitMistake E0301."""
    assert isinstance(expr.function, tree.Name)
    word = expr.function.text
    if len(expr.arguments) != 2:
        raise wrong("E0210", f"write `{word}(z, k)`", expr.span, "two arguments")
    output = evaluate(expr.arguments[0].value, scope)
    if not isinstance(output, Outputs):
        at = expr.arguments[0].span
        raise wrong("E0301", f"`{word}` ranks a network's output", at, kind_of(output))
    place = expr.arguments[1].value
    entry = evaluate(tree.Index(expr.arguments[0].value, (place,), expr.span), scope)
    assert isinstance(entry, Linear)
    chosen = entry.terms[0][0].index
    return output, chosen if isinstance(chosen, DatumLabel) else _number(chosen), place


def _number(index: object) -> Quantity:
    assert isinstance(index, int)
    return Quantity(Fraction(index))


def extreme(output: Outputs, value: Value, at: tree.Expr, sign: int) -> tuple[Atom, ...]:
    """No other entry is larger (sign 1) or smaller (sign -1); a tie counts for the entry.

    sign (z[k] - z[place]) <= 0  for every k != place
    """
    if isinstance(value, DatumLabel):
        raise NeedsLabel(value)
    size = output.type.type.shape[0]
    if len(output.type.type.shape) != 1:
        raise wrong("E0406", "only vectors have a largest entry", at.span, "several axes")
    place = value.index if isinstance(value, Label) else as_whole(value, at.span)
    if not 0 <= place < size:
        raise wrong("E0207", f"index {place} is out of range", at.span, f"0 to {size - 1}")
    return tuple(
        Atom(
            ((Entry(output.applied, k), sign * ONE), (Entry(output.applied, place), -sign * ONE)),
            Fraction(0),
            strict=False,
        )
        for k in range(size)
        if k != place
    )


def equalities(expr: tree.Call, scope: Scope) -> tuple[Atom, ...]:
    """`agree(x, u, except = i)`: x[j] <= u[j] and u[j] <= x[j] for every other j."""
    unnamed = [argument.value for argument in expr.arguments if argument.name is None]
    named = {a.name.text: a.value for a in expr.arguments if a.name is not None}
    if len(unnamed) != 2 or not set(named) <= {"except"}:
        fix = "write `agree(x, x')` or `agree(x, x', except = i)`"
        raise wrong("E0210", "`agree` compares two tensors", expr.span, "two tensors", fix)
    sides = [evaluate(one, scope) for one in unnamed]
    for side, written in zip(sides, unnamed, strict=True):
        if not isinstance(side, TensorVariable):
            label = f"this is {kind_of(side)}"
            raise wrong("E0406", "`agree` compares quantified tensors", written.span, label)
    one, other = sides
    assert isinstance(one, TensorVariable)
    assert isinstance(other, TensorVariable)
    if not agree(one.type, other.type):
        raise wrong("E0205", "these two tensors have different types", expr.span)
    left_out = chosen_entries(one, named["except"], scope) if "except" in named else set()
    if 2 * one.type.type.entries > ATOMS:
        label = f"more than {ATOMS} atoms"
        fix = "compare fewer entries: list them, as in `x[0] <= x'[0] and ...`"
        raise wrong("E0208", "this claim is too large when written out", expr.span, label, fix)
    pairs = (
        (Entry(one.point, place), Entry(other.point, place))
        for place in range(one.type.type.entries)
        if place not in left_out and one.point != other.point
    )
    return tuple(
        Atom(((first, sign * ONE), (second, -sign * ONE)), Fraction(0), strict=False)
        for first, second in pairs
        for sign in (1, -1)
    )
