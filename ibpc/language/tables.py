"""`table("polytope.csv")`: a matrix of exact decimals from a file beside the spec.

One row a line, entries separated by commas, semicolons or blanks (tabs); empty lines and lines
that begin with `#` do not count. A decimal is taken as it stands, never rounded.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.mistakes import wrong
from ibpc.language.modules import beside
from ibpc.language.quantities import Quantity, limited
from ibpc.language.values import Many
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.scopes import Scope

SIZE = 5_000_000
"""The most characters that a table may have."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?(/\d+)?")


def read_table(expr: tree.Call, scope: Scope) -> Many:
    """The rows of the file, each a list of numbers.

    Raises: TypeMistake E0210; FileMistake E0502 (absent), E0512 (malformed).
    """
    values = [argument.value for argument in expr.arguments if argument.name is None]
    if len(expr.arguments) != 1 or not values or not isinstance(values[0], tree.Text):
        raise wrong("E0210", 'write `table("file.csv")`', expr.span, "one file in quotes")
    written = values[0]
    path = beside(scope.module.path, written.value)
    known: dict[str, Many] = scope.world.cache.setdefault("tables", {})
    if path not in known:
        known[path] = _parsed(_text(path, written.span), path, written.span)
    return known[path]


def _text(path: str, at: Span) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(SIZE + 1)
    except (OSError, ValueError) as why:
        reason = getattr(why, "strerror", None) or "not a text file"
        fix = "paths are relative to the spec's folder"
        raise wrong("E0502", f"cannot read `{path}`", at, reason, fix) from why
    if len(text) > SIZE:
        raise wrong("E0512", f"`{path}` is too large", at, f"more than {SIZE} characters")
    return text


def _parsed(text: str, path: str, at: Span) -> Many:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell for cell in re.split(r"[,;\s]+", line.strip()) if cell]
        if not cells or line.lstrip().startswith("#"):
            continue
        for cell in cells:
            if not NUMBER.fullmatch(cell):
                fix = "a table holds decimals (or fractions such as 1/3) and nothing else"
                problem = f"`{path}` has no number on line {number}: `{cell[:30]}`"
                raise wrong("E0512", problem, at, "malformed", fix)
        rows.append(Many(tuple(Quantity(_exact(cell, path, number, at)) for cell in cells)))
        if len(rows[-1].items) != len(rows[0].items):
            label = f"{len(rows[-1].items)} entries, the first row has {len(rows[0].items)}"
            problem = f"`{path}` has rows of different lengths: line {number}"
            raise wrong("E0512", problem, at, label)
    if not rows:
        raise wrong("E0512", f"`{path}` has no rows", at, "empty")
    return Many(tuple(rows))


def _exact(cell: str, path: str, number: int, at: Span) -> Fraction:
    value, _, divisor = cell.partition("/")
    if divisor and int(divisor) == 0:
        raise wrong("E0512", f"`{path}` divides by zero on line {number}", at, "malformed")
    return limited(Fraction(value) / int(divisor or 1), at)
