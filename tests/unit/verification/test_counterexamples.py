"""The counterexamples that a report shows: real ones, and what an attack before them reached."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from small_tasks import examples, model, report, stage, task

from ibpc.verification import Store, TaskResult, verify_task

if TYPE_CHECKING:
    from pathlib import Path

EPS = Fraction(1, 5)
WEAK = stage("pgd", steps=1, restarts=1, step_size=1e-3)
WHAT = task(
    report("ibp_bound", stage("ibp")),
    report("verified", stage("ibp"), WEAK, stage("mip")),
    eps=EPS,
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TaskResult]:
    folder = tmp_path_factory.mktemp("shown")
    path = model(folder / "small.onnx")
    with Store(folder / "store") as store:
        return path, verify_task(WHAT, path, examples(path, 20), store)


def classes(path: Path, points: list[np.ndarray]) -> list[int]:
    from ibpc.graph import run_onnxruntime

    outputs = run_onnxruntime(path.read_bytes(), {"x": np.stack(points)})
    return [int(k) for k in next(iter(outputs.values())).argmax(axis=1)]


def test_each_is_right_at_its_datum_and_wrong_at_its_point(found: tuple[Path, TaskResult]) -> None:
    path, result = found
    shown, data = result.shown, examples(path, 20)
    assert len(shown) >= 3
    assert classes(path, [one.datum for one in shown]) == [one.label for one in shown]
    assert classes(path, [one.point for one in shown]) == [one.prediction for one in shown]
    for one in shown:
        assert one.prediction != one.label == data.labels[one.index]
        assert (one.datum == data.pixels(one.index)).all()
        assert one.violation > 0
        assert np.abs(one.point.astype("f8") - one.datum).max() <= float(EPS) + 1e-7


def test_what_the_attack_reached_is_shown_where_it_missed(found: tuple[Path, TaskResult]) -> None:
    path, result = found
    missed = [one for one in result.shown if one.stage.startswith("mip")]
    assert missed
    for one in missed:
        assert one.reached is not None
        assert one.reached <= 0
        assert one.attacked is not None
        assert classes(path, [one.attacked]) == [one.label]
        assert np.abs(one.attacked.astype("f8") - one.datum).max() <= float(EPS) + 1e-7


def test_late_stages_come_first(found: tuple[Path, TaskResult]) -> None:
    _, result = found
    late = [one.stage.startswith("mip") for one in result.shown]
    assert late == sorted(late, reverse=True)


def test_claims_without_data_show_nothing(tmp_path: Path) -> None:
    path = model(tmp_path / "small.onnx")
    with Store(tmp_path / "store") as store:
        assert verify_task(task(report("bound", stage("ibp"))), path, None, store).shown == ()
