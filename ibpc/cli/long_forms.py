"""The long forms of all codes: text files that lie beside the codes, in `explanations/`.

A form is a title, what it means and why, an example, and the fix. An example of indented lines is
run by a test: `Example:` is a spec (whole where it starts with `ibp` or a comment, else lines that
follow `specs/digits.ibp`), `Example, with ...:` one with a param set, `Property:` a VNN-LIB file.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ibpc.errors import Diagnostic, NameMistake, did_you_mean

_HEAD = re.compile(r"^== ([EW]\d{4}) (.+)$", re.MULTILINE)
_EXAMPLE = re.compile(
    r"^(Example|Property)(?:, with `-p (\w+=\S+)`)?:\n\n((?:(?: {4}.*)?\n)+)", re.M
)


class LongForm(NamedTuple):
    """A code's title and text."""

    code: str
    title: str
    text: str

    def __str__(self) -> str:
        severity = "warning" if self.code.startswith("W") else "error"
        return f"{severity} {self.code}: {self.title}\n\n{self.text}"

    def example(self) -> tuple[str, str, str] | None:
        """Kind (Example or Property), `-p` or nothing, and the text, where it can be run."""
        found = _EXAMPLE.search(self.text + "\n")
        if found is None:
            return None
        lines = found[3].rstrip().split("\n")
        return found[1], found[2] or "", "".join(line[4:] + "\n" for line in lines)


@cache
def long_forms() -> dict[str, LongForm]:
    """All codes with their long forms."""
    found = {}
    for path in sorted(Path(__file__).parents[1].glob("*/explanations/*.txt")):
        _, *parts = _HEAD.split(path.read_text(encoding="utf-8"))
        for code, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            found[code] = LongForm(code, title, text.strip())
    return found


def long_form(code: str) -> LongForm:
    """The long form of a code.

    Raises: NameMistake E0192.
    """
    found = long_forms().get(code.upper())
    if found is None:
        fix = did_you_mean(code.upper(), long_forms()) or "codes look like E0102"
        raise NameMistake(Diagnostic("E0192", f"there is no code {code}", fix=fix))
    return found
