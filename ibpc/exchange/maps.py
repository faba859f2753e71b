"""A property over a spec's units as one over a file's: maps pulled into boxes and rows, exactly.

A network by reference is after(file(before(x))). With u = s x + t (before) and z = p y + q (after),
entry by entry,

    lower <= x <= upper      becomes   s lower + t <= u <= s upper + t     (turned where s < 0)
    A z + B x <= b           becomes   (A p) y + (B / s) u <= b - A q + (B / s) t
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.exchange.exact import finite_decimal
from ibpc.exchange.mistakes import NOT_WRITABLE, mistake
from ibpc.exchange.property import Constraint, Disjunct, Property
from ibpc.exchange.terms import Linear, constraint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.exchange.property import Exact
    from ibpc.language import AffineMap

_Pairs = list[tuple[Fraction, Fraction]]


def through_maps(given: Property, before: AffineMap | None, after: AffineMap | None) -> Property:
    """The property of the file alone: its points are the given one's, in the file's units.

    Raises: PropertyMistake where a row reads an input that the map before makes constant.
    """
    sources, targets = _pairs(before, given.inputs), _pairs(after, given.outputs)
    boxes: dict[tuple[int, int], tuple[tuple[Exact, ...], tuple[Exact, ...]]] = {}
    cases = []
    for case in given.disjuncts:
        key = (id(case.lower), id(case.upper))
        if key not in boxes:
            boxes[key] = _box(case, sources)
        rows = tuple(_row(row, sources, targets) for row in case.rows)
        cases.append(Disjunct(*boxes[key], rows))
    return replace(given, disjuncts=tuple(cases))


def back_to_spec(mapping: AffineMap | None, values: Sequence[float]) -> list[float]:
    """The inputs of the spec, nearest float64, from those of the file (constant ones as 0)."""
    pairs = _pairs(mapping, len(values))
    return [
        float((Fraction(value) - offset) / scale) if scale else 0.0
        for value, (scale, offset) in zip(values, pairs, strict=True)
    ]


def _pairs(mapping: AffineMap | None, count: int) -> _Pairs:
    """(scale, offset) of every entry."""
    if mapping is None:
        return [(Fraction(1), Fraction(0))] * count
    sides = (side * count if len(side) == 1 else side for side in (mapping.scale, mapping.offset))
    return list(zip(*sides, strict=True))


def _box(case: Disjunct, sources: _Pairs) -> tuple[tuple[Exact, ...], tuple[Exact, ...]]:
    lower, upper = [], []
    for low, high, (scale, offset) in zip(case.lower, case.upper, sources, strict=True):
        ends = sorted((scale * Fraction(low) + offset, scale * Fraction(high) + offset))
        lower.append(_plain(ends[0]))
        upper.append(_plain(ends[1]))
    return tuple(lower), tuple(upper)


def _row(row: Constraint, sources: _Pairs, targets: _Pairs) -> Constraint:
    """One row, divided by the size of its first coefficient."""
    form = Linear(constant=-Fraction(row.bound))
    for index, number in row.outputs:
        scale, offset = targets[index]
        form.coefficients[~index] = Fraction(number) * scale
        form.constant += Fraction(number) * offset
    for index, number in row.inputs:
        scale, offset = sources[index]
        if not scale:
            problem = f"the map before the network makes input {index} constant"
            fix = "leave that input out of the claim, or give its map a scale other than 0"
            raise mistake(NOT_WRITABLE, problem, fix=fix)
        form.coefficients[index] = Fraction(number) / scale
        form.constant -= Fraction(number) * offset / scale
    size = next((abs(one) for one in form.coefficients.values() if one), Fraction(1))
    form.constant /= size
    form.coefficients = {index: one / size for index, one in form.coefficients.items()}
    return constraint(form, row.strict)


def _plain(number: Fraction) -> Exact:
    decimal = finite_decimal(number)
    return number if decimal is None else decimal
