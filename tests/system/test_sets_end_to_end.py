"""Sets other than boxes, from the spec to verdicts: trained, attacked, bounded, solved.

Every witness is looked at again here, by what its set says and without the set's own code.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ibpc.cli import main
from ibpc.cli.vocabulary import vocabulary
from ibpc.experiment import Means, RunFolder, execute
from ibpc.experiment.networks import examples_of
from ibpc.language import check_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibpc.verification import TaskResult

SYNONYMS = "the\nplot story\nstory plot\nis was\nwas is\ngood fine\nfine good\nbad poor\npoor bad\n"
NOUNS, VERBS = ("plot", "story"), ("is", "was")
REVIEWS = "".join(
    f"{'good' if word in ('good', 'fine') else 'bad'}\tthe {noun} {verb} {word}\n"
    for word in ("good", "bad", "fine", "poor")
    for noun in NOUNS
    for verb in VERBS
)

SPEC = """ibp 1

type Image = real[1, 8, 8] in [0 .. 1]
type Digit = index[10]
type Logits = real[Digit]
type Text = real[1, 4, 9] in [0 .. 1]
enum Mood { bad, good }
type Scores = real[Mood]

data digits: (x: Image, y: Digit) {
    source = builtin(digits)
    train = 1437
    test = 360
}

data reviews: (x: Text, y: Mood) {
    source = sentences("reviews.tsv", words = "synonyms.tsv")
}

set patch(x0: Image) = union({ free(x0, window(i, j, 2, 2)) for i in range(7), j in range(7) })
set light(x0: Image) = { clip(a * x0 + b, 0, 1) for a in [0.9 .. 1.1], b in [-0.05 .. 0.05] }

