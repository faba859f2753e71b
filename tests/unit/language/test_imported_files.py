"""Several files: imports, aliases, params of other files, several mistakes at once."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from checker_words import VOCABULARY
from language_texts import HEAD, PLAN

from ibpc.errors import FileMistake, IbpcError, NameMistake
from ibpc.language import check_file, identity

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.language import Program

USER = """ibp 1

import "lib/base.ibp" as base
from "lib/base.ibp" import Image, Logits, tiny, mnist

param radius: real = base.eps_test

verify mine(f: Image -> Logits = tiny) {
    data = mnist.test
    spec = base.robust(f, x, y, radius)
    report r = by ibp
}
"""


def checked(folder: Path, text: str = USER, **overrides: str) -> Program:
    (folder / "lib").mkdir(exist_ok=True)
    (folder / "lib" / "base.ibp").write_text(HEAD + PLAN, encoding="utf-8")
    path = folder / "user.ibp"
    path.write_text(text, encoding="utf-8")
    names = {name.replace("__", "."): value for name, value in overrides.items()}
    return check_file(str(path), VOCABULARY, names)


def test_names_come_from_other_files(tmp_path: Path) -> None:
    found = checked(tmp_path)
    assert found.targets["mine"].tasks[0].claim.set.eps == Fraction(1, 10)
    assert set(found.nets) == {"tiny", "base.tiny", "base.other"}
    assert [name.rsplit("/", 1)[-1] for name in found.files] == ["user.ibp", "base.ibp"]


@pytest.mark.parametrize("name", ["base__eps_test", "eps_test"])
def test_params_of_imported_files_are_set_too(name: str, tmp_path: Path) -> None:
    found = checked(tmp_path, **{name: "0.3"})
    assert found.targets["mine"].tasks[0].claim.set.eps == Fraction(3, 10)
    values = {one.name: (one.value, one.overridden) for one in found.params}
    assert values["base.eps_test"] == (Fraction(3, 10), True)


def test_moving_the_folder_changes_no_identity(tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        place.mkdir()
    first, second = (identity(checked(place).targets["mine"]) for place in places)
    assert first == second


def test_all_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    text = USER + 'const a = b\n\nconst c = tiny + 1\n\nfrom "absent.ibp" import d\n'
    with pytest.raises(IbpcError) as caught:
        checked(tmp_path, text)
    assert sorted(one.code for one in caught.value.diagnostics) == ["E0101", "E0301", "E0502"]


def test_what_follows_from_a_mistake_is_not_told_again(tmp_path: Path) -> None:
    text = USER + "const a = unknown\nconst b = a + 1\nconst c = b * a\n"
    with pytest.raises(NameMistake) as caught:
        checked(tmp_path, text)
    assert len(caught.value.diagnostics) == 1


def test_an_absent_main_file_is_a_file_mistake(tmp_path: Path) -> None:
    with pytest.raises(FileMistake, match="no such file"):
        check_file(str(tmp_path / "absent.ibp"), VOCABULARY)


def test_a_file_that_imports_itself_is_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.ibp").write_text('ibp 1\nimport "a.ibp" as a\n', encoding="utf-8")
    with pytest.raises(FileMistake, match="circle"):
        check_file(str(tmp_path / "a.ibp"), VOCABULARY)


def test_a_sweep_does_not_silence_the_warnings_of_a_run(tmp_path: Path) -> None:
    sweep = "sweep s {\n    eps in [0.4]\n    run table4(fit(tiny), eps)\n}\n"
    path = tmp_path / "a.ibp"
    plan = PLAN.replace("table4(fit(tiny))", "table4(fit(tiny), 0.3)")
    before, run = plan.split("run default")
    path.write_text(f"{HEAD}{before}{sweep}\nrun default{run}", encoding="utf-8")
    found = check_file(str(path), VOCABULARY)
    assert "W0602" in [one.code for one in found.warnings]
