"""The formatter: same tree, same comments, stable under itself, whatever the layout was."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibpc.errors import SyntaxMistake
from ibpc.syntax import Source, alike, format_source, parse_text
from ibpc.syntax.automaton import load_tables
from ibpc.syntax.layout import lay_out
from ibpc.syntax.tokens import scan

ROOT = Path(__file__).resolve().parents[3]
SPECS = sorted((ROOT / "specs").rglob("*.ibp"))
GOLDEN = ROOT / "tests" / "golden" / "syntax"
TEXTS = [path.read_text(encoding="utf-8") for path in [*SPECS, GOLDEN / "everything.ibp"]]
BLANKS = ["", " ", "  ", "\t", "\n", "\n\n", " \n\t", " # note\n", "\n# note\n", "\n\n## note\n\n"]

many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def formatted(text: str) -> str:
    return format_source(Source("a.ibp", text))


def comments(text: str) -> list[str]:
    return [token.text.rstrip() for token in scan(Source("a.ibp", text), load_tables()).comments]


def kept(text: str) -> str:
    """The formatted text, which says the same, keeps all comments and is stable."""
    result = formatted(text)
    assert alike(parse_text(text, "a.ibp"), parse_text(result, "a.ibp"))
    assert comments(result) == comments(text)
    assert formatted(result) == result
    assert result.endswith("\n")
    assert not any(line != line.rstrip() for line in result.split("\n"))
    assert "\n\n\n" not in result
    return result


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_in_its_canonical_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert kept(text) == text


def test_every_form_of_the_language_has_a_layout(golden: object) -> None:
    text = kept((GOLDEN / "everything.ibp").read_text(encoding="utf-8"))
    golden(GOLDEN / "everything.formatted.ibp", text)  # type: ignore[operator]


def words(text: str) -> list[str]:
    """What the parser sees of a text: its tokens, line ends that count included."""
    source = Source("a.ibp", text)
    laid_out = lay_out(source, scan(source, load_tables()).tokens)
    assert not laid_out.problems
    return [token.text if token.kind != "_NL" else "\n" for token in laid_out.tokens]


def relaid(text: str, draw: st.DrawFn) -> str:
    """The text with blanks, line ends and comments changed wherever that changes no meaning."""
    same = words(text)
    for _ in range(draw(st.integers(0, 25))):
        tokens = scan(Source("a.ibp", text), load_tables()).tokens
        place = draw(st.integers(1, len(tokens) - 1))
        left, right = tokens[place - 1], tokens[place]
        if "_NL" in (left.kind, right.kind):
            left = right = tokens[place] if right.kind == "_NL" else left
            start, end = (left.start, left.start) if draw(st.booleans()) else (left.start, left.end)
        else:
            start, end = left.end, right.start
        inside = text[start:end]
        blank = draw(st.sampled_from(BLANKS))
        if "#" in inside:
            blank = inside + blank
        changed = text[:start] + blank + text[end:]
        if len(comments(changed)) >= len(comments(text)) and words_or_none(changed) == same:
            text = changed
    return text


def words_or_none(text: str) -> list[str] | None:
    try:
        return words(text)
    except AssertionError:
        return None


@st.composite
def layouts(draw: st.DrawFn) -> str:
    return relaid(draw(st.sampled_from(CHUNKS)), draw)


def chunks(text: str) -> list[str]:
    """The declarations of a file, as files."""
    file = parse_text(text, "a.ibp")
    lines = text.split("\n")
    starts = [declaration.span.line - 1 for declaration in file.declarations] + [len(lines)]
    return ["ibp 1\n" + "\n".join(lines[start:end]) + "\n" for start, end in pairwise(starts)]


CLAIMS = """ibp 1
set a(x0: A) = union({ free(x0, window(i, j, h, w)) for i in range(29 - h), j in range(29 - w) })
set b() = box(rho = [1500 ft .. 1800 ft], theta = [-0.06 rad .. 0.06 rad], t = (1,), u = (a, b))
spec s[X, K](f: X -> real[K], g: (x: A, y: B) -> C, x0: X = -1/2) {
    let C = -a ^ -2 * (b @ c - 8/255 / 3) + f(x, y = [[1, 2], [3]])[1, 2].w
    forall x in A, x' in B, z = f(x): exists k != y: not -tau <= z[k] < 3 or a and (b => c) => d
    (forall k in K: a + b <= c) and (not a)
}
train t(f: A -> B) {
    eps(t) = 0 until 2k, linear to 0.4 at 12k, cosine to (1 + 2) at 60 epochs
}
"""
CHUNKS = [chunk for text in [*TEXTS, CLAIMS] for chunk in chunks(text)]


@many
@given(layouts())
def test_any_layout_becomes_one_that_says_the_same(text: str) -> None:
    kept(text)


@many
@given(st.sampled_from(CHUNKS), st.integers(2, 40))
def test_lines_that_are_too_long_are_broken(text: str, factor: int) -> None:
    """Long names make everything break; what can be broken is."""
    long = "a" * factor
    for word in ("robust", "Image", "kappa", "small", "table4", "window", "theta", "tau"):
        text = text.replace(word, word + long)
    kept(text)


def test_one_shape_for_one_meaning() -> None:
    tight = "ibp 1\nconst a=f( x,y = -1/2 )[ 0 ]*8 / 255+( b )\nparam e:real=0.10 in[0..1]\n"
    wide = (
        "ibp 1\n\nconst a = f(x, y = -1/2)[0] * 8 / 255 + (b)\nparam e: real = 0.10 in [0 .. 1]\n"
    )
    assert kept(tight) == wide


def test_a_list_stays_broken_where_its_first_item_has_a_line_of_its_own() -> None:
    broken = "ibp 1\n\nset a() = box(\n    x = 1,\n    y = 2,\n)\n"
    assert kept(broken) == broken
    assert kept(broken.replace("2,\n", "2\n")) == broken
    assert kept("ibp 1\nset a() = box(x = 1,\n y = 2)\n").endswith("box(x = 1, y = 2)\n")


def test_a_long_list_has_one_item_a_line() -> None:
    items = [f"number_{i}" for i in range(20)]
    lines = kept(f"ibp 1\nconst a = [{', '.join(items)}]\n").split("\n")
    assert lines[2:-1] == ["const a = [", *(f"    {item}," for item in items), "]"]


def test_a_cascade_has_one_stage_a_line() -> None:
    text = "ibp 1\nverify v(f: A) {\nreport r = by a then b(t=1) else unknown\nreport s = by a\n}\n"
    assert kept(text) == (
        "ibp 1\n\nverify v(f: A) {\n    report r = by a\n        then b(t = 1)\n"
        "        else unknown\n    report s = by a\n}\n"
    )


def test_comments_stay_where_they_are() -> None:
    text = """\
