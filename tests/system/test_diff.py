"""`ibpc diff`: what changed in meaning, and nothing where only text did."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from edits import NOTHING, edit_network, one_weight, text
from pictures import SPEC
from small_networks import write_network

from ibpc.cli import main
from ibpc.cli.vocabulary import vocabulary
from ibpc.integrity import compare
from ibpc.language import check_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEANT = {
    "an undecided example counted otherwise",
    "a stage behind those that decide",
    "more time than was needed",
    "less time than was allowed",
}
"""Edits that leave every verdict standing, and yet say something else."""

OF_DATA = {"the same pixels in another container", "a data set's picture that no claim uses"}


def lay_out(folder: Path) -> Path:
    (folder / "spec.ibp").parent.mkdir(parents=True, exist_ok=True)
    (folder / "spec.ibp").write_text(SPEC, encoding="utf-8")
    write_network(folder / "nets" / "third.onnx", (1, 6, 6), 10, 4)
    return folder


def changes(old: Path, new: Path) -> list[str]:
    programs = (check_file(str(folder / "spec.ibp"), vocabulary()) for folder in (old, new))
    found = compare(*programs)
    return [
        f"{section.title} | {change}" for section in found.sections for change in section.changes
    ]


@pytest.mark.parametrize("name", sorted(NOTHING.keys() - MEANT - OF_DATA))
def test_nothing_changes_where_only_text_does(tmp_path: Path, name: str) -> None:
    old, new = lay_out(tmp_path / "old"), lay_out(tmp_path / "new")
    NOTHING[name](new)
    assert changes(old, new) == []


CHANGES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "a param": (
        text(("radius: real = 0.04", "radius: real = 0.05")),
        ["param radius | : 0.04 -> 0.05", "verify table tiny | claim.set.eps: 0.04 -> 0.05"],
    ),
    "a layer": (
        text(("conv 4 3x3\\+1", "conv 6 3x3+1")),
        [
            "net tiny | layer 1: conv 4 3x3+1 valid relu -> conv 6 3x3+1 valid relu",
            "net tiny | parameters: 872 -> 1276",
        ],
    ),
    "a new layer": (
        text(("    fc 12\n", "    fc 12\n    fc 8\n")),
        [
            "net tiny | layer 3: absent -> fc 8 relu",
            "net tiny | parameters: 872 -> 960",
        ],
    ),
    "a schedule": (
        text((r"to 0.02 at 40", "to 0.03 at 40")),
        [
            "train fit(tiny) | eps: 0 until 5, linear to 0.02 at 40 -> 0 until 5,"
            " linear to 0.03 at 40"
        ],
    ),
    "the optimiser": (
        text(("optimiser = adam", "optimiser = sgd")),
        ["train fit(tiny) | optimiser: adam(", "-> sgd("],
    ),
    "an attack": (
        text(("steps = 5, restarts = 2", "steps = 5, restarts = 3")),
        ["verify table tiny | reports.verified.stages.pgd.restarts: 2 -> 3"],
    ),
    "what an undecided example counts as": (
        text(("else unknown", "else attackable")),
        ["verify table tiny | reports.verified.otherwise: unknown -> attackable"],
    ),
    "strictness": (
        text((r"z\[k\] - z\[y\] <= 0", "z[k] - z[y] < 0")),
        ["strict: False -> True"],
    ),
    "weights": (edit_network(one_weight), ["net third | weights: "]),
    "the number of examples": (
        text(("first = 14\n(.*radius)", "first = 9\n\\1")),
        ["verify table tiny | data.first: 14 -> 9"],
    ),
    "a data set": (
        text(('image_folder\\("pictures"\\)', 'image_folder("others")')),
        ["data pictures | source.image_folder.path: pictures -> others"],
    ),
    "a task": (
        text((r"    other\(third\)\n", "")),
        ["target default | verify other third: run -> absent"],
    ),
    "a block that nothing uses": (
        text((r"verify other", "set small(x0: Image) = ball(x0, 0.01)\n\nverify other")),
        ["set small | : absent -> as on line"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told_with_its_field_and_both_values(tmp_path: Path, name: str) -> None:
    old, new = lay_out(tmp_path / "old"), lay_out(tmp_path / "new")
    edit, expected = CHANGES[name]
    edit(new)
    found = changes(old, new)
    for part in expected:
        assert any(part in line for line in found), found
    backwards = changes(new, old)
    assert len(backwards) == len(found)


def test_a_renaming_is_told_and_is_no_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = lay_out(tmp_path / "old"), lay_out(tmp_path / "new")
    NOTHING["a network renamed"](new)
    assert main(["diff", str(old / "spec.ibp"), str(new / "spec.ibp")]) == 0
    assert capsys.readouterr().out == "renamed: net tiny -> minute\n"


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_revisions_are_compared_with_the_file_and_with_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay_out(tmp_path / "repository" / "specs")
    top = folder.parent
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    monkeypatch.chdir(top)
    assert main(["diff", "HEAD", "specs/spec.ibp"]) == 0
    NOTHING["a file split in two"](folder)
    assert main(["diff", "HEAD", "specs/spec.ibp"]) == 0
    edit_network(one_weight)(folder)
    assert main(["diff", "HEAD", "specs/spec.ibp"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("net third\n    weights: ")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "second")
    assert main(["diff", "HEAD", "specs/spec.ibp"]) == 0
    assert main(["diff", "HEAD~1..HEAD", "specs/spec.ibp"]) == 1
    assert capsys.readouterr().out == said


def test_what_cannot_be_compared_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay_out(tmp_path / "plain")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["diff", "HEAD", "spec.ibp"]) == 1
    assert "error[E0570]: git: " in capsys.readouterr().err
    git(folder, "init", "-q")
    git(folder, "add", "nets")
    git(folder, "commit", "-qm", "first")
    assert main(["diff", "gone.ibp", "spec.ibp"]) == 1
    assert "there is no revision or file `gone.ibp`" in capsys.readouterr().err
    assert main(["diff", "HEAD", "spec.ibp"]) == 1
    assert "spec.ibp is not in revision HEAD" in capsys.readouterr().err
