"""Claims that cannot fail, and claims that fail everywhere, are told; all others are not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ibpc.cli.showing import once
from ibpc.cli.status import table
from ibpc.cli.vocabulary import vocabulary
from ibpc.data import Examples
from ibpc.errors import Diagnostic, Span
from ibpc.experiment import Means, Verified, execute, opened, run_folder
from ibpc.integrity import cell_standings
from ibpc.language import InputSet, TensorType, check_file
from ibpc.report import RunReport, console_table
from ibpc.sets import empty, settle_datum
from ibpc.sets.lowering import ground
from ibpc.verification.subject import Subject
from ibpc.verification.vacuity import infeasible, vacuous

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """ibp 1

type Point = real[2] in [0 .. 1]
enum Sign {{ neg, pos }}

data toy: (x: Point, y: Sign) {{
    source = scatter(n = 20, positives = 8, separation = 0.05, seed = 1)
}}

net small: Point -> real[Sign] {{
    default act = relu
    fc 64
    out
}}

spec right(f: Point -> real[Sign], x0: Point, y: Sign, eps: real) {{
    forall x in ball(x0, eps), z = f(x): forall k != y: z[k] - z[y] <= 0
}}

spec mine(f: Point -> real[Sign], x0: Point, y: Sign) {{
    {claim}
}}

train fit(f: Point -> real[Sign]) {{
    data = toy
    spec = right(f, x, y, eps)
    steps = 800
    lr(t) = 3e-2
    eps(t) = 0 until 10, linear to 0.001 at 20
    kappa(t) = 1
}}

verify v(f: Point -> real[Sign]) {{
    data = toy
    spec = mine(f, x, y)
    report bounds = by ibp
    report exact = by pgd(steps = 5) then mip(timeout = 1 min)
}}

run default {{
    v({net})
}}
"""

ALONE = """ibp 1

type Point = real[2] in [0 .. 1]

net small: Point -> real[2] {{
    default act = relu
    fc 16
    out
}}

spec mine(f: Point -> real[2]) {{
    {claim}
}}

verify v(f: Point -> real[2]) {{
    spec = mine(f)
    report exact = by pgd(steps = 5) then mip(timeout = 1 min)
}}

