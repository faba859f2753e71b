"""The listings by which the language was designed, each as it was written: checked, and at work.

`listings/NAME.ibp` is such a listing and is never changed; `listings/NAME_used.ibp` imports it and
adds what it leaves out: networks, plans, data that are small.
"""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import ibpc
from ibpc.cli import full_vocabulary
from ibpc.language import Fit, Program, VerifyTask, check_file, curve_value

if TYPE_CHECKING:
    from command import Ibpc

    from ibpc.verification import TaskResult

LISTINGS = Path(__file__).parent / "listings"
WRITTEN = ("gowal", "mnist", "acas", "cifar", "sets", "toy")

TABLE = """\
net small: Image[1,28,28] -> Logits[10]
  conv 16 4x4+2  valid  relu  16x13x13     272 params
  conv 32 4x4+1  valid  relu  32x10x10    8224
  fc 100                relu  100       320100
  out                         10          1010
  hidden 6004, parameters 329606
"""

WORDS = "good\tgreat fine\ngreat\tgood\nfine\tgood\nbad\n"
REMARKS = "glad\tgood great\nsad\tbad bad\nglad\tfine good good\nsad\tbad good bad\n"
C = "1, -1, 0, 0, 0, 0, 0, 0, 0, 0\n0, 0, 1, 0, 0, 0, 0, 0, 0, 0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The listings with the files that they name, but for networks: tables, words, pictures."""
    for path in LISTINGS.glob("*.ibp"):
        shutil.copy(path, tmp_path)
    band = ("1" if 8 <= row < 20 else "0" for row in range(28))
    (tmp_path / "mask.csv").write_text("".join(f"{', '.join([one] * 28)}\n" for one in band))
    for name, text in (("polytope.csv", C), ("synonyms.tsv", WORDS), ("remarks.tsv", REMARKS)):
        (tmp_path / name).write_text(text)
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("test", 10)):
        for number in range(count):
            row, column = divmod(number % 10, 4)
            picture = rng.integers(0, 60, size=(28, 28)).astype(np.uint8)
            picture[9 * row : 9 * row + 9, 7 * column : 7 * column + 7] += 150
            place = tmp_path / "pictures" / part / f"kind{number % 10}" / f"{number:03}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place)
    return tmp_path


def program(path: Path) -> Program:
    return check_file(str(path), full_vocabulary())


def replaced(path: Path, *pairs: tuple[str, str]) -> None:
    """The file with other numbers; each must be there."""
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def run(path: Path, target: str = "default", data: Path | None = None) -> dict[str, TaskResult]:
    """The results of a target, by title."""
    found = ibpc.run(path, target, folder=path.parent / "runs", device="cpu", jobs=1, data_dir=data)
    return {result.title: result for result in found}


def counts(result: TaskResult) -> tuple[int, int, int]:
    """Proved, refuted and unknown examples of the last report."""
    found = result.reports[-1].counts
    return found["holds"], found["violated"], found["unknown"]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_listing_is_right_as_it_was_written(folder: Path, name: str) -> None:
    # ACAS Xu's network is nowhere, which is a warning.
    allowed = {"acas": {"W0501"}}.get(name, set())
    assert {one.code for one in program(folder / f"{name}.ibp").warnings} == allowed


def test_the_printed_table_is_the_one_that_was_designed(ibpc: Ibpc) -> None:
    found = ibpc("check", LISTINGS / "gowal.ibp")
    assert found.stdout.startswith(TABLE)


def test_figure_3_is_the_product_of_its_axes(folder: Path) -> None:
    tasks = program(folder / "mnist.ibp").targets["figure3"].tasks
    assert len(tasks) == 3 * 4 * 10
    assert len({task.title for task in tasks}) == len(tasks)


@pytest.mark.slow
def test_the_mnist_listing_trains_and_verifies(folder: Path, data_dir: Path) -> None:
    """With steps, attacks and time-outs cut down, and 20 examples."""
    replaced(
        folder / "mnist.ibp",
        ("steps = 60k", "steps = 40"),
        ("until 15k, 1e-4 until 25k", "until 20, 1e-4 until 35"),
        ("until 2k", "until 5"),
        ("at 12k", "at 30"),
        ("steps = 200, restarts = 10", "steps = 5, restarts = 1"),
        ("10 min", "2 s"),
        ("data = mnist.test", "data = mnist.test\n    first = 20"),
        ("real = 0.1 in", "real = 0.005 in"),
    )
    (result,) = run(folder / "mnist.ibp", data=data_dir).values()
    figures = {report.name: report for report in result.reports}
    assert list(figures) == ["test_error", "pgd_error", "ibp_bound", "verified_bound"]
    assert figures["verified_bound"].otherwise == "attackable"
    proved, refuted, unknown = counts(result)
    assert proved >= figures["ibp_bound"].counts["holds"]
    assert refuted >= figures["test_error"].counts["violated"]
    assert proved + refuted + unknown == 20
    assert proved > 0


