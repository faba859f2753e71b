"""Cascades on a small network: verdicts agree, answers are kept, doubt stays doubt."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_tasks import examples, model, report, stage, task

from ibpc.verification import (
    Answer,
    Evidence,
    Store,
    TaskResult,
    Unknown,
    Violated,
    Witness,
    verify_task,
)
from ibpc.verification.stages import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.language import VerifyTask

FULL = task(
    report("test_error", stage("forward")),
    report("pgd_error", stage("pgd")),
    report("ibp_bound", stage("ibp")),
    report(
        "verified", stage("ibp"), stage("pgd"), stage("mip"), stage("lp"), otherwise="attackable"
    ),
)


def run(folder: Path, what: VerifyTask = FULL, name: str = "store", **options: Any) -> TaskResult:
    path = model(folder / "small.onnx")
    data = options.pop("examples", None) or examples(path)
    with Store(folder / name) as store:
        return verify_task(what, path, data, store, **options)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> TaskResult:
    return run(tmp_path_factory.mktemp("full"), jobs=2)


def kinds(result: TaskResult, name: str) -> list[str]:
    (found,) = (one for one in result.reports if one.name == name)
    return [decision.verdict.kind for decision in found.decisions]


def test_every_example_is_decided_by_the_full_cascade(full: TaskResult) -> None:
    verified = full.reports[3]
    assert verified.meaning == "exact"
    assert verified.counts["unknown"] == 0
    assert min(verified.counts["holds"], verified.counts["violated"]) > 3
    stages = [name for name, counts in verified.by_stage.items() if sum(counts.values())]
    assert any(name.startswith("mip") for name in stages), verified.by_stage


def test_the_rates_are_in_order(full: TaskResult) -> None:
    test, pgd, ibp, verified = (one.rate for one in full.reports)
    assert test is not None
    assert pgd is not None
    assert ibp is not None
    assert verified is not None
    assert test == pytest.approx(3 / 24)
    assert test <= pgd <= verified <= ibp


def test_reports_do_not_contradict_each_other(full: TaskResult) -> None:
    for other in ("pgd_error", "ibp_bound"):
        for mine, theirs in zip(kinds(full, "verified"), kinds(full, other), strict=True):
            assert theirs in ("unknown", mine)


def test_witnesses_lie_in_their_sets_and_violate(full: TaskResult, tmp_path: Path) -> None:
    from ibpc.graph import run_onnxruntime

    path = model(tmp_path / "small.onnx")
    data = examples(path)
    for decision in full.reports[3].decisions:
        if not isinstance(decision.verdict, Violated):
            continue
        point = decision.verdict.witness.point
        exact = [Fraction(float(value)) for value in data.pixels(decision.index)]
        for mine, centre in zip(point, exact, strict=True):
            assert abs(Fraction(float(mine)) - centre) <= Fraction(1, 15)
            assert -1 <= mine <= 1
        outputs = run_onnxruntime(path.read_bytes(), {"x": point[None]})
        output = next(iter(outputs.values()))[0]
        label = int(data.labels[decision.index])
        assert np.delete(output, label).max() > output[label]


def test_a_second_run_reads_the_store_and_asks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tmp_path)

    def never(*_: object) -> None:
        pytest.fail("a stage was asked again")

    monkeypatch.setattr("ibpc.verification.cascade.ENGINES", dict.fromkeys(ENGINES, never))
    second = run(tmp_path)
    assert [one.counts for one in second.reports] == [one.counts for one in first.reports]
    assert [one.by_stage for one in second.reports] == [one.by_stage for one in first.reports]


@pytest.mark.parametrize("change", ["eps", "strict", "steps"])
def test_what_changes_the_question_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    asked = report("r", stage("pgd", steps=3))
    run(tmp_path, task(asked))
    changed = {
        "eps": task(asked, eps=Fraction(1, 21)),
        "strict": task(asked, strict=True),
        "steps": task(report("r", stage("pgd", steps=4))),
    }[change]
    counted: list[int] = []
    honest = ENGINES["pgd"]

    def counting(subject: Any, arguments: Any, cases: Any) -> Any:
        counted.append(len(cases))
        return honest(subject, arguments, cases)

    monkeypatch.setattr("ibpc.verification.cascade.ENGINES", {**ENGINES, "pgd": counting})
    run(tmp_path, changed)
    assert counted == [24]
    run(tmp_path, changed)
    assert counted == [24]


def test_an_interrupted_run_resumes_with_the_same_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tmp_path, name="whole")
    honest = ENGINES["pgd"]

    def interrupted(*asked: Any) -> Any:
        for found in honest(*asked):
            yield found[:5]
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ibpc.verification.cascade.ENGINES", {**ENGINES, "pgd": interrupted})
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, name="broken")
    resumed = run(tmp_path, name="broken")
    for mine, theirs in zip(resumed.reports, whole.reports, strict=True):
        assert mine.counts == theirs.counts
        for one, other in zip(mine.decisions, theirs.decisions, strict=True):
            assert (one.verdict.kind, one.stage) == (other.verdict.kind, other.stage)


def test_no_time_leaves_unknown_that_counts_as_attackable_or_not(tmp_path: Path) -> None:
    stages = (stage("ibp"), stage("mip", timeout=0.0))
    what = task(report("range", *stages), report("counted", *stages, otherwise="attackable"))
    between, at_most = run(tmp_path, what).reports
    assert between.counts["unknown"] > 0
    assert between.rate is None
    assert (between.low, between.high) == (at_most.low, at_most.high)
    assert at_most.rate == at_most.high > at_most.low
    assert {one.verdict.why for one in between.undecided} == {"time-out"}  # type: ignore[union-attr]


def test_a_proof_and_a_witness_for_one_example_give_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(subject: Any, _: Any, cases: Any) -> Any:
        for case in cases:
            point = subject.pixels([case.index])[0]
            yield [(case, Answer(Violated(Witness(point, Evidence("planted", {})))))]

    monkeypatch.setattr("ibpc.verification.cascade.ENGINES", {**ENGINES, "pgd": always})
    ibp, pgd = run(tmp_path, task(report("a", stage("ibp")), report("b", stage("pgd")))).reports
    doubted = [one for one in ibp.undecided if "rounding" in one.verdict.why]  # type: ignore[union-attr]
    assert doubted
    for one in doubted:
        verdict = pgd.decisions[one.index].verdict
        assert isinstance(verdict, Unknown)
        assert verdict.witness is not None
        assert verdict.evidence is not None
        assert "bound" in verdict.evidence.facts


def test_a_datum_that_is_not_finite_costs_only_itself(tmp_path: Path) -> None:
    path = model(tmp_path / "small.onnx")
    data = examples(path)
    images = data.images.copy()
    images[5, 0] = np.nan
    broken = replace(data, images=images)
    what = task(report("bound", stage("ibp"), stage("pgd"), stage("mip")))
    found = run(tmp_path, what, examples=broken).reports[0]
    assert isinstance(found.decisions[5].verdict, Unknown)
    assert found.counts["unknown"] == 1


def test_a_stage_that_says_nan_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ibpc.verification.subject import Subject

    monkeypatch.setattr(Subject, "row_bounds", lambda _, cases: np.full((len(cases), 3), np.nan))
    found = run(tmp_path, task(report("bound", stage("ibp")))).reports[0]
    assert found.counts == {"holds": 0, "violated": 0, "unknown": 24}


def test_an_observation_that_is_true_proves_nothing_of_the_claim(tmp_path: Path) -> None:
    found = run(tmp_path, task(report("r", stage("forward"), stage("pgd")))).reports[0]
    assert found.counts["holds"] == 0
    assert found.counts["violated"] >= 3