spec near(f: Image -> Logits, x0: Image, y: Digit, eps: real) {
    forall x in ball(x0, eps, norm = 2), z = f(x): forall k != y: z[k] - z[y] <= 0
}
spec painted(f: Image -> Logits, x0: Image, y: Digit) {
    forall x in patch(x0), z = f(x): forall k != y: z[k] - z[y] <= 0
}
spec lit(f: Image -> Logits, x0: Image, y: Digit) {
    forall x in light(x0), z = f(x): forall k != y: z[k] - z[y] <= 0
}
spec reworded(f: Text -> Scores, x0: Text, y: Mood) {
    forall x in choice(table("synonyms.tsv"), x0, max_swaps = 2), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

net mlp: Image -> Logits {
    default act = relu
    fc 24
    out
}
net reader: Text -> Scores {
    default act = relu, pad = valid
    conv 4 1x9+1
    fc 8
    out
}

train fit_near(f: Image -> Logits) {
    data = digits.train
    spec = near(f, x, y, eps)
    steps = 200
    eps(t) = 0 until 50, linear to 0.05 at 150
}
train fit_painted(f: Image -> Logits) {
    data = digits.train
    spec = painted(f, x, y)
    steps = 200
}
train fit_lit(f: Image -> Logits) {
    data = digits.train
    spec = lit(f, x, y)
    steps = 200
}
train read(f: Text -> Scores) {
    data = reviews
    spec = reworded(f, x, y)
    batch = 8
    steps = 200
}

verify near_table(f: Image -> Logits) {
    data = digits.test
    first = 16
    spec = near(f, x, y, 0.5)
    report ibp = by ibp
    report crown = by crown
    report exact = by pgd(steps = 30, restarts = 2) then crown then mip(timeout = 2 s)
}
verify painted_table(f: Image -> Logits) {
    data = digits.test
    first = 16
    spec = painted(f, x, y)
    report ibp = by ibp
    report crown = by crown
    report exact = by pgd(steps = 10, restarts = 1) then crown then mip(timeout = 5 s)
}
verify lit_table(f: Image -> Logits) {
    data = digits.test
    first = 16
    spec = lit(f, x, y)
    report ibp = by ibp
    report crown = by crown
    report exact = by pgd(steps = 20, restarts = 2) then crown then mip(timeout = 10 s)
}
verify reworded_table(f: Text -> Scores) {
    data = reviews
    spec = reworded(f, x, y)
    report ibp = by ibp
    report crown = by crown
    report exact = by pgd(steps = 5, restarts = 2) then mip(timeout = 10 s)
}

run default {
    near_table(fit_near(mlp))
    painted_table(fit_painted(mlp))
    lit_table(fit_lit(mlp))
    reworded_table(read(reader))
}
"""

Results = dict[str, tuple["TaskResult", Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Each table's results, and the examples that it speaks of."""
    folder: Path = tmp_path_factory.mktemp("sets")
    (folder / "synonyms.tsv").write_text(SYNONYMS)
    (folder / "reviews.tsv").write_text(REVIEWS)
    (folder / "sets.ibp").write_text(SPEC)
    program = check_file(str(folder / "sets.ibp"), vocabulary(), {})
    target, means = program.targets["default"], Means(folder, "cpu", 1, 1)
    (folder / "run").mkdir()
    found = execute(target, RunFolder(folder / "run"), means)
    return {
        task.name: (one.result, examples_of(task.data, means))
        for task, one in zip(target.tasks, found, strict=True)
    }


def kinds(result: TaskResult, report: str) -> dict[int, str]:
    (found,) = (one for one in result.reports if one.name == report)
    return {one.index: one.verdict.kind for one in found.decisions}


TABLES = ("near_table", "painted_table", "lit_table", "reworded_table")


@pytest.mark.parametrize("name", TABLES)
def test_bounds_and_exact_verdicts_agree(results: Results, name: str) -> None:
    result, _ = results[name]
    exact = kinds(result, "exact")
    for report in ("ibp", "crown"):
        for index, kind in kinds(result, report).items():
            assert kind != "violated"
            assert not (kind == "holds" and exact[index] == "violated")
    proved = {report: set(held(kinds(result, report))) for report in ("ibp", "crown", "exact")}
    assert proved["ibp"] <= proved["crown"]
    assert proved["crown"] <= proved["exact"]
    assert proved["crown"], "nothing was proved: the test shows nothing"


def held(found: dict[int, str]) -> Iterator[int]:
    return (index for index, kind in found.items() if kind == "holds")


def test_the_maximum_over_a_ball_proves_what_its_hull_cannot(results: Results) -> None:
    result, _ = results["near_table"]
    assert len(list(held(kinds(result, "crown")))) > len(list(held(kinds(result, "ibp"))))


@pytest.mark.parametrize("name", ["painted_table", "lit_table", "reworded_table"])
def test_exact_encodings_leave_nothing_open(results: Results, name: str) -> None:
    result, _ = results[name]
    assert "unknown" not in kinds(result, "exact").values()


@pytest.mark.parametrize("name", TABLES)
def test_every_witness_lies_in_its_set(results: Results, name: str) -> None:
    result, examples = results[name]
    (report,) = (one for one in result.reports if one.name == "exact")
    violated = [one for one in report.decisions if one.verdict.kind == "violated"]
    if name != "reworded_table":
        assert violated, "nothing was refuted: the test shows nothing"
    for one in violated:
        witness = one.verdict.witness
        x = examples.pixels(one.index)
        assert INSIDE[name](x, witness.point.reshape(x.shape), witness.evidence.facts)


def in_ball(x: np.ndarray, point: np.ndarray, _: Any) -> bool:
    pairs = zip(x.reshape(-1).tolist(), point.reshape(-1).tolist(), strict=True)
    length = sum((Fraction(one) - Fraction(other)) ** 2 for one, other in pairs)
    return length <= Fraction(1, 4) and point.min() >= 0 and point.max() <= 1


def in_patch(x: np.ndarray, point: np.ndarray, _: Any) -> bool:
    _, rows, columns = np.nonzero(point != x)
    small = all(not side.size or np.ptp(side) <= 1 for side in (rows, columns))
    return small and point.min() >= 0 and point.max() <= 1


def in_light(x: np.ndarray, point: np.ndarray, facts: Any) -> bool:
    a, b = (facts["parameters"][name] for name in ("a", "b"))
    if not (Fraction(9, 10) <= Fraction(a) <= Fraction(11, 10)):
        return False
    there = np.clip(a * x.astype(np.float64) + b, 0, 1)
    return abs(Fraction(b)) <= Fraction(1, 20) and np.abs(there - point).max() < 1e-7


def in_synonyms(x: np.ndarray, point: np.ndarray, _: Any) -> bool:
    words = [line.split() for line in SYNONYMS.splitlines()]
    before, after = (side[0].argmax(1) for side in (x, point))
    swapped = [(words[a], words[b][0]) for a, b in zip(before, after, strict=True) if a != b]
    one_hot = ((point == 0) | (point == 1)).all() and (point.sum(-1) == x.sum(-1)).all()
    return bool(one_hot and len(swapped) <= 2 and all(word in line for line, word in swapped))


INSIDE: dict[str, Callable[[np.ndarray, np.ndarray, Any], bool]] = {
    "near_table": in_ball,
    "painted_table": in_patch,
    "lit_table": in_light,
    "reworded_table": in_synonyms,
}


# --- specs/sets.ibp itself, on the data that come with ibpc -----------------------------------

SETS = Path(__file__).resolve().parents[2] / "specs" / "sets.ibp"
TARGETS = ("default", "l1", "mask", "light", "both", "patch", "words")


def test_every_target_of_the_spec_is_run_below() -> None:
    program = check_file(str(SETS), vocabulary(), {"budget": "quick"})
    assert set(program.targets) == set(TARGETS)
    assert not program.warnings
    forms = {task.claim.set.kind for target in program.targets.values() for task in target.tasks}
    assert forms == {
        "ball_2", "ball_1", "pixels", "image", "intersect", "union", "choice", "simplex",
    }  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize("target", TARGETS)
def test_the_figures_of_a_quick_run_agree_and_its_evidence_stands(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(SETS), target, "-p", "budget=quick", "-o", str(tmp_path)]
    assert main([*command, "--device", "cpu", "--jobs", "1"]) == 0
    (folder,) = tmp_path.glob(f"sets-{target}-*")
    for task in json.loads((folder / "results.json").read_text())["tasks"]:
        check_figures({one["name"]: one for one in task["reports"]}, task["examples"])
    # Every counterexample is run again by onnxruntime, every bound computed once more.
    assert main(["recheck", str(folder)]) == 0, capsys.readouterr().out


def check_figures(reports: dict[str, Any], examples: int) -> None:
    """Test error <= attacked <= exact <= bounds, example by example; doubt has its reason."""
    assert list(reports) == ["test_error", "pgd_error", "ibp_bound", "crown_bound", "verified"]
    wrong = {name: set(one["violated_examples"]) for name, one in reports.items()}
    doubt = {name: {int(k) for k in one["unknown_examples"]} for name, one in reports.items()}
    assert wrong["test_error"] <= wrong["verified"]
    assert wrong["pgd_error"] <= wrong["verified"]
    assert not wrong["ibp_bound"] | wrong["crown_bound"]
    for name in ("ibp_bound", "crown_bound"):
        assert wrong["verified"] <= doubt[name]
        assert doubt["verified"] <= doubt[name]
        assert reports["verified"]["high"] <= reports[name]["high"]
    assert reports["test_error"]["low"] <= reports["pgd_error"]["low"]
    assert reports["pgd_error"]["low"] <= reports["verified"]["low"]
    assert not doubt["test_error"]
    proved = examples - len(wrong["verified"]) - len(doubt["verified"])
    assert proved > 0, "nothing was proved: the test shows nothing"
    for one in reports.values():
        assert one["low"] <= one["high"]
        assert one["holds"] + one["violated"] + one["unknown"] == examples
        assert all(why and "crash" not in why for why in one["unknown_examples"].values())