def test_the_cifar_listing_takes_a_step(folder: Path) -> None:
    """Its network and recipe as they are, on two random pictures."""
    import torch

    from ibpc.passes import prepare
    from ibpc.training import Batch, Stepper
    from ibpc.training.trainer import initial_graph

    path = folder / "cifar.ibp"
    path.write_text(f"{path.read_text()}\nrun default {{\n    fit(large)\n}}\n")
    (fit,) = program(path).targets["default"].tasks
    assert isinstance(fit, Fit)
    assert (fit.net.hidden, fit.net.parameters) == (229_888, 17_190_602)
    assert [curve_value(fit.curves["eps"], step) for step in (0, 55_000)] == [
        0,
        pytest.approx(8 / 255),
    ]
    stepper = Stepper(fit, prepare(initial_graph(fit), "training"), fit.curves)
    last = {name: curve_value(curve, fit.steps - 1) for name, curve in fit.curves.items()}
    batch = Batch(torch.rand(2, 3, 32, 32), torch.tensor([0, 1]), torch.tensor([5, 6]))
    assert torch.isfinite(stepper.step(0, batch, last).loss)


@pytest.mark.slow
def test_every_set_and_claim_of_the_listing_is_decided(folder: Path) -> None:
    results = run(folder / "sets_used.ibp", data=folder)
    found = {title: counts(result) for title, result in results.items()}
    assert len(found) == 9
    # Two networks are not equal to within 1/100, and are to within 1000; none is monotone.
    assert found["equal_table one_other tau=0.01"] == (0, 1, 0)
    assert found["equal_table one_other tau=1000"] == (1, 0, 0)
    assert found["monotone_table one_one"] == (0, 1, 0)
    for name in ("near_table", "masked_table", "patched_table", "lit_table", "lit_near_table"):
        proved, refuted, unknown = found[f"{name} one"]
        assert proved + refuted > 0, name
        assert unknown <= 2, name
    assert found["near_table one"][0] >= 8
    assert found["masked_table one"][0] >= 8
    proved, refuted, _ = found["safe_table one"]
    assert proved > 0
    assert refuted > 0


def test_words_are_replaced_and_mixed(folder: Path) -> None:
    results = run(folder / "sets_used.ibp", "words")
    (steady, mixed) = results.values()
    assert counts(steady)[2] == counts(mixed)[2] == 0
    assert counts(steady)[0] >= counts(mixed)[0] >= 3  # mixes are a superset


def test_the_toy_is_trained_and_leaves_its_logs(folder: Path) -> None:
    (result,) = run(folder / "toy_used.ibp").values()
    proved, refuted, unknown = counts(result)
    assert (proved + refuted, unknown) == (13, 0)
    assert proved >= 10
    (fit,) = (folder / "runs").glob("*/fits/*")
    for word in ("polytope", "bounds"):
        assert (fit / f"{word}.jsonl").read_text().count("\n") == 21


def test_acas_is_proved_through_the_listings_cascade(folder: Path) -> None:
    """The listing's network is not among the instances at hand: another stands in its place."""
    name = "ACASXU_run2a_1_2_batch_2000.onnx"
    packed = Path(os.environ.get("IBPC_VNNCOMP", "")) / "onnx" / f"acasxu__{name}.gz"
    if not packed.is_file():
        pytest.skip("IBPC_VNNCOMP names no folder with the official ACAS Xu networks")
    (folder / "nets").mkdir()
    place = folder / "nets" / name.replace("_1_2_", "_1_1_")
    place.write_bytes(gzip.decompress(packed.read_bytes()))
    (task,) = program(folder / "acas_used.ibp").targets["default"].tasks
    assert isinstance(task, VerifyTask)
    (result,) = run(folder / "acas_used.ibp").values()
    assert counts(result) == (1, 0, 0)
