"""The paper's specs at the quick budget: they run to their end, and their figures fit together."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from data_files import accepting, write_cifar10, write_imagenet64, write_svhn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CPU_S = 300.0
"""What a quick budget may take: below five minutes even where one core does all of it.

Counted in CPU seconds, so that another's load does not count.
"""

Reports = dict[str, dict[str, Any]]


def run_quick(
    spec: Path, target: str, data: Path, out: Path, ibpc: Sequence[str] = ("-m", "ibpc")
) -> list[Reports]:
    """Runs a target at the quick budget; each task's reports, by name."""
    command = [sys.executable, *ibpc, "run", str(spec), target, "-p", "budget=quick"]
    command += ["-o", str(out), "--data-dir", str(data), "--jobs", "2"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-2000:]
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_S
    (folder,) = out.glob(f"{spec.stem}-{target}-*")
    assert spec.stem in (folder / "report.html").read_text(encoding="utf-8")
    tasks = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tasks"]
    found = [{one["name"]: one for one in task["reports"]} for task in tasks]
    for reports in found:
        check_order(reports)
    return found


def check_order(reports: Reports) -> None:
    """Of one network and radius: wrong <= attacked <= exact <= bound, each on the same images."""
    for report in reports.values():
        assert 0 <= report["low"] <= report["high"] <= 1
    columns = ("test_error", "pgd_error", "verified_error", "ibp_bound")
    rows = [reports[name] for name in columns if name in reports]
    assert rows
    for less, more in combinations(rows, 2):
        assert less["low"] <= more["high"], (less["name"], more["name"])
        refuted = set(less["violated_examples"])
        assert refuted <= open_or_refuted(more), (less["name"], more["name"])


def open_or_refuted(report: dict[str, Any]) -> set[int]:
    """The examples that a report did not prove."""
    return {*report["violated_examples"], *map(int, report["unknown_examples"])}


@pytest.mark.slow
def test_figure_1_shows_what_an_attack_misses(root: Path, data_dir: Path, tmp_path: Path) -> None:
    (reports,) = run_quick(root / "specs/figure1.ibp", "default", data_dir, tmp_path)
    assert reports["test_error"]["rate"] == 0
    assert reports["pgd_error"]["violated"] == 0
    assert reports["exact_error"]["by_stage"]["mip"]["violated"] == 1


@pytest.mark.slow
def test_figure_4_leaves_the_polytopes(root: Path, tmp_path: Path) -> None:
    run_quick(root / "specs/figure4.ibp", "default", tmp_path, tmp_path)
    (path,) = tmp_path.glob("figure4-default-*/fits/*/polytope.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(0, 401, 40))
    assert all(line["label"] == 1 for line in lines)  # one of the positive class, as the paper's
    for line in lines:
        samples = np.array(line["samples"])
        assert (samples >= np.array(line["lower"]) - 1e-5).all()
        assert (samples <= np.array(line["upper"]) + 1e-5).all()


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "target", "tasks"),
    [
        ("table3", "mnist_only", 4),
        ("table4_mnist", "default", 15),
        ("figure3", "curves", 16),
        ("figure3", "curves_of_wong", 8),
        ("ablation", "variants", 14),
        ("best", "default", 4),
    ],
)
def test_mnist(
    name: str, target: str, tasks: int, root: Path, data_dir: Path, tmp_path: Path
) -> None:
    assert len(run_quick(root / "specs" / f"{name}.ibp", target, data_dir, tmp_path)) == tasks


@pytest.mark.nightly
def test_cifar_10_on_jpeg_copies_of_its_images(root: Path, data_dir: Path, tmp_path: Path) -> None:
    archive = data_dir / "cifar10-jpeg.tar.gz"
    if not archive.exists():
        pytest.skip("needs cifar10-jpeg.tar.gz in the folder that IBPC_DATA names")
    write_cifar10(tmp_path, archive, train=1000, test=100)
    found = run_quick(
        root / "specs/table4_cifar.ibp", "default", tmp_path, tmp_path / "runs", accepting(tmp_path)
    )
    assert len(found) == 8


@pytest.mark.nightly
def test_svhn_on_drawn_files_of_its_form(root: Path, tmp_path: Path) -> None:
    write_svhn(tmp_path, train=10_000, test=400)
    found = run_quick(
        root / "specs/table4_svhn.ibp", "default", tmp_path, tmp_path / "runs", accepting(tmp_path)
    )
    assert len(found) == 4


@pytest.mark.nightly
def test_imagenet_on_drawn_files_of_its_form(root: Path, tmp_path: Path) -> None:
    write_imagenet64(tmp_path, train=2000, test=10_000)
    found = run_quick(root / "specs/table2_imagenet64.ibp", "default", tmp_path, tmp_path / "runs")
    assert len(found) == 3


@pytest.mark.nightly
def test_table_3_reads_all_its_data_sets(root: Path, data_dir: Path, tmp_path: Path) -> None:
    archive = data_dir / "cifar10-jpeg.tar.gz"
    if not archive.exists():
        pytest.skip("needs cifar10-jpeg.tar.gz in the folder that IBPC_DATA names")
    write_cifar10(tmp_path, archive, train=1000, test=100)
    write_svhn(tmp_path, train=10_000, test=400)
    (tmp_path / "MNIST").symlink_to(data_dir / "MNIST")
    found = run_quick(
        root / "specs/table3.ibp", "default", tmp_path, tmp_path / "runs", accepting(tmp_path)
    )
    assert len(found) == 7
