"""`ibpc status`: each edit makes stale exactly the verdicts that rest on what it changes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from PIL import Image
from small_networks import write_network

from ibpc.cli import main
from ibpc.cli.vocabulary import vocabulary
from ibpc.integrity import CellStanding, cell_standings
from ibpc.language import check_file
from ibpc.training import trainer
from ibpc.verification import cascade

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 16
"""Test pictures; two of each of eight classes."""

SPEC = """\
ibp 1

# A comment.
type Image = real[1, 6, 6] in [0 .. 1]
type Kind = index[4]
type Logits = real[Kind]

param radius: real = 0.04

data pictures: (x: Image, y: Kind) {
    source = image_folder("pictures")
}

net tiny: Image -> Logits {
    default act = relu, pad = valid
    conv 4 3x3+1
    fc 12
    out
}

net third: Image -> Logits = onnx("nets/third.onnx")

spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

train fit(f: Image -> Logits) {
    data = pictures.train
    spec = robust(f, x, y, eps)
    bound = ibp
    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    optimiser = adam
    batch = 16
    steps = 60
    seed = 0
    lr(t) = 5e-3
    eps(t) = 0 until 5, linear to 0.02 at 40
    kappa(t) = 1 until 5, linear to 1/2 at 40
}

verify table(f: Image -> Logits) {
    data = pictures.test
    first = 14
    spec = robust(f, x, y, radius)
    report test_error = by forward(argmax(f(x)) == y)
    report ibp_bound = by ibp
    report verified = by ibp
        then pgd(steps = 5, restarts = 2)
        then mip(timeout = 30 s)
        else unknown
}

verify other(f: Image -> Logits) {
    data = pictures.test
    first = 14
    spec = robust(f, x, y, 0.03)
    report crown_bound = by crown
    report attacked = by pgd(steps = 5, restarts = 1)
}

run default {
    table(fit(tiny))
    other(third)
}
"""

FIRST = 14
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


def paint(folder: Path) -> None:
    """Pictures of four kinds: a bright quarter in noise."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", COUNT)):
        for number in range(count):
            kind = number % 4
            picture = rng.integers(0, 110, size=(6, 6)).astype(np.uint8)
            row, column = divmod(kind, 2)
            picture[3 * row : 3 * row + 3, 3 * column : 3 * column + 3] += 70
            place = folder / part / f"kind{kind}" / f"{number:03}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the spec was run."""
    folder = tmp_path_factory.mktemp("finished")
    paint(folder / "pictures")
    write_network(folder / "nets" / "third.onnx", (1, 6, 6), 10, 4)
    (folder / "spec.ibp").write_text(SPEC, encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        command = ["run", "spec.ibp", "--jobs", "1", "--device", "cpu", "--data-dir", "."]
        assert main(command) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def work(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to be edited."""
    return Path(shutil.copytree(finished, tmp_path / "work"))


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


# --- edits ------------------------------------------------------------------------------------


def text(*pairs: tuple[str, str]) -> Callable[[Path], None]:
    """Replace words of the spec; each must stand in it."""

    def edit(folder: Path) -> None:
        spec = (folder / "spec.ibp").read_text(encoding="utf-8")
        for old, new in pairs:
            assert re.search(old, spec), old
            spec = re.sub(old, new, spec)
        (folder / "spec.ibp").write_text(spec, encoding="utf-8")

    return edit


def rename(old: str, new: str) -> Callable[[Path], None]:
    return text((rf"\b{old}\b", new))


def reformat(folder: Path) -> None:
    path = folder / "spec.ibp"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n\n".join(f"  {line.strip()}   " for line in lines) + "\n", encoding="utf-8")


def reorder(folder: Path) -> None:
    """The declarations in the opposite order."""
    path = folder / "spec.ibp"
    head, *blocks = path.read_text(encoding="utf-8").split("\n\n")
    path.write_text("\n\n".join([head, *reversed(blocks)]) + "\n", encoding="utf-8")


def split_in_two(folder: Path) -> None:
    """The claim moves to a file of its own."""
    path = folder / "spec.ibp"
    spec = path.read_text(encoding="utf-8")
    start, end = spec.index("spec robust"), spec.index("train fit")
    (folder / "claims.ibp").write_text(f"ibp 1\n\n{spec[start:end]}", encoding="utf-8")
    spec = spec[:start] + spec[end:]
    spec = spec.replace("ibp 1\n", 'ibp 1\n\nfrom "claims.ibp" import robust\n', 1)
    path.write_text(spec, encoding="utf-8")


def edit_network(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "nets" / "third.onnx"
        model = onnx.load_model(path)
        change(model)
        path.write_bytes(model.SerializeToString())

    return edit


def rename_values(model: Any) -> None:
    model.doc_string, model.graph.name = "edited", "another"
    for node in model.graph.node:
        node.name = f"renamed_{node.name}"
        node.input[:] = [f"v_{name}" for name in node.input]
        node.output[:] = [f"v_{name}" for name in node.output]
    for group in (model.graph.input, model.graph.output, model.graph.initializer):
        for one in group:
            one.name = f"v_{one.name}"
    del model.graph.value_info[:]


def one_weight(model: Any) -> None:
    tensor = next(one for one in model.graph.initializer if one.data_type == 1)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.reshape(-1)[0] = np.nextafter(array.reshape(-1)[0], np.float32(9))
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def pixel(part: str, number: int) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        place = folder / "pictures" / part / f"kind{number % 4}" / f"{number:03}.png"
        picture = np.asarray(Image.open(place)).copy()
        picture[0, 0] ^= 1
        Image.fromarray(picture).save(place)

    return edit


def another_container(folder: Path) -> None:
    """The same pictures, compressed otherwise."""
    for place in (folder / "pictures").rglob("*.png"):
        Image.open(place).save(place, compress_level=0)


NOTHING: dict[str, Callable[[Path], None]] = {
    "a comment": text(("# A comment.", "# Another comment,\n# of two lines.")),
    "a doc string": text(("net tiny", "## The small one.\nnet tiny")),
    "reformatted": reformat,
    "reordered": reorder,
    "a spec renamed": rename("robust", "stays"),
    "a network renamed": rename("tiny", "minute"),
    "a reference renamed": rename(r"third(?!\.)", "theirs"),
    "a recipe renamed": rename("fit", "taught"),
    "verify blocks renamed": text((r"\btable\b", "figures"), (r"\bother\b", "more")),
    "a data set renamed": rename("pictures(?!\")", "images"),
    "a type renamed": rename("Image", "Picture"),
    "a param renamed": rename("radius", "size"),
    "schedules renamed": text((r"\bkappa\b", "mix"), (r"(?<=, y, )eps(?=\))", "grow"),
                              (r"\beps\(t\)", "grow(t)")),
    "a number written otherwise": text(("0.04", "1/25"), ("5e-3", "0.005")),
    "an undecided example counted otherwise": text(("else unknown", "else attackable")),
    "a file split in two": split_in_two,
    "names and notes in the ONNX file": edit_network(rename_values),
    "the same pixels in another container": another_container,
    "a data set's picture that no claim uses": pixel("test", COUNT - 1),
    "a stage behind those that decide": text(("then mip\\(timeout = 30 s\\)",
                                              "then mip(timeout = 30 s)\n        then lp")),
}  # fmt: skip


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
    "a time-out": (
        text(("timeout = 30 s", "timeout = 31 s")),
        {"verified": "mip"},
        "stages.mip.timeout: 30 -> 31",
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
