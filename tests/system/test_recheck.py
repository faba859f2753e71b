"""`ibpc recheck`: stored evidence is looked at again, and a lie in the store is found."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from pictures import FIRST

from ibpc.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def only_run(folder: Path) -> Path:
    (found,) = (folder / "runs").glob("spec-default-*")
    return found


def recheck(folder: Path, *arguments: str) -> int:
    return main(["recheck", *arguments, "--data-dir", str(folder)])


def decided(folder: Path) -> dict[str, int]:
    """Decided answers in the store, by stage and verdict, each datum once for a stage."""
    with sqlite3.connect(only_run(folder) / "verdicts.sqlite") as db:
        rows = db.execute(
            "SELECT stage, verdict, COUNT(*) FROM answers JOIN questions ON id = question"
            " WHERE verdict != 'unknown' GROUP BY question, verdict"
        ).fetchall()
    found: dict[str, int] = {}
    for stage, verdict, count in rows:
        key = f"{json.loads(stage)['stage']} {verdict}"
        found[key] = found.get(key, 0) + count
    return found


def test_all_evidence_of_a_run_is_confirmed(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    counts = decided(finished)
    assert min(counts["pgd violated"], counts["ibp holds"], counts["mip holds"]) > 0
    for arguments in (["spec.ibp"], [str(only_run(finished).relative_to(finished))], []):
        assert recheck(finished, *arguments) == 0
        said = capsys.readouterr().out
        assert f"ibp: {counts['ibp holds']} bounds computed again" in said
        assert f"crown: {counts['crown holds']} bounds computed again" in said
        assert f"forward: {FIRST} observations made again" in said
        assert f"{counts['mip holds']} proofs not rechecked (proofs rest on a solver" in said
        replayed = [line for line in said.splitlines() if "witnesses replayed" in line]
        assert sum(int(line.split(": ")[1].split()[0]) for line in replayed) == sum(
            count for key, count in counts.items() if key in ("pgd violated", "mip violated")
        )


def test_a_run_keeps_the_tables_that_its_spec_names(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(work)
    (work / "tables").mkdir()
    (work / "tables" / "rim.csv").write_text("\n".join(["1, 0, 0, 0, 0, 1"] * 6))
    claim = """
spec rim(f: Image -> Logits, x0: Image, y: Kind) {
    forall x in box(x0 - 0.01 * table("tables/rim.csv"), x0 + 0.01 * table("tables/rim.csv")),
        z = f(x): forall k != y: z[k] - z[y] <= 0
}

verify rims(f: Image -> Logits) {
    data = pictures.test
    spec = rim(f, x, y)
    report bound = by crown
}

run rim {
    rims(third)
}
"""
    text = (work / "spec.ibp").read_text(encoding="utf-8")
    (work / "spec.ibp").write_text(text + claim, encoding="utf-8")
    assert main(["run", "spec.ibp", "rim", "--data-dir", ".", "--device", "cpu"]) == 0
    (run,) = (work / "runs").glob("spec-rim-*")
    kept = sorted(path.relative_to(run / "spec").as_posix() for path in run.rglob("spec/**/*.*"))
    assert kept == ["nets/third.onnx", "spec.ibp", "tables/rim.csv"]
    shutil.rmtree(work / "tables")
    capsys.readouterr()
    assert recheck(work, str(run)) == 0
    assert "bounds computed again" in capsys.readouterr().out


def test_a_run_folder_is_rechecked_without_its_spec(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run keeps the spec and the networks that it names."""
    run = only_run(work)
    moved = work.parent / "elsewhere" / "kept"
    shutil.move(run, moved)
    shutil.rmtree(work / "nets")
    (work / "spec.ibp").unlink()
    monkeypatch.chdir(work.parent)
    assert recheck(work, str(moved)) == 0


LIES = {
    "a witness that is none": (
        "UPDATE answers SET witness = zeroblob(length(witness)) WHERE verdict = 'violated'"
        " AND evidence LIKE '%onnxruntime%' AND evidence NOT LIKE '%forward%'",
        "the stored witness of example",
    ),
    "a proof that is none": (
        "UPDATE answers SET verdict = 'holds' WHERE verdict = 'unknown' AND evidence LIKE"
        " '%nterval bounds%'",
        "does not prove the claim",
    ),
    "an observation that is none": (
        "UPDATE answers SET verdict = 'violated', witness = zeroblob(144) WHERE verdict = 'holds'"
        " AND evidence LIKE '%forward%'",
        "comes out as `holds`",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_the_store_is_found(
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    statement, said = LIES[name]
    with sqlite3.connect(only_run(work) / "verdicts.sqlite") as db:
        changed = db.execute(statement).rowcount
    assert changed > 0
    monkeypatch.chdir(work)
    assert recheck(work, "spec.ibp") == 1
    found = capsys.readouterr()
    assert "DISAGREE" in found.out
    assert "error[E0560]" in found.err
    assert said in found.err


def test_nothing_to_look_at_is_told(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(work)
    assert recheck(work, "nets") == 1
    assert "error[E0593]: nets is not the folder of a run" in capsys.readouterr().err
    shutil.rmtree("runs")
    assert recheck(work, "spec.ibp") == 1
    assert "error[E0561]" in capsys.readouterr().err


def test_absent_data_are_named(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(work / "pictures")
    monkeypatch.chdir(work)
    assert recheck(work, "spec.ibp") == 1
    assert "not looked at: table tiny: there is no folder" in capsys.readouterr().out