run default {{
    v({net})
}}
"""


def run(
    folder: Path, claim: str, text: str = TEXT, net: str = "small"
) -> tuple[list[Diagnostic], Verified]:
    """What is told while a spec is run, and its result; results and page are written."""
    path = folder / "a.ibp"
    path.write_text(text.format(claim=claim, net=net), encoding="utf-8")
    program = check_file(str(path), vocabulary())
    target = program.targets["default"]
    place = run_folder(folder / "runs", program, target)
    told: list[Diagnostic] = []
    with opened(place):
        (result,) = execute(target, place, Means(folder, "cpu", 1, 1), told.append)
        (place.path / "manifest.json").write_text('{"spec": "a.ibp", "target": "default"}')
        with RunReport(place.path) as report:
            assert isinstance(result, Verified)
            report.add(result)
            report.finish()
    return told, result


def page_and_facts(folder: Path) -> tuple[str, dict[str, Any]]:
    (page,), (facts,) = folder.glob("runs/*/report.html"), folder.glob("runs/*/results.json")
    (task,) = json.loads(facts.read_text(encoding="utf-8"))["tasks"]
    return page.read_text(encoding="utf-8"), task


def test_a_claim_with_the_wrong_polarity_is_told_once_and_everywhere(tmp_path: Path) -> None:
    claim = "forall x in ball(x0, 0.001), z = f(x): forall k != y: z[y] - z[k] <= 0"
    (told,), result = run(tmp_path, claim, net="fit(small)")
    assert told.code == "W0613"
    assert re.fullmatch(r"the claim already fails at (19|20) of 20 data, left as .*", told.problem)
    assert re.fullmatch(r"with its comparisons turned round .* (19|20) of these", told.notes[0])
    assert "never its negation" in told.fix
    assert result.result.warnings == (told,)
    page, task = page_and_facts(tmp_path)
    assert task["warnings"][0]["code"] == "W0613"
    assert page.count(told.problem) == 1


@pytest.mark.parametrize(
    "claim",
    [
        "forall x in ball(x0, 0.001), z = f(x): forall k != y: z[k] - z[y] <= 0",
        "forall x in ball(x0, 1), z = f(x): forall k != y: z[k] - z[y] <= 0",
        "forall x in ball(x0, 1/4), z = f(x): z[y] >= -1000",
        "exists x in ball(x0, 0.001), z = f(x): z[y] <= -1000",
        "forall x in intersect(ball(x0, 0.01), ball(x0, 0.01, norm = 2)), z = f(x): z[y] <= 1000",
    ],
)
def test_nothing_is_told_of_claims_that_are_meant(tmp_path: Path, claim: str) -> None:
    told, result = run(tmp_path, claim)
    assert told == []
    assert not any(report.vacuous for report in result.result.reports[1:])
    assert page_and_facts(tmp_path)[1]["warnings"] == []


def test_a_premise_that_is_true_for_some_data_is_no_news_but_said_of_the_others(
    tmp_path: Path,
) -> None:
    claim = "forall x in ball(x0, 0.01), z = f(x): x[0] >= 1/2 => z[y] >= -1000"
    told, verified = run(tmp_path, claim)
    assert told == []
    vacuous = verified.result.reports[0].vacuous
    assert 0 < len(vacuous) < 20
    assert set(vacuous.values()) == {"the premise is never true"}
    assert "decided vacuously (the premise is never true)" in console_table(verified)
    page, task = page_and_facts(tmp_path)
    assert task["reports"][0]["vacuous_examples"] == {str(i): w for i, w in vacuous.items()}
    assert "decided vacuously" in page
    program = check_file(str(tmp_path / "a.ibp"), vocabulary())
    cells, _ = cell_standings(program, ["default"], tmp_path / "runs", tmp_path)
    assert cells[0].proved == 20
    assert sorted(cells[0].vacuous) == sorted(vacuous.values())
    assert f"note: {len(vacuous)} of these are vacuous" in "\n".join(table(cells))


def test_a_premise_that_no_input_makes_true_is_told(tmp_path: Path) -> None:
    claim = (
        "forall x in ball(x0, 0.01), z = f(x):"
        " x[0] - x[1] >= 0.3 and x[1] - x[0] >= 0.3 => z[y] >= 1000"
    )
    (told,), verified = run(tmp_path, claim)
    assert told.code == "W0612"
    assert told.problem.startswith("the claim's premise is never true, for none of 20 examples")
    exact = verified.result.reports[1]
    assert exact.counts["holds"] == 20
    assert len(exact.vacuous) == 20


def test_an_empty_intersection_is_told_and_no_proof_hides_it(tmp_path: Path) -> None:
    claim = (
        "forall x in intersect({ clip(x0 + b, 0, 1) for b in [0.2 .. 0.3] }, ball(x0, 0.1)),"
        " z = f(x): z[y] >= 1000"
    )
    (told,), verified = run(tmp_path, claim)
    assert told.code == "W0611"
    assert "the input set is empty for " in told.problem
    for report in verified.result.reports:
        holds = {one.index for one in report.decisions if one.verdict.kind == "holds"}
        assert holds <= set(report.vacuous)


def test_a_claim_without_data_that_fails_nearly_everywhere_is_told(tmp_path: Path) -> None:
    (told,), _ = run(tmp_path, "forall x in Point, z = f(x): z[0] >= 1000", ALONE)
    assert told.code == "W0613"
    assert "of 100 random points of its set" in told.problem
    told2, _ = run(tmp_path, "forall x in Point, z = f(x): z[0] <= 1000", ALONE)
    assert told2 == []


def test_what_the_checker_has_told_is_not_told_again(tmp_path: Path) -> None:
    claim = "forall x in Point, z = f(x): x[0] >= 2 => z[0] >= 1000"
    told, verified = run(tmp_path, claim, ALONE)
    assert told == []
    assert [one.code for one in verified.result.warnings] == ["W0612"]
    assert verified.result.reports[0].vacuous == {0: "the premise is never true"}


# --- emptiness against samples ---------------------------------------------------------------

KIND = TensorType((2,), ((Fraction(0), Fraction(1)),))
BRIGHT = InputSet(
    "image",
    lower=(Fraction(1, 5),),
    upper=(Fraction(3, 10),),
    options=(
        ("variables", ("b",)),
        ("gain", ((Fraction(1),), (Fraction(0),))),
        ("shift", ((Fraction(0),), (Fraction(1),))),
        ("limits", (Fraction(0), Fraction(1))),
    ),
)


@pytest.mark.parametrize("norm", ["ball", "ball_1", "ball_2"])
@pytest.mark.parametrize("eps", [Fraction(1, 50), Fraction(1, 10), Fraction(1, 4)])
def test_no_set_that_holds_a_sample_is_called_empty(norm: str, eps: Fraction) -> None:
    """Images with b in [0.2, 0.3] within eps of their datum, against a grid of b."""
    given = InputSet("intersect", parts=(BRIGHT, InputSet(norm, eps)))
    x = np.random.default_rng(0).uniform(0, 1, (60, 2)).astype("f4")
    found = empty(given, KIND, x)
    orders = {"ball": np.inf, "ball_1": 1, "ball_2": 2}
    moved = np.clip(x[:, None] + np.linspace(0.2, 0.3, 101)[:, None], 0, 1)
    near = np.linalg.norm(moved - x[:, None], ord=orders[norm], axis=2) <= float(eps)
    held = near.any(axis=1)
    assert not (found & held).any()
    if eps == Fraction(1, 50) or (norm == "ball" and eps == Fraction(1, 10)):
        assert found.any()


def test_linear_programs_find_what_bounds_miss() -> None:
    """Contrast 2 and brightness -0.2 keep each of two entries near, never both."""
    image = replace(
        BRIGHT,
        lower=(Fraction(-1),),
        upper=(Fraction(1),),
        options=(
            ("variables", ("t",)),
            ("gain", ((Fraction(1),), (Fraction(0),))),
            ("shift", ((Fraction(0),), (Fraction(1, 2), Fraction(-1, 2)))),
            ("limits", None),
        ),
    )
    box = InputSet("pixels", Fraction(1), (Fraction(-1, 10),) * 2, (Fraction(2, 10),) * 2)
    given = InputSet("intersect", parts=(image, box))
    x = np.full((1, 2), 0.5, dtype="f4")
    assert not empty(given, KIND, x).any()
    assert settle_datum(ground(given, KIND, x)) is None
    data = Examples(x, np.zeros(1, dtype=np.int64), 1.0, "one")
    from small_tasks import task

    claim = replace(task().claim, set=given)
    subject = Subject(b"", "none", claim, KIND, data, 1, "cpu")
    assert vacuous(subject) == {0: "the input set is empty"}


def test_a_thin_polytope_is_not_called_empty() -> None:
    from scipy.sparse import csr_array

    matrix = csr_array(np.array([[1.0, 1.0], [-1.0, -1.0]]))
    equal, box = np.zeros(2, dtype=bool), (np.zeros(2), np.ones(2))
    assert not infeasible(matrix, np.array([1.0, -1.0]), equal, *box)
    assert not infeasible(matrix, np.array([1.0, -1.0 - 1e-7]), equal, *box)
    assert infeasible(matrix, np.array([1.0, -1.01]), equal, *box)


def test_a_sweep_is_told_a_warning_once(capsys: pytest.CaptureFixture[str]) -> None:
    place, other = Span("a.ibp", 1, 1, 1, 2), Span("a.ibp", 2, 1, 2, 2)
    warn = once()
    for failed, at in ((90, place), (91, place), (92, other)):
        warn(Diagnostic("W0613", f"the claim already fails at {failed}", at))
    told = capsys.readouterr().err
    assert told.count("warning[W0613]") == 2
    assert "fails at 91" not in told
