"""A claim of the language on one datum as a property: its negation is the unsafe set."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.errors import InternalError
from ibpc.exchange.exact import finite_decimal
from ibpc.exchange.mistakes import NOT_WRITABLE, mistake
from ibpc.exchange.property import Constraint, Disjunct, Property, Tensor, flat_interface
from ibpc.exchange.terms import Linear, constraint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.exchange.property import Exact
    from ibpc.language import Claim, Row, TensorType

    Side = tuple[Exact, ...]


def claim_property(
    claim: Claim,
    input_type: TensorType,
    x: Sequence[float],
    label: int,
    eps: Fraction | None = None,
) -> Property:
    """The points where a claim fails for a datum: one disjunct for each row, or for each clause.

        unsafe = { (x, z) : x in set, some row has C z + d > 0 }     (>= 0 for a strict row)

    Of a clause all rows fail together. This is the exact negation; writing it as VNN-LIB 1.0
    closes it. `x` is the flat datum, `eps` the radius where the claim names a schedule.
    Source: Gowal et al. 2019, Eq. 2 and 3.
    Raises: PropertyMistake where the set is empty.
    """
    lower, upper = _box(claim, input_type, x, eps)
    rows = [_negated(row, claim.size) for row in _rows(claim, label)]
    cases = [tuple(rows[row] for row in clause) for clause in claim.clauses_of(label)]
    flat = flat_interface(len(lower), claim.size)
    source, target = (1, *input_type.shape), (1, claim.size)
    interface = replace(flat, input=Tensor("X", "real", source), output=Tensor("Y", "real", target))
    boxes: dict[tuple[Side, Side], tuple[Side, Side]] = {}
    found = (_narrowed(lower, upper, case, boxes) for case in cases)
    disjuncts = tuple(case for case in found if case is not None)
    return Property(len(lower), claim.size, disjuncts, interface, (), claim.name)


def _narrowed(
    lower: Side,
    upper: Side,
    rows: tuple[Constraint, ...],
    boxes: dict[tuple[Side, Side], tuple[Side, Side]],
) -> Disjunct | None:
    """The case whose bounds of single inputs are in its box; None where that leaves nothing.

    A strict bound stands in the box, with its border, and as a row. `boxes` are those made so far:
    cases with equal boxes share them.
    """
    sides, kept = (list(lower), list(upper)), []
    for row in rows:
        if row.outputs or len(row.inputs) != 1:
            kept.append(row)
            continue
        ((index, factor),) = row.inputs
        end = Fraction(row.bound) / Fraction(factor)
        side, choose = (sides[1], min) if factor > 0 else (sides[0], max)
        side[index] = _plain(Fraction(choose(Fraction(side[index]), end)))
        if row.strict:
            kept.append(row)
    if len(kept) == len(rows) and sides == (list(lower), list(upper)):
        return Disjunct(lower, upper, rows)
    if any(low > high for low, high in zip(*sides, strict=True)):
        return None
    box = (tuple(sides[0]), tuple(sides[1]))
    return Disjunct(*boxes.setdefault(box, box), tuple(kept))


def _rows(claim: Claim, label: int) -> Sequence[Row]:
    """The rows of a label; an argmax claim's are spelled out."""
    if not claim.argmax:
        return claim.rows[label if len(claim.rows) > 1 else 0]
    from ibpc.language import Row

    return [
        Row(((other, Fraction(1)), (label, Fraction(-1))), Fraction(0), claim.strict)
        for other in range(claim.size)
        if other != label
    ]


def _negated(row: Row, outputs: int) -> Constraint:
    """`C z + d > 0` as `-C z < d`; columns from `outputs` on are inputs."""
    form = Linear(constant=-row.constant)
    for column, coefficient in row.coefficients:
        index = ~column if column < outputs else column - outputs
        form.coefficients[index] = form.coefficients.get(index, Fraction(0)) - coefficient
    return constraint(form, strict=not row.strict)


def _box(
    claim: Claim, kind: TensorType, x: Sequence[float], eps: Fraction | None
) -> tuple[tuple[Exact, ...], tuple[Exact, ...]]:
    """Exact bounds of the claim's set, cut with the input's domain."""
    points = [Fraction(float(value)) for value in x]
    given, domain = claim.set, kind.domain or ()
    if given.kind not in {"ball", "box", "domain"}:
        fix = "write the claim over a ball in the infinity norm, or a box"
        raise mistake(NOT_WRITABLE, f"the input set of `{claim.name}` is not a box", fix=fix)
    sides: list[list[list[Fraction]]] = [[], []]
    if given.kind == "ball":
        radius = eps if eps is not None else given.eps
        if not isinstance(radius, Fraction | int):
            raise InternalError(f"the ball's radius is still `{radius}`: give eps")
        sides[0].append([point - radius for point in points])
        sides[1].append([point + radius for point in points])
    elif given.kind == "box":
        sides[0].append(_spread(given.lower, len(points)))
        sides[1].append(_spread(given.upper, len(points)))
    if domain:
        sides[0].append(_spread([low for low, _ in domain], len(points)))
        sides[1].append(_spread([high for _, high in domain], len(points)))
    if not sides[0]:
        raise mistake(NOT_WRITABLE, f"the input set of `{claim.name}` has no bounds")
    lower = [max(each) for each in zip(*sides[0], strict=True)]
    upper = [min(each) for each in zip(*sides[1], strict=True)]
    if any(low > high for low, high in zip(lower, upper, strict=True)):
        raise mistake(
            NOT_WRITABLE,
            f"the input set of `{claim.name}` is empty here",
            fix="check that the datum lies inside the declared domain",
        )
    return tuple(map(_plain, lower)), tuple(map(_plain, upper))


def _spread(numbers: Sequence[Fraction], count: int) -> list[Fraction]:
    """One number for every entry."""
    return list(numbers) * count if len(numbers) == 1 else list(numbers)


def _plain(number: Fraction) -> Exact:
    decimal = finite_decimal(number)
    return number if decimal is None else decimal
