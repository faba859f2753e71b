"""From statements to a claim: rows over one vector of outputs and inputs, grouped into clauses.

Several networks, or one on several tensors, are a product: one network whose output is theirs
behind each other. Entries of tensors that the claim itself makes equal (`agree(x, u, except = i)
=> ...`) become one input, so that a search never has to hit an equation.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.eq3 import argmax_strictness
from ibpc.language.formulas import both, entries_of
from ibpc.language.logic import Logic
from ibpc.language.mistakes import wrong
from ibpc.language.predicates import NeedsLabel
from ibpc.language.premises import never_true_by_numbers
from ibpc.language.products import layout_of
from ibpc.language.program import Claim, Row
from ibpc.language.values import ClaimValue
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibpc.language.formulas import Clause, Formula
    from ibpc.language.products import Layout
    from ibpc.language.statements import Statement
    from ibpc.language.values import Applied, Network

CLASSES = 64
"""Up to this many labels, rows written out are compared with Eq. 3, whatever their spelling."""

LABELS = 10_000
"""The most labels for which a claim other than Eq. 3 is written out, one by one."""

Groups = tuple[tuple[tuple[Row, ...], ...], ...]
"""For each label the clauses, each of rows of which one must hold."""


def stated(declaration: tree.Spec, found: list[Statement], text: str) -> ClaimValue:
    """The claim of a spec's statements, which agree in their sets.

    Raises: TypeMistake E0401, E0405 to E0408, E0412, E0208.
    """
    first = found[0]
    applied: dict[Applied, Network] = {}
    for statement in found:
        applied.update({key: one for key, one in statement.applied.items() if key not in applied})
    claim = Claim(
        name=declaration.name.text,
        set=first.points[0].set,
        size=next(iter(applied.values())).arrow.target.type.entries,
        rows=(),
        argmax=False,
        strict=False,
        text=text,
        span=declaration.name.span,
        exists=first.word == "exists",
    )
    if len(found) == 1 and len(first.points) == len(applied) == 1 and not claim.exists:
        strict = argmax_strictness(first.body, first.scope)
        if strict is not None:
            whole = replace(claim, argmax=True, strict=strict)
            layout = layout_of(first, applied, ())
            names = layout.names(first.tensors)
            return ClaimValue(whole, tuple(applied.values()), None, names)
    formulas = _formulas(found)
    used = _used(formulas, applied, first)
    layout = layout_of(first, used, formulas)
    claim = replace(claim, set=layout.set, size=layout.size)
    claim = _with_rows(claim, tuple(_clauses(one, layout) for one in formulas), layout)
    if never_true_by_numbers(claim, first.points[0].type.type):
        _warn_of_premise(first)
    product = layout.product(declaration)
    return ClaimValue(claim, tuple(used.values()), product, layout.names(first.tensors))


def _warn_of_premise(first: Statement) -> None:
    """Tell of a claim that is decided by its set and its conditions on the input alone."""
    problem = "this premise is true for no input of the set, so the claim is vacuous"
    label = "holds whatever the network does"
    if first.word == "exists":
        problem = "no input of the set fulfils what is asked of it, so the claim is vacuous"
        label = "fails whatever the network does"
    fix = "compare its numbers with those of the set"
    first.scope.world.sink.warn("W0612", problem, _premise(first.body).span, label, fix)


def _premise(body: tree.Expr) -> tree.Expr:
    """What stands before the first `=>` of a claim, where there is one in plain sight."""
    while isinstance(body, tree.Quantifier):
        body = body.body
    if isinstance(body, tree.Binary) and body.operator == "=>":
        return body.left
    return body


# --- formulas --------------------------------------------------------------------------------


def _formulas(found: Sequence[Statement]) -> tuple[Formula, ...]:
    """The claim in conjunctive normal form, once or for each label."""
    logic = Logic(found[0].word)
    try:
        return (_written_out(found, logic),)
    except NeedsLabel as need:
        size = need.label.type.size
        if size > LABELS:
            at = found[0].body.span
            label = f"{size} labels, at most {LABELS}"
            problem = "this claim is too large when written out"
            raise wrong("E0208", problem, at, label, "Eq. 3 has no such limit") from None
    return tuple(_written_out([one.labelled(y) for one in found], logic) for y in range(size))


def _written_out(found: Sequence[Statement], logic: Logic) -> Formula:
    together: Formula = True
    for one in found:
        formula = logic.formula(one.body, one.scope, positive=one.word == "forall")
        together = both(together, formula)
    return together


def _used(
    formulas: tuple[Formula, ...], applied: Mapping[Applied, Network], first: Statement
) -> dict[Applied, Network]:
    """The applications that the claim depends on; raises TypeMistake E0401 where on none."""
    seen = {entry.of for formula in formulas for entry in entries_of(formula)}
    used = {key: network for key, network in applied.items() if key in seen}
    if used:
        return used
    fix = "compare entries of the output: `z[k] - z[y] <= 0`"
    problem = "this claim does not depend on the network's output"
    raise wrong("E0401", problem, first.body.span, "constant", fix)


# --- rows ------------------------------------------------------------------------------------


def _clauses(formula: Formula, layout: Layout) -> tuple[tuple[Row, ...], ...]:
    """Clauses of rows over columns; what has become constant is folded."""
    if formula is False:
        return (_FALSE,)
    found: dict[tuple[Row, ...], None] = {}
    for clause in () if formula is True else formula:
        rows = _rows(clause, layout)
        if rows is not None:
            found.setdefault(rows or _FALSE)
    return tuple(found)


_FALSE = (Row((), Fraction(1), strict=False),)


def _rows(clause: Clause, layout: Layout) -> tuple[Row, ...] | None:
    """The rows of one clause, without those that are false; None where one is true."""
    rows: dict[Row, None] = {}
    for atom in clause:
        terms: dict[int, Fraction] = {}
        for entry, factor in atom.terms:
            column = layout.column(entry)
            terms[column] = terms.get(column, Fraction(0)) + factor
        kept = tuple(sorted((column, factor) for column, factor in terms.items() if factor))
        if kept:
            rows.setdefault(Row(kept, atom.constant, atom.strict))
        elif atom.constant < 0 or (atom.constant == 0 and not atom.strict):
            return None
    return tuple(rows)


def _with_rows(claim: Claim, groups: Groups, layout: Layout) -> Claim:
    """The claim with its rows, each once, and with clauses where it is no conjunction."""
    every = [row for group in groups for clause in group for row in clause]
    strict = any(row.strict for row in every)
    columns = [column for row in every for column, _ in row.coefficients]
    inputs = layout.inputs if max(columns, default=0) >= claim.size else 0
    claim = replace(claim, strict=strict, inputs=inputs)
    if all(len(clause) == 1 for group in groups for clause in group):
        rows = tuple(tuple(clause[0] for clause in group) for group in groups)
        if not inputs and not claim.exists and _is_argmax(rows, claim.size):
            return replace(claim, argmax=True)
        return replace(claim, rows=rows)
    tables = tuple(tuple(dict.fromkeys(r for clause in g for r in clause)) for g in groups)
    numbers = tuple({row: place for place, row in enumerate(table)} for table in tables)
    clauses = tuple(
        tuple(tuple(place[row] for row in clause) for clause in group)
        for group, place in zip(groups, numbers, strict=True)
    )
    return replace(claim, rows=tables, clauses=clauses)


def _is_argmax(rows: tuple[tuple[Row, ...], ...], size: int) -> bool:
    """Whether the rows are exactly z[k] - z[y] <= 0 for all k != y, up to positive factors."""
    if len(rows) != size or size > CLASSES or size < 2:
        return False
    strictness = {row.strict for group in rows for row in group}
    if len(strictness) != 1:
        return False
    return all(_overtaken(group, y, size) for y, group in enumerate(rows))


def _overtaken(group: tuple[Row, ...], y: int, size: int) -> bool:
    others = set()
    for row in group:
        factors = dict(row.coefficients)
        up = [key for key, factor in factors.items() if factor > 0]
        if row.constant or len(factors) != 2 or len(up) != 1 or up[0] == y:
            return False
        if factors.get(y) != -factors[up[0]]:
            return False
        others.add(up[0])
    return others == set(range(size)) - {y}