# head
ibp 1  # edition

# apart

## The doc.
## In two lines.
net a: A -> B {  # opened
    # first
    fc 1  # one

    # last

    # really
}  # closed

const c = [  # opened
    # first
    1,  # one
    2,  # two
    # last
]
# end
"""
    assert kept(text) == text


def test_a_doc_string_stays_one_and_no_other_comment_becomes_one() -> None:
    text = "ibp 1\n## no doc\n\nunit a\n## doc\nnet b: A -> B { out }\nunit c ## behind\nunit d\n"
    assert parse_text(kept(text), "a.ibp").docs == {"b": "doc"}


def test_blocks_are_apart_and_blank_lines_are_single() -> None:
    text = "ibp 1\n\n\n\nunit a\nunit b\nnet n: A -> B {\n\n\n    out\n\n}\n# why\nunit c\n\n\n"
    assert kept(text) == (
        "ibp 1\n\nunit a\nunit b\n\nnet n: A -> B {\n    out\n}\n\n# why\nunit c\n"
    )


def test_windows_line_ends_become_plain_ones() -> None:
    assert kept("\ufeffibp 1\r\nunit a # b\r\n") == "ibp 1\n\nunit a  # b\n"


def test_a_fraction_may_hold_a_comment() -> None:
    assert kept("ibp 1\nunit a = 1/\n# why\n2\n") == "ibp 1\n\nunit a = 1 /\n    # why\n    2\n"


def test_broken_text_raises_the_usual_mistake() -> None:
    with pytest.raises(SyntaxMistake, match="never closed"):
        formatted("ibp 1\nnet a: A -> B {\n  fc (1\n}\n")


@pytest.mark.parametrize("size", [2000])
def test_time_grows_with_the_length_of_the_text(size: int) -> None:
    text = "ibp 1\n" + "const a = [" + "f(x, [1, 2]) + g(-y), " * size + "]\n"
    assert kept(text).count("\n") == size + 4
