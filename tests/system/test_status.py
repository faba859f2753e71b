"""`ibpc status`: each edit makes stale exactly the verdicts that rest on what it changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from edits import NOTHING, edit_network, one_weight, pixel, rename, text
from pictures import FIRST

from ibpc.cli import main
from ibpc.cli.vocabulary import vocabulary
from ibpc.integrity import CellStanding, cell_standings
from ibpc.language import check_file
from ibpc.training import trainer
from ibpc.verification import cascade

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES = ("ibp", "pgd", "mip")
CELLS = (
    ("table", "test_error"),
    ("table", "ibp_bound"),
    ("table", "verified"),
    ("other", "crown_bound"),
    ("other", "attacked"),
)
ALL_OF_TABLE = {"test_error": FIRST, "ibp_bound": FIRST, "verified": FIRST}
ALL_OF_OTHER = {"crown_bound": FIRST, "attacked": FIRST}


def look(folder: Path, spec: str = "spec.ibp") -> list[CellStanding]:
    program = check_file(str(folder / spec), vocabulary())
    cells, unread = cell_standings(program, ["default"], folder / "runs", folder)
    assert not unread
    return cells


def stale(cells: list[CellStanding]) -> dict[str, int]:
    return {cell.report: cell.stale for cell in cells if cell.stale}


def never(cells: list[CellStanding]) -> dict[str, int]:
    return {cell.report: cell.never for cell in cells if cell.never}


def reached(finished: Path, stage: str) -> int:
    """How many examples of the report `verified` a stage was asked of."""
    (results,) = (finished / "runs").glob("*/results.json")
    tasks = json.loads(results.read_text(encoding="utf-8"))["tasks"]
    (report,) = (one for one in tasks[0]["reports"] if one["name"] == "verified")
    before = STAGES[: STAGES.index(stage)]
    decided = [
        sum(counts.values())
        for name, counts in report["by_stage"].items()
        if name.partition("(")[0] in before
    ]
    return FIRST - sum(decided)


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_no_meaning_makes_nothing_stale(work: Path, name: str) -> None:
    NOTHING[name](work)
    cells = look(work)
    assert len(cells) == len(CELLS)
    assert (stale(cells), never(cells)) == ({}, {}), cells
    assert all(not cell.why for cell in cells)


def test_moving_the_folder_and_renaming_the_file_make_nothing_stale(work: Path) -> None:
    moved = work.parent / "far" / "away"
    moved.parent.mkdir()
    work.rename(moved)
    (moved / "spec.ibp").rename(moved / "renamed.ibp")
    cells = look(moved, "renamed.ibp")
    assert (stale(cells), never(cells)) == ({}, {})


def test_a_renamed_report_keeps_its_verdicts(work: Path) -> None:
    rename("verified", "exact")(work)
    cells = look(work)
    assert [cell.report for cell in cells][2] == "exact"
    assert (stale(cells), never(cells)) == ({}, {})


STALE: dict[str, tuple[Callable[[Path], None], dict[str, int | str], str]] = {
    "the radius": (
        text(("radius: real = 0.04", "radius: real = 0.05")),
        {"ibp_bound": FIRST, "verified": FIRST},
        "claim.set.eps: 0.04 -> 0.05",
    ),
    "the claim": (
        text((r"z\[k\] - z\[y\] <= 0", "z[k] - z[y] < 0")),
        {**ALL_OF_TABLE, **ALL_OF_OTHER},  # the network is trained with the claim, too
        "strict: False -> True",
    ),
    "a weight": (edit_network(one_weight), ALL_OF_OTHER, "weights differ, its graph is identical"),
    "an operator": (
        edit_network(lambda model: setattr(model.graph.node[1], "op_type", "Tanh")),
        ALL_OF_OTHER,
        "the network's graph differs",
    ),
    "a pixel": (
        pixel("test", 5),
        {"test_error": 1, "ibp_bound": 1, "verified": 1, "crown_bound": 1, "attacked": 1},
        "data: example 5 is not what was verified",
    ),
    "a pixel of the training data": (
        pixel("train", 3),
        ALL_OF_TABLE,
        "the network is not trained on these data",
    ),
    "an attack's seed": (
        text(("restarts = 2", "restarts = 2, seed = 7")),
        {"verified": "pgd"},
        "stages.pgd.seed: 0 -> 7",
    ),
    "an attack's steps": (
        text((r"steps = 5, restarts = 1", "steps = 6, restarts = 1")),
        {"attacked": FIRST},
        "stages.pgd.steps: 5 -> 6",
    ),
    "a bound's option": (
        text(("by crown", "by crown(steps = 2)")),
        {"crown_bound": FIRST},
        "stages.crown.steps: 0 -> 2",
    ),
    "the seed of training": (
        text((r"    seed = 0", "    seed = 1")),
        ALL_OF_TABLE,
        "network.seed: 0 -> 1",
    ),
    "a layer": (text(("fc 12", "fc 13")), ALL_OF_TABLE, "network.nodes.fc1"),
    "a schedule": (
        text((r"lr\(t\) = 5e-3", "lr(t) = 5e-3 until 30, 1e-3")),
        ALL_OF_TABLE,
        "network.curves.lr: 0.005 -> 0.005 until 30, 0.001",
    ),
    "the loss": (
        text((r"kappa \* xent\(f\(x\), y\)", "2 * kappa * xent(f(x), y)")),
        ALL_OF_TABLE,
        "network.loss",
    ),
    "the optimiser": (
        text(("optimiser = adam", "optimiser = sgd")),
        ALL_OF_TABLE,
        "network.optimiser",
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_an_edit_makes_stale_what_rests_on_it_and_nothing_else(
    finished: Path, work: Path, name: str
) -> None:
    edit, expected, reason = STALE[name]
    edit(work)
    cells = look(work)
    counts = {
        report: reached(finished, count) if isinstance(count, str) else count
        for report, count in expected.items()
    }
    assert stale(cells) == {report: count for report, count in counts.items() if count}
    assert never(cells) == {}
    assert any(counts.values()), "the edit tests nothing"
    said = [why for cell in cells if cell.stale for why in cell.why]
    assert any(reason in why for why in said), said
    for cell in cells:
        total = cell.proved + cell.refuted + cell.unknown + cell.stale + cell.never
        assert total == cell.examples == FIRST


def test_more_examples_are_never_run_and_not_stale(work: Path) -> None:
    text(("first = 14", "first = 16"))(work)
    cells = look(work)
    assert stale(cells) == {}
    assert set(never(cells).values()) == {2}


def test_a_new_block_is_never_run_and_not_stale(work: Path) -> None:
    text((r"other\(third\)\n}", "other(third)\n    other(fit(tiny))\n}"))(work)
    cells = look(work)
    assert stale(cells) == {}
    assert never(cells) == ALL_OF_OTHER


def test_a_run_after_an_edit_does_only_what_is_new(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither is the network trained again, nor a bound asked that is known."""
    text(("restarts = 1", "restarts = 2"))(work)
    monkeypatch.chdir(work)
    monkeypatch.setattr(trainer._Run, "go", lambda self: pytest.fail("trained again"))
    asked: list[tuple[str, int]] = []
    answers = cascade.answers
    monkeypatch.setattr(
        cascade,
        "answers",
        lambda stage, subject, cases: (
            asked.append((stage.word, len(cases))) or answers(stage, subject, cases)
        ),
    )
    assert main(["run", "spec.ibp", "--jobs", "1", "--device", "cpu", "--data-dir", "."]) == 0
    assert asked == [("pgd", FIRST)]
    assert (stale(look(work)), never(look(work))) == ({}, {})
    assert main(["status", "spec.ibp", "--exit-code", "--data-dir", "."]) == 0
    assert "spec.ibp: default" in capsys.readouterr().out


