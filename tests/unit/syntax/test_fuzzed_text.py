"""Whatever the text, the parser answers soon, with a tree or with an `IbpcError`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibpc.errors import Diagnostic, IbpcError
from ibpc.syntax import parse_expression, parse_text
from ibpc.syntax.automaton import load_tables

ROOT = Path(__file__).resolve().parents[3]
SPECS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs").glob("*.ibp"))]
EVERYTHING = ROOT / "tests" / "golden" / "syntax" / "everything.ibp"
TEXTS = [*SPECS, EVERYTHING.read_text(encoding="utf-8")]
PIECES = [
    *load_tables().words,
    *load_tables().signs.values(),
    *("\n", " ", "\t", "\r\n", '"', "#", "##", "\0", "8level", "1e99", "3x3+1", "x'", "\u2264"),
]

quick = settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    """What the parser says of a text; all but an `IbpcError` goes through."""
    try:
        parse_text(text, "no-such-folder/a.ibp")
    except IbpcError as error:
        return error.diagnostics
    return ()


def answers(text: str) -> None:
    """The parser gives a tree, or an error whose every diagnostic lies inside of the text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").split("\n")
    for diagnostic in mistakes(text):
        assert diagnostic.render()
        assert diagnostic.at is not None
        assert 1 <= diagnostic.at.line <= len(lines)
        assert 1 <= diagnostic.at.column <= len(lines[diagnostic.at.line - 1]) + 1


@quick
@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    answers(text)
    answers("ibp 1\n" + text)


@quick
@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from(["", " "]))
def test_any_heap_of_words_gets_an_answer(pieces: list[str], glue: str) -> None:
    answers("ibp 1\n" + glue.join(pieces))


@quick
@given(st.sampled_from(TEXTS), st.data())
def test_a_spec_with_random_damage_gets_an_answer(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    answers(text)


@quick
@given(st.sampled_from(SPECS), st.data())
def test_a_spec_cut_off_anywhere_gets_an_answer(text: str, data: st.DataObject) -> None:
    answers(text[: data.draw(st.integers(0, len(text)))])


@quick
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map(" ".join)))
def test_any_expression_gets_an_answer(text: str) -> None:
    with suppress(IbpcError):
        parse_expression(text, "-p x")


@quick
@given(st.sampled_from(SPECS), st.data())
def test_what_a_broken_line_breaks_is_told_at_that_line(text: str, data: st.DataObject) -> None:
    """A line of nonsense in a spec is told of, and no line before it is."""
    lines = text.split("\n")
    place = data.draw(st.integers(1, len(lines) - 1))
    lines.insert(place, "$$$")
    first = mistakes("\n".join(lines))[0].at
    assert first is not None
    assert first.line == place + 1
