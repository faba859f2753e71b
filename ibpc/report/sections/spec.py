"""The spec in full, with its words lightly coloured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.report import tables
from ibpc.report.markup import tag
from ibpc.syntax import painted

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Run


def section(run: Run) -> Element | None:
    """The file that was run, then those that it imports."""
    if not run.texts:
        return None
    shown = [
        tag("div", tag("h3", tag("code", name)), tag("pre", tag("code", _coloured(text))))
        for name, text in run.texts
    ]
    return tables.section("spec", "The spec", shown)


def _coloured(text: str) -> list[Element | str]:
    return [
        tag("span", piece, class_=f"ibp-{kind}") if kind else piece for kind, piece in painted(text)
    ]
