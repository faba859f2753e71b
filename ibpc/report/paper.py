"""The paper's figures, from paper.json, and which of them an experiment of ours stands beside.

Source: Gowal et al. 2019, ICCV, Tables 2, 3 and 4; each row names its table.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ibpc.report.wording import number

if TYPE_CHECKING:
    from ibpc.report.facts import Task

KINDS = {"test": "test", "pgd": "PGD", "verified": "verified", "ibp_bound": "IBP bound"}
"""The paper's figures, by their names in paper.json, and what heads their columns."""

FEWEST = 100
"""Rates over fewer examples than this stand beside nothing."""

_DATA = re.compile(r"builtin\((?:name=)?(\w+)\)")


@dataclass(frozen=True)
class PaperRow:
    """A row of the paper's tables; figures are errors in percent, None where it has a dash.

    `kind`: ibp, nominal, madry or wong for what the paper trained, "" for rows that it cites.
    """

    data: str
    eps: Fraction
    method: str
    kind: str
    eps_train: Fraction | None
    figures: dict[str, float | None]
    source: str
    note: str

    @property
    def name(self) -> str:
        """The method with its radius of training."""
        if self.eps_train is None:
            return self.method
        return f"{self.method}, ε_train {number(self.eps_train)}"


@cache
def paper_rows() -> tuple[PaperRow, ...]:
    """All rows, in the paper's order."""
    text = files("ibpc.report").joinpath("paper.json").read_text(encoding="utf-8")
    return tuple(
        PaperRow(
            row["data"],
            Fraction(row["eps"]),
            row["method"],
            row["kind"] or "",
            None if row["eps_train"] is None else Fraction(row["eps_train"]),
            {name: row[name] for name in KINDS},
            row["source"],
            row.get("note", ""),
        )
        for row in json.loads(text)["rows"]
    )


def beside(task: Task) -> tuple[PaperRow, ...]:
    """The rows of the same data set and radius; none where the paper has no such experiment."""
    data = data_name(task)
    if task.part != "test" or task.eps is None or task.examples < FEWEST:
        return ()
    return tuple(row for row in paper_rows() if row.data == data and row.eps == task.eps)


def data_name(task: Task) -> str:
    """`mnist` for `builtin(name=mnist)`, "" for data that the paper does not know."""
    found = _DATA.match(task.source)
    return found[1] if found else ""


def method_kind(task: Task) -> str:
    """Which of the paper's methods trained a task's network: nominal, madry, ibp, or ""."""
    if not task.recipe:
        return ""
    words = {"": "nominal", "none": "nominal", "pgd": "madry", "ibp": "ibp", "wong": "wong"}
    return words.get(task.bound.partition("(")[0], "")