def test_exit_codes_and_the_table(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(work)
    assert main(["status", "--exit-code", "--data-dir", "."]) == 0
    head = capsys.readouterr().out.splitlines()
    assert head[0] == "spec.ibp: default"
    assert head[1].split() == [
        *["claim", "report", "proved", "refuted", "unknown", "stale", "never", "run"]
    ]
    assert main(["status", "spec.ibp", "-p", "radius=0.05", "--data-dir", "."]) == 0
    assert "stale: claim.set.eps: 0.04 -> 0.05" in capsys.readouterr().out
    shutil.rmtree("runs")
    assert main(["status", "spec.ibp", "--exit-code", "--data-dir", "."]) == 1
    assert main(["status", "spec.ibp", "--exit-code", "--data-dir", "nowhere/else"]) == 1
    shutil.rmtree("pictures")
    assert main(["status", "spec.ibp", "--exit-code", "--data-dir", "."]) == 1
    said = capsys.readouterr()
    assert "note: there is no folder" in said.out


def test_a_broken_store_is_named_and_the_rest_is_read(work: Path) -> None:
    (work / "runs" / "other").mkdir()
    (work / "runs" / "other" / "verdicts.sqlite").write_bytes(b"no database at all, " * 100)
    program = check_file(str(work / "spec.ibp"), vocabulary())
    cells, unread = cell_standings(program, ["default"], work / "runs", work)
    assert (stale(cells), never(cells)) == ({}, {})
    assert "other" in unread[0]


def test_status_loads_no_torch(work: Path, root: Path) -> None:
    script = (
        "import sys, ibpc.cli\n"
        f"code = ibpc.cli.main(['status', {str(work / 'spec.ibp')!r}, '-o', "
        f"{str(work / 'runs')!r}, '--data-dir', {str(work)!r}])\n"
        "print(code, [name for name in ('torch', 'mip', 'onnxruntime') if name in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines()[-1] == "0 []"
