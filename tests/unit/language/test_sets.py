"""Sets as the spec writes them, and what they come out as."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from checker_words import VOCABULARY
from language_texts import PLAN

from ibpc.errors import IbpcError
from ibpc.language import InputSet, Program, Symbol, canonical, check_file

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """ibp 1

type Image = real[1, 2, 3] in [0 .. 1]
type Digit = index[10]
type Logits = real[Digit]
"""
PLAIN = PLAN.replace("builtin(mnist)", 'image_folder("pictures")')
WORDS = replace(VOCABULARY, lacks=lambda *_: "")
ONE, ZERO = (Fraction(1),), (Fraction(0),)
TENTH = Fraction(1, 10)


def checked(
    folder: Path,
    used: str,
    declaration: str = "",
    run: str = "table4(tiny)",
    shape: str = "1, 2, 3",
) -> Program:
    text = PLAIN.replace("ball(x0, eps)", used).replace("table4(fit(tiny))", run)
    if "fit" not in run:  # its schedule of eps would be used by nothing
        start, end = text.index("train fit"), text.index("verify table4")
        text = text[:start] + text[end:]
    path = folder / "spec.ibp"
    head = HEAD.replace("1, 2, 3", shape)
    path.write_text(f"{head}{text}{declaration}\n", encoding="utf-8")
    return check_file(str(path), WORDS, {})


def set_of(folder: Path, declaration: str, used: str, shape: str = "1, 2, 3") -> InputSet:
    (task,) = checked(folder, used, declaration, shape=shape).targets["default"].tasks
    assert task.claim is not None
    return task.claim.set


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("ball(x0, eps, norm = 2)", InputSet("ball_2", TENTH)),
        ("ball(x0, eps, norm = 1)", InputSet("ball_1", TENTH)),
        ("box(x0 - eps, x0 + eps)", InputSet("ball", TENTH)),
        ("box(x0 - eps, x0 + 2 * eps)", InputSet("pixels", Fraction(1), (TENTH,), (2 * TENTH,))),
        ("box(x0, x0 + eps)", InputSet("pixels", Fraction(1), ZERO, (TENTH,))),
        (
            "box(x0 - eps * [0, 1, 1, 1, 1, 0], x0 + eps)",
            InputSet("pixels", Fraction(1), (0 * TENTH, *[TENTH] * 4, 0 * TENTH), (TENTH,)),
        ),
        ("free(x0, window(0, 1, 1, 2))", InputSet("free", options=(("window", (0, 1, 1, 2)),))),
        ("union(ball(x0, eps), ball(x0, eps))", InputSet("ball", TENTH)),
    ],
)
def test_a_set_is_what_is_written(tmp_path: Path, written: str, wanted: InputSet) -> None:
    assert set_of(tmp_path, "", written) == wanted


def test_a_mask_may_be_an_argument_and_come_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "mask.csv").write_text("# a row of pixels each line\n0, 1, 0\n1, 1/2, 1\n")
    declaration = "set pixels(x0: Image, m: Image, eps: real) = box(x0 - eps * m, x0 + eps * m)"
    mask = tuple(Fraction(number, 2) for number in (0, 2, 0, 2, 1, 2))
    found = set_of(tmp_path, declaration, 'pixels(x0, table("mask.csv"), eps)')
    widths = tuple(number / 10 for number in mask)
    assert found == InputSet("pixels", Fraction(1), widths, widths)


def test_a_radius_that_is_a_schedule_stays_one_beside_a_mask(tmp_path: Path) -> None:
    used = "box(x0 - eps * [1, 0, 1, 0, 1, 0], x0 + eps * [1, 0, 1, 0, 1, 0])"
    (fit,) = checked(tmp_path, used, run="fit(tiny)").targets["default"].tasks
    mask = tuple(Fraction(number) for number in (1, 0, 1, 0, 1, 0))
    assert fit.claim.set == InputSet("pixels", Symbol("eps"), mask, mask)
    assert fit.claim.set.schedule == Symbol("eps")


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("ball(x0, 2 * eps)", InputSet("ball", Symbol("eps", Fraction(2)))),
        ("ball(x0, eps * 2 / 3, norm = 2)", InputSet("ball_2", Symbol("eps", Fraction(2, 3)))),
        ("ball(x0, -(-eps))", InputSet("ball", Symbol("eps"))),
        ("box(x0 - 2 * eps, x0 + 2 * eps)", InputSet("ball", Symbol("eps", Fraction(2)))),
        (
            "box(x0 - eps / 2, x0 + eps)",
            InputSet("pixels", Symbol("eps"), (Fraction(1, 2),), ONE),
        ),
        (
            "box(x0 - 2 * eps * [1, 0, 1, 0, 1, 0], x0 + eps * 3)",
            InputSet("pixels", Symbol("eps"), (2 * ONE[0], ZERO[0]) * 3, (3 * ONE[0],)),
        ),
    ],
)
def test_a_radius_may_be_a_multiple_of_a_schedule(
    tmp_path: Path, written: str, wanted: InputSet
) -> None:
    (fit,) = checked(tmp_path, written, run="fit(tiny)").targets["default"].tasks
    assert fit.claim.set == wanted
    assert fit.claim.set.schedule is not None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ball(x0, -eps)", "E0304"),
        ("ball(x0, eps / 0)", "E0302"),
        ("ball(x0, eps + 1/10)", "E0608"),
        ("ball(x0, 1 / eps)", "E0608"),
        ("ball(x0, eps * eps)", "E0608"),
        ("ball(x0, 2 s * eps)", "E0608"),
        ("box(x0 + eps, x0 - eps)", "E0306"),
    ],
)
def test_what_else_is_reckoned_with_a_schedule_is_refused(
    tmp_path: Path, written: str, code: str
) -> None:
    with pytest.raises(IbpcError) as caught:
        checked(tmp_path, written, run="fit(tiny)")
    assert code in {one.code for one in caught.value.diagnostics}


def test_a_multiple_of_a_schedule_is_another_set_and_the_schedule_itself_the_same() -> None:
    once, twice = (InputSet("ball", Symbol("eps", Fraction(number))) for number in (1, 2))
    assert canonical(once) == (
        '{"eps":{"is":"Symbol","name":"eps"},"is":"InputSet","kind":"ball","lower":[],"upper":[]}'
    )
    assert '"factor":"2/1"' in canonical(twice)


@pytest.mark.parametrize(
    "declaration",
    [
        "set pixels(x0: Image, m: Image, eps: real) = box(x0 - eps * m, x0 + eps * m)",
        "set pixels(m: Image, x0: Image, eps: real) = box(x0 - eps * m, x0 + eps * m)",
        "set patch(x0: Image, h: int, w: int) = "
        "union({ free(x0, window(i, j, h, w)) for i in range(3 - h), j in range(4 - w) })",
    ],
)
def test_a_set_that_nothing_uses_is_checked_whatever_its_arguments_will_be(
    tmp_path: Path, declaration: str
) -> None:
    assert set_of(tmp_path, declaration, "ball(x0, eps)") == InputSet("ball", TENTH)


def test_a_word_means_itself_where_what_the_spec_calls_so_cannot_be_called(
    tmp_path: Path,
) -> None:
    (tmp_path / "mask.csv").write_text("0, 1, 0\n1, 1, 1\n")
    names = (
        "const range = [1, 2]\n"
        "verify table(f: Image -> Logits) {\n    spec = off(f)\n    report a = by ibp\n}\n"
        "spec off(f: Image -> Logits) {\n    forall x in Image, z = f(x): z[0] <= 1\n}"
    )
    written = 'union({ box(x0 - i * table("mask.csv"), x0 + i * 1) for i in range(1, 3) })'
    found = set_of(tmp_path, names, written)
    assert [part.kind for part in found.parts] == ["pixels", "pixels"]


@pytest.mark.parametrize(
    ("declaration", "code"),
    [
        ("set off(x0: Image, m: Image) = box(x0 - m, m + x0 * x0)", "E0405"),
        ("set off(x0: Image, m: Image) = box(x0 - m, m + 1)", "E0414"),
        ("set off(x0: Image, m: Image) = box(x0 - m, x0 + n)", "E0101"),
    ],
)
def test_a_mistake_in_a_set_of_two_tensors_is_told_once(
    tmp_path: Path, declaration: str, code: str
) -> None:
    with pytest.raises(IbpcError) as caught:
        checked(tmp_path, "ball(x0, eps)", declaration)
    assert [one.code for one in caught.value.diagnostics] == [code]


def test_brightness_and_contrast_are_gains_and_shifts_of_the_datum(tmp_path: Path) -> None:
    declaration = (
        "set light(x0: Image) = "
        "{ clip(a * x0 + b - 1/2, 0, 1) for a in [0.8 .. 1.2], b in [0.4 .. 0.6] }"
    )
    found = set_of(tmp_path, declaration, "light(x0)")
    assert found.kind == "image"
    assert (found.lower, found.upper) == (
        (Fraction(4, 5), Fraction(2, 5)),
        (Fraction(6, 5), Fraction(3, 5)),
    )
    assert found.option("variables") == ("a", "b")
    assert found.option("gain") == (ZERO, ONE, ZERO)
    assert found.option("shift") == ((Fraction(-1, 2),), ZERO, ONE)
    assert found.option("limits") == (Fraction(0), Fraction(1))


def test_a_patch_is_a_union_over_its_places(tmp_path: Path) -> None:
    declaration = (
        "set patch(x0: Image, h: int, w: int) = "
        "union({ free(x0, window(i, j, h, w)) for i in range(3 - h), j in range(4 - w) })"
    )
    found = set_of(tmp_path, declaration, "patch(x0, 1, 2)")
    assert found.kind == "union"
    places = [part.option("window")[:2] for part in found.parts]
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ball(x0, eps, norm = 3)", "E0408"),
        ("box(x0 + 1, x0 - 1)", "E0306"),
        ("box(x0 * 2, x0 + 1)", "E0414"),
        ("box(x0 * x0, x0 + 1)", "E0405"),
        ("{ x0 for a in [0 .. 1] }", "E0415"),
        ("{ clip(x0, 0, 1) for i in range(2) }", "E0415"),
        ("{ clip(a * x0, 0, 1) for a in Image }", "E0111"),
        ("{ eps for i in range(2) }", "E0408"),
        ("union()", "E0210"),
        ("union(x0)", "E0111"),
        ("free(x0)", "E0210"),
        ("free(x0, 3)", "E0408"),
        ("free(x0, window(0, 0, 3, 3))", "E0207"),
        ("range(20k)", "E0208"),
        ('box(x0 - table("absent.csv"), x0)', "E0502"),
        ("clip(x0, 1, 0)", "E0306"),
    ],
)
def test_what_is_no_set_is_located(tmp_path: Path, written: str, code: str) -> None:
    with pytest.raises(IbpcError) as caught:
        checked(tmp_path, written)
    assert code in {one.code for one in caught.value.diagnostics}
    assert all(one.at is not None for one in caught.value.diagnostics)


def test_a_set_keeps_the_identity_that_it_had_before_options_came(tmp_path: Path) -> None:
    assert canonical(InputSet("ball", TENTH)) == (
        '{"eps":"1/10","is":"InputSet","kind":"ball","lower":[],"upper":[]}'
    )


WORDS_TABLE = "# word, substitutes\nfilm movie\nmovie film\nbad\tpoor awful\npoor bad\nawful\nthe\n"


def test_words_are_numbered_by_the_lines_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text(WORDS_TABLE)
    text = 'choice(table("words.tsv"), x0, max_swaps = 2)'
    found = set_of(tmp_path, "", text, shape="1, 3, 6")
    assert found.kind == "choice"
    assert found.option("substitutes") == ((1,), (0,), (3, 4), (2,), (), ())
    assert found.option("max_swaps") == 2
    mixed = set_of(tmp_path, "", 'simplex(table("words.tsv"), x0)', shape="3, 6")
    assert mixed == InputSet("simplex", options=(found.options[0],))


@pytest.mark.parametrize(
    ("table", "code"),
    [("film movie\n", "E0512"), ("a\na\n", "E0512"), ("# nothing\n", "E0512"), ("a\nb\n", "E0205")],
)
def test_a_table_of_words_that_does_not_fit_is_located(
    tmp_path: Path, table: str, code: str
) -> None:
    (tmp_path / "words.tsv").write_text(table)
    with pytest.raises(IbpcError) as caught:
        checked(tmp_path, 'choice(table("words.tsv"), x0)')
    (one,) = caught.value.diagnostics
    assert one.code == code
    assert one.at is not None


def test_an_intersection_of_unions_is_a_union_of_intersections(tmp_path: Path) -> None:
    patch = "union(free(x0, window(0, 0, 1, 1)), free(x0, window(1, 1, 1, 1)))"
    found = set_of(tmp_path, "", f"intersect({patch}, intersect(ball(x0, eps), ball(x0, 1)))")
    assert found.kind == "union"
    assert [[part.kind for part in one.parts] for one in found.parts] == [
        ["free", "ball", "ball"],
        ["free", "ball", "ball"],
    ]
