"""The tutorial's specs run as they stand, and every example of the reference is checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ibpc
from ibpc.cli import full_vocabulary, main
from ibpc.errors import IbpcError
from ibpc.language import CODES, Program, check_file

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "specs" / "tutorial"
SPECS = sorted(path.name for path in TUTORIAL.glob("*.ibp"))
FENCE = re.compile(r"```ibp\n(.*?)```", re.DOTALL)


def examples() -> Iterator[tuple[str, str]]:
    """What stands before each example of the reference, and the file that it is part of."""
    text = (ROOT / "grammar" / "LANGUAGE.md").read_text(encoding="utf-8")
    whole, end = "", 0
    for found in FENCE.finditer(text):
        block = found.group(1)
        whole = block if block.startswith("ibp 1") else f"{whole}\n{block}"
        yield text[end : found.start()], whole
        end = found.end()


EXAMPLES = list(examples())
RIGHT = [number for number, (before, _) in enumerate(EXAMPLES) if "\nE0" not in before]


def checked(folder: Path, number: int) -> Program:
    """The example as a file; those with imports find the file that grew before them."""
    before = [text for _, text in EXAMPLES[:number] if "import" not in text]
    (folder / "tour.ibp").write_text(before[-1] if before else "", encoding="utf-8")
    path = folder / "example.ibp"
    path.write_text(EXAMPLES[number][1], encoding="utf-8")
    return check_file(str(path), full_vocabulary())


@pytest.mark.parametrize("number", RIGHT)
def test_an_example_of_the_reference_is_right(tmp_path: Path, number: int) -> None:
    program = checked(tmp_path, number)
    # Not everything that a growing file shows is used, and nets/advice.onnx is nowhere.
    assert {one.code for one in program.warnings} <= {"W0101", "W0501"}


@pytest.mark.parametrize("number", sorted(set(range(len(EXAMPLES))) - set(RIGHT)))
def test_a_mistake_of_the_reference_gets_its_code(tmp_path: Path, number: int) -> None:
    (code,) = re.findall(r"^(E0\d{3})", EXAMPLES[number][0], re.MULTILINE)
    assert code in CODES
    with pytest.raises(IbpcError) as found:
        checked(tmp_path, number)
    assert found.value.diagnostics[0].code == code


def test_the_reference_shows_every_kind_of_declaration(tmp_path: Path) -> None:
    words = "import from param const unit type enum record data net set spec train verify run sweep"
    text = "\n".join(whole for _, whole in EXAMPLES)
    for word in words.split():
        assert re.search(rf"^{word}\b", text, re.MULTILINE), word
    program = checked(tmp_path, max(n for n in RIGHT if "import" not in EXAMPLES[n][1]))
    assert set(program.targets) >= {"default", "radii"}
    assert len(program.targets["radii"].tasks) == 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One root for all, so that a network of an earlier spec is not trained again."""
    return tmp_path_factory.mktemp("runs")


HOLD = {  # examples that are proved by the last report of the first block, at least
    "1_plane.ibp": 9, "2_digits.ibp": 75, "3_sweep.ibp": 75, "4_claims.ibp": 1,
    "5_sets.ibp": 25, "6_foreign.ibp": 50,
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "6_foreign.ibp" else name
        for name in SPECS
    ],
)
def test_a_spec_of_the_tutorial_runs(name: str, runs: Path) -> None:
    results = ibpc.run(TUTORIAL / name, folder=runs, device="cpu", jobs=1)
    assert len(SPECS) == 6
    assert results[0].reports[-1].counts["holds"] >= HOLD[name]
    assert [one.problem for result in results for one in result.warnings] == []
    assert not any(
        "crashed" in one.verdict.why or "memory" in one.verdict.why
        for result in results
        for report in result.reports
        for one in report.undecided
    )


def test_the_lock_of_the_tutorial_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "--check", *(str(TUTORIAL / name) for name in SPECS)]) == 0
    assert main(["fmt", "--check", *(str(TUTORIAL / name) for name in SPECS)]) == 0


def test_the_walk_names_every_spec() -> None:
    text = (TUTORIAL / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in SPECS)
