"""The page that compares runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from page_reading import Page
from run_folders import task, write_run

from ibpc.errors import FileMistake
from ibpc.report import write_comparison

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """The same experiment twice; the second with other figures, parameters and spec."""
    radii = ("1/10", "1/5")
    first = write_run(tmp_path / "first", [task(eps) for eps in radii])
    tasks = [task(eps) for eps in radii]
    for one in tasks:
        one["reports"][-1].update(rate=0.01, low=0.01, high=0.01)
    second = write_run(tmp_path / "second", tasks)
    manifest = json.loads((second / "manifest.json").read_text(encoding="utf-8"))
    manifest["parameters"]["eps"] = "8/255"
    (second / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    spec = second / "spec" / "mnist.ibp"
    text = spec.read_text(encoding="utf-8").replace("0.1 in", "8/255 in")
    spec.write_text(text, encoding="utf-8")
    return [first, second]


def test_figures_of_all_runs_stand_side_by_side(runs: list[Path], tmp_path: Path) -> None:
    page = Page(write_comparison(runs, tmp_path / "both.html").read_text(encoding="utf-8"))
    assert page.problems == []
    assert page.external() == []
    for letter, folder in zip("AB", runs, strict=True):
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        for one in results["tasks"]:
            for report in one["reports"]:
                where = f"{letter}: {one['task']}/{report['name']}"
                assert page.figures[where] == {repr(report["rate"])}


def test_only_what_differs_is_told(runs: list[Path], tmp_path: Path) -> None:
    text = write_comparison(runs, tmp_path / "both.html").read_text(encoding="utf-8")
    start = text.index('<section id="differences"')
    part = text[start : text.index("</section>", start)]
    assert "parameter eps" in part
    assert "0.1" in part
    assert "8/255" in part
    assert "torch" not in part
    assert '<span class="added">+param eps: real = 8/255' in text
    assert '<span class="removed">-param eps: real = 0.1' in text


def test_curves_are_laid_over_each_other(runs: list[Path], tmp_path: Path) -> None:
    write_comparison(runs, tmp_path / "both.html")
    drawn = (tmp_path / "both-plots" / "training-loss.svg").read_text(encoding="utf-8")
    assert drawn.count("<polyline><title>") + drawn.count("<polyline points") >= 2
    for letter in "AB":
        assert f">{letter}: small" in drawn


def test_equal_runs_are_called_equal(runs: list[Path], tmp_path: Path) -> None:
    text = write_comparison([runs[0], runs[0]], tmp_path / "same.html").read_text(encoding="utf-8")
    assert "are the same in all of them" in text
    assert "How the specs differ" not in text


def test_a_folder_that_is_no_run_is_told(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(FileMistake, match="is not a run folder"):
        write_comparison([runs[0], tmp_path], tmp_path / "both.html")
