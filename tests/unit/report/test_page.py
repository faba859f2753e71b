"""report.html: well formed, complete in itself, and every figure is that of results.json."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from page_reading import Page
from run_folders import SPEC, pictures, task, write_run

from ibpc.errors import FileMistake
from ibpc.report import write_report

if TYPE_CHECKING:
    from pathlib import Path


def page_of(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


@pytest.fixture
def single(tmp_path: Path) -> Path:
    one = task()
    return write_run(tmp_path / "run", [one], [pictures(one["task"], (1, 28, 28))])


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    tasks = [
        task(eps, net=net, eps_train=train)
        for net in ("small", "large")
        for train in ("1/5", "2/5")
        for eps in ("1/10", "1/5", "3/10")
    ]
    return write_run(tmp_path / "sweep", tasks)


def figures_of(folder: Path) -> dict[str, Any]:
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {
        f"{one['task']}/{report['name']}": report
        for one in results["tasks"]
        for report in one["reports"]
    }


@pytest.mark.parametrize("kind", ["single", "sweep"])
def test_every_figure_is_that_of_the_results(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    page, wanted = page_of(folder), figures_of(folder)
    assert page.figures.keys() == wanted.keys()
    for where, values in page.figures.items():
        assert values == {repr(wanted[where]["rate"])}
        texts = {text.strip("≥≤ %") for text in page.shown[where]}
        assert texts == {f"{100 * wanted[where]['rate']:.2f}"}


@pytest.mark.parametrize("kind", ["single", "sweep"])
def test_a_page_nests_and_fetches_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    page = page_of(request.getfixturevalue(kind))
    assert page.problems == []
    assert page.external() == []


def test_every_picture_and_drawing_has_words(single: Path) -> None:
    page = page_of(single)
    images = [known for name, known in page.tags if name == "img"]
    assert len(images) == 3
    assert all(known["alt"] for known in images)
    drawings = [known for name, known in page.tags if name == "svg"]
    assert drawings
    assert all(known["role"] == "img" and known["aria-label"] for known in drawings)
    assert len([name for name, _ in page.tags if name == "table"]) == len(page.text("caption"))


def test_counterexamples_tell_both_classes_and_who_missed_them(single: Path) -> None:
    text = write_report(single).read_text(encoding="utf-8")
    assert "example 7, found by mip" in text
    assert "the attack before it reached -0.125" in text
    assert 'alt="datum, classified 1"' in text
    assert 'alt="counterexample, classified 2"' in text


def test_what_an_attack_reached_is_shown_beside_what_it_missed(tmp_path: Path) -> None:
    one = task()
    shown = pictures(one["task"], (1, 8, 8))
    shown["shown"][0]["attacked"] = shown["shown"][0]["datum"]
    page = page_of(write_run(tmp_path / "run", [one], [shown]))
    words = [known["alt"] for name, known in page.tags if name == "img"]
    assert words == [
        "datum, classified 1",
        "what the attack reached, classified 1",
        "counterexample, classified 2",
        "changed pixels",
    ]


@pytest.mark.parametrize("shape", [(3, 32, 32), (2,), (1, 8, 8)])
def test_colours_grey_and_plain_numbers_can_be_shown(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    one = task()
    shown = pictures(one["task"], shape, ["cat", "dog", "frog"])
    text = write_report(write_run(tmp_path / "run", [one], [shown])).read_text(encoding="utf-8")
    assert "dog" in text
    assert "frog" in text
    assert text.count("data:image/png") == (0 if shape == (2,) else 3)


def test_the_paper_stands_beside_what_is_its_experiment(single: Path, tmp_path: Path) -> None:
    text = write_report(single).read_text(encoding="utf-8")
    for figure in ("1.06", "2.11", "2.23", "2.92", "Tables 3, 4", "+0.54"):
        assert figure in text
    other = write_run(tmp_path / "other", [task(eps="1/7")])
    assert "Beside the paper" not in write_report(other).read_text(encoding="utf-8")


def test_the_spec_is_there_letter_by_letter(single: Path) -> None:
    text = write_report(single).read_text(encoding="utf-8")
    start = text.index("<code>", text.index('<section id="spec"'))
    start = text.index("<pre>", start)
    block = text[start : text.index("</pre>", start)]
    assert "".join(part for _, part in Page(block + "</pre>").texts) == SPEC


def test_a_run_that_goes_on_says_how_far_it_is(single: Path) -> None:
    manifest = json.loads((single / "manifest.json").read_text(encoding="utf-8"))
    (single / "manifest.json").write_text(json.dumps({**manifest, "tasks": 5}), encoding="utf-8")
    assert "in progress: 1 of 5 tasks" in write_report(single).read_text(encoding="utf-8")


def test_a_run_without_results_has_a_page(single: Path) -> None:
    for name in ("results.json", "counterexamples.json"):
        (single / name).unlink()
    page = page_of(single)
    assert page.problems == []
    assert page.figures == {}


def test_drawings_are_files_of_their_own(sweep: Path) -> None:
    write_report(sweep)
    found = {path.name: path for path in (sweep / "plots").iterdir()}
    assert {"verified-over-eps.svg", "verdicts.svg", "times.svg", "loss.svg"} <= found.keys()
    for path in found.values():
        root = ElementTree.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.find("{http://www.w3.org/2000/svg}style") is not None


def test_recipes_of_one_architecture_are_kept_apart(tmp_path: Path) -> None:
    tasks = []
    for recipe in ("ibp", "madry"):
        for eps in ("1/10", "1/5"):
            one = task(eps, recipe=recipe, network=recipe * 8, fit=f"small-{recipe}")
            one["task"] = f"{recipe} {one['task']}"
            tasks.append(one)
    write_report(write_run(tmp_path / "run", tasks))
    drawn = (tmp_path / "run" / "plots" / "verified-over-eps.svg").read_text(encoding="utf-8")
    for recipe in ("ibp", "madry"):
        assert f">small by {recipe}, ε_train 0.2<" in drawn


def test_polytopes_are_drawn_where_a_network_kept_them(single: Path) -> None:
    looks = [
        {"step": step, "datum": 0, "label": 1, "eps": 0.1, "labels": ["neg", "pos"]}
        | {"center": [0.0, 1.0], "lower": [-wide, 1 - wide], "upper": [wide, 1 + wide]}
        | {"samples": [[0.5, 0.5], [-0.5, 1.5], [0.0, 1.0]]}
        for step, wide in ((0, 5.0), (100, 1.0))
    ]
    lines = "".join(json.dumps(look) + "\n" for look in looks)
    (single / "fits" / "small-15" / "polytope.jsonl").write_text(lines, encoding="utf-8")
    page = page_of(single)
    assert page.problems == []
    drawn = (single / "plots" / "polytope-small-15-0.svg").read_text(encoding="utf-8")
    assert "The box is 10.00 times as wide as the polytope." in drawn
    assert "logit pos (true)" in drawn


def test_layers_of_a_polytope_and_widths_of_bounds_are_drawn(single: Path) -> None:
    box = {"name": "fc1", "lower": [0.0], "upper": [4.0], "least": [1.0], "most": [2.0]}
    look = {"step": 0, "datum": 0, "label": 1, "eps": 0.1, "labels": None}
    look |= {"center": [0.0, 1.0], "lower": [-1.0, 0.0], "upper": [1.0, 2.0]}
    look |= {"samples": [[0.5, 0.5], [-0.5, 1.5]], "layers": [box]}
    width = {"step": 0, "eps": 0.1, "examples": 3, "layers": [{"name": "fc1", "width": 0.25}]}
    for word, line in (("polytope", look), ("bounds", width)):
        path = single / "fits" / "small-15" / f"{word}.jsonl"
        lines = "".join(json.dumps(line | {"step": step}) + "\n" for step in (0, 100))
        path.write_text(lines, encoding="utf-8")
    assert page_of(single).problems == []
    for name, label in (("polytope-small-15-layers", "ratio"), ("bounds-small-15", "width")):
        drawn = (single / "plots" / f"{name}.svg").read_text(encoding="utf-8")
        assert f">{label}<" in drawn


def test_seeds_are_put_together(tmp_path: Path) -> None:
    tasks = []
    for seed in range(3):
        one = task(seed=seed, network=f"{seed}" * 64)
        one["task"] = f"table4 small seed={seed}"
        tasks.append(one)
    text = write_report(write_run(tmp_path / "run", tasks)).read_text(encoding="utf-8")
    assert "Over seeds" in text
    assert "3.62 (3.62 to 3.62)" in text


def test_a_page_of_ten_thousand_examples_costs_little(tmp_path: Path) -> None:
    tasks = [task(f"{place}/100") for place in range(1, 11)]
    for one in tasks:
        one["reports"][-1]["unknown_examples"] = {str(n): "time-out" for n in range(10_000)}
    folder = write_run(tmp_path / "run", tasks)
    began = time.process_time()
    path = write_report(folder)
    assert time.process_time() - began < 2.0
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("manifest.json", None, "is not a run folder"),
        ("manifest.json", "[]", "holds no JSON object"),
        ("results.json", "{", "cannot read"),
        ("results.json", '{"tasks": [{"title": 1}]}', "not those of this version"),
        ("results.json", '{"tasks": [{"task": "t", "eps": "1/0"}]}', "not those of this version"),
        ("counterexamples.json", '{"tasks": 3}', "not those of this version"),
    ],
)
def test_a_broken_folder_is_told(single: Path, name: str, content: str | None, told: str) -> None:
    if content is None:
        (single / name).unlink()
    else:
        (single / name).write_text(content, encoding="utf-8")
    with pytest.raises(FileMistake, match=told):
        write_report(single)
