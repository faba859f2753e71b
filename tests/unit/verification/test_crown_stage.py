from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_tasks import examples, model, report, stage, task

from ibpc.verification import Holds, Store, TaskResult, verify_task

if TYPE_CHECKING:
    from pathlib import Path

WHAT = task(
    report("ibp_bound", stage("ibp")),
    report("crown_bound", stage("crown", steps=0)),
    report("alpha_bound", stage("crown", steps=10)),
    report("exact", stage("mip"), otherwise="attackable"),
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TaskResult:
    folder: Path = tmp_path_factory.mktemp("crown")
    path = model(folder / "small.onnx")
    with Store(folder / "store") as store:
        return verify_task(WHAT, path, examples(path), store)


def held(result: TaskResult, name: str) -> set[int]:
    (found,) = (one for one in result.reports if one.name == name)
    return {one.index for one in found.decisions if isinstance(one.verdict, Holds)}


def test_crown_proves_what_intervals_prove_and_more(result: TaskResult) -> None:
    interval, crown, alpha, exact = (
        held(result, name) for name in ("ibp_bound", "crown_bound", "alpha_bound", "exact")
    )
    assert interval <= crown <= alpha <= exact
    assert len(crown) > len(interval)


def test_the_evidence_says_how_it_was_decided(result: TaskResult) -> None:
    decision = next(one for one in result.reports[2].decisions if isinstance(one.verdict, Holds))
    assert isinstance(decision.verdict, Holds)
    evidence = decision.verdict.evidence
    assert "float64, rounding covered" in evidence.method
    assert evidence.facts["bound"] <= 0
