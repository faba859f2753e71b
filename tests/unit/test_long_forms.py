"""Every code of ibpc has its long form, and every example in one does give that code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ibpc.cli.long_forms import LongForm, long_forms
from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import Diagnostic
from ibpc.exchange import PropertyMistake, parse_property
from ibpc.language import analyse

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r'"([EW]0\d{3})"')
UNUSED = "W0101"
FORMS = long_forms()
RUN = [form for form in FORMS.values() if form.example() is not None]


def codes_in_use() -> set[str]:
    """All codes that stand in the source."""
    paths = (ROOT / "ibpc").rglob("*.py")
    return {code for path in paths for code in CODE.findall(path.read_text(encoding="utf-8"))}


def test_every_code_has_a_long_form() -> None:
    absent = codes_in_use() - set(FORMS)
    assert not absent, f"write {sorted(absent)} in explanations/*.txt of the room that says them"


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.code)
def test_a_long_form_says_what_why_and_how_to_mend_it(form: LongForm) -> None:
    assert form.title[0].islower()
    assert not form.title.endswith(".")
    text = form.text
    assert not text.startswith(("Example", "For instance", "Fix"))
    assert len(re.findall(r"^(?:Example.*|Property):$|^For instance: .+", text, re.M)) == 1
    assert re.search(r"^Fix: .+", text, re.M)
    for line in text.split("\n"):
        assert len(line) <= 104 or "((((" in line


def test_most_codes_of_the_language_show_a_spec_that_gives_them() -> None:
    shown = {form.code for form in RUN if form.code < "E07" or form.code > "W"}
    assert len(shown) >= 60


@pytest.mark.parametrize("form", RUN, ids=lambda form: form.code)
def test_an_example_gives_its_code(form: LongForm) -> None:
    example = form.example()
    assert example is not None
    kind, setting, text = example
    told = of_property(text) if kind == "Property" else of_spec(text, setting)
    # What an example declares is often all there is: nothing uses it.
    codes = {one.code for one in told if one.code != UNUSED or form.code == UNUSED}
    assert codes == {form.code}, [one.problem for one in told]


def of_spec(text: str, setting: str) -> tuple[Diagnostic, ...]:
    """What the checker says of an example."""
    specs = ROOT / "specs"
    path = str(specs / "example.ibp")
    if not text.startswith(("ibp", "#")):
        text = (specs / "digits.ibp").read_text(encoding="utf-8") + "\n" + text
    name, _, value = setting.partition("=")
    overrides = {name: value} if setting else {}
    return analyse(path, vocabulary(), overrides, {path: text}).diagnostics


def of_property(text: str) -> tuple[Diagnostic, ...]:
    """What the reader of properties says of an example."""
    try:
        return parse_property(text, "example.vnnlib").warnings
    except PropertyMistake as mistake:
        return mistake.diagnostics
