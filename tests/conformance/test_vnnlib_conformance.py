"""Every case of the two tables: the unsafe set, the warnings, or the error and its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from ibpc.exchange import EXPLANATIONS, Constraint, Disjunct, Property, PropertyMistake
from ibpc.exchange import parse_property as parse

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    title: str
    text: str
    expected: tuple[str, ...]


def table(folder: str) -> list[Case]:
    cases = []
    for part in (HERE / folder / "cases.txt").read_text(encoding="utf-8").split("\n## ")[1:]:
        title, _, rest = part.partition("\n")
        lines = rest.rstrip("\n").split("\n")
        expected = tuple(line[3:].strip() for line in lines if line.startswith("=> "))
        text = "\n".join(line for line in lines if not line.startswith("=> "))
        cases.append(Case(title, text.rstrip("\n") + "\n", expected))
    return cases


CASES = [
    pytest.param(case, id=f"{folder}: {case.title}")
    for folder in ("vnnlib1", "vnnlib2")
    for case in table(folder)
]


def exact(number: object) -> str:
    value = Fraction(number)  # type: ignore[arg-type]
    if value.denominator == 1:
        return str(value.numerator)
    rest = re.sub(r"0*$", "", format(number, "f")) if not isinstance(number, Fraction) else ""
    return rest or f"{value.numerator}/{value.denominator}"


def row(given: Constraint) -> str:
    text = ""
    terms = [(f"y{index}", value) for index, value in given.outputs]
    for name, value in terms + [(f"x{index}", value) for index, value in given.inputs]:
        size = "" if abs(value) == 1 else exact(abs(value)) + " "
        sign = "-" if value < 0 else "+"
        text += (f" {sign} " if text else "-" if value < 0 else "") + size + name
    return f"{text} {'<' if given.strict else '<='} {exact(given.bound)}"


def shown(case: Disjunct) -> str:
    sides = zip(case.lower, case.upper, strict=True)
    box = " ".join(f"[{exact(low)}..{exact(high)}]" for low, high in sides)
    return f"{box} | {' ; '.join(map(row, case.rows))}".strip()


def outcome(given: Property) -> tuple[str, ...]:
    cases = tuple(map(shown, given.disjuncts)) or ("empty",)
    return cases + tuple(warning.code for warning in given.warnings)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("flat", [True, False], ids=["fast", "full"])
def test_a_case_means_what_the_table_says(case: Case, flat: bool) -> None:
    try:
        found = outcome(parse(case.text, "case.vnnlib", flat))
    except PropertyMistake as error:
        (diagnostic,) = error.diagnostics
        assert diagnostic.code in EXPLANATIONS
        at = diagnostic.at
        found = (diagnostic.code + (f" {at.line}:{at.column}" if at else ""),)
    assert found == case.expected


def test_every_code_has_a_case_or_a_reason() -> None:
    """Codes of files, limits and writing are met in the unit tests."""
    elsewhere = {"E0901", "E0902", "E0903", "E0906", "E0920", "E0923", "E0924", "W0906", "W0907"}
    met = {line.split()[0] for case in CASES for line in case.values[0].expected}
    assert set(EXPLANATIONS) - met == elsewhere


def test_titles_are_unique_and_there_are_many() -> None:
    titles = [case.id for case in CASES]
    assert len(titles) == len(set(titles)) >= 150
