"""Claims beyond Eq. 3, from the spec's text to verdicts: bounds, MIP and samples agree."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ibpc.cli.vocabulary import vocabulary
from ibpc.experiment import Means, Verified, execute, opened, run_folder
from ibpc.graph import Runtime
from ibpc.language import VerifyTask, check_file

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.language import Claim, Program
    from ibpc.verification import TaskResult
    from ibpc.verification.verdict import Verdict

TEXT = """ibp 1

type Point = real[2] in [0 .. 1]
enum Sign {{ neg, pos, none }}

net big: Point -> real[Sign] {{
    default act = relu
    fc 8
    fc 8
    out
}}

net small: Point -> real[Sign] {{
    default act = relu
    fc 6
    out
}}

spec mine(f: Point -> real[Sign], g: Point -> real[Sign]) {{
    {claim}
}}

verify v(f: Point -> real[Sign] = big, g: Point -> real[Sign] = small) {{
    spec = mine(f, g)
    report bounds = by ibp then crown then crown(steps = 10)
    report attack = by pgd(steps = 30, restarts = 5)
    report exact = by mip(timeout = 1 min)
    report split = by split(timeout = 30 s)
}}

run default {{
    v
}}
"""

CLAIMS = [
    "forall x in Point, z = f(x): z[neg] < z[pos] or z[none] <= z[neg] + {t}",
    "forall x in Point, z = f(x): x[0] <= 0.4 and x[1] >= 0.3 => z[pos] <= {t}",
    "forall x in box([0.1, 0], [0.6, 0.5]), z = f(x): exists k != pos: z[k] <= z[pos] + {t}",
    "forall x in Point, z = f(x): [[1, -1, 0], [0, 1, -1]] @ z <= {t}",
    "forall x in Point: forall k in Sign: -1 - {t} <= f(x)[k] - g(x)[k] <= 1 + {t}",
    "forall x in Point: f(x)[neg] <= {t} or g(x)[pos] <= {t}",
    "forall x in Point, u in Point: x[0] <= u[0] and agree(x, u, except = 0)"
    " => f(x)[neg] <= f(u)[neg] + {t}",
    "exists x in Point, z = f(x): z[neg] >= {t} and z[pos] <= z[neg]",
]


def checked(folder: Path, claim: str) -> Program:
    path = folder / "spec.ibp"
    path.write_text(TEXT.format(claim=claim), encoding="utf-8")
    return check_file(str(path), vocabulary())


def verified(folder: Path, program: Program) -> tuple[TaskResult, Path]:
    target = program.targets["default"]
    runs = run_folder(folder / "runs", program, target)
    with opened(runs):
        (done,) = execute(target, runs, Means(folder, "cpu", 1, 1))
    assert isinstance(done, Verified)
    result = done.result
    (model,) = list(runs.nets.glob("*-*.onnx")) or [runs.nets / "big.onnx"]
    return result, model


def verdicts(result: TaskResult) -> dict[str, Verdict]:
    return {report.name: report.decisions[0].verdict for report in result.reports}


def violation(claim: Claim, values: np.ndarray) -> float:
    """The largest over clauses of the smallest over their rows, at one point's numbers."""
    rows = [
        float(row.constant) + sum(float(f) * values[k] for k, f in row.coefficients)
        for row in claim.rows[0]
    ]
    return max(min(rows[row] for row in clause) for clause in claim.clauses_of(0))


def sampled(claim: Claim, model: Path) -> float:
    """The largest violation on a grid of the claim's box."""
    runtime = Runtime(model.read_bytes())
    width = next(iter(runtime.shapes.values()))[-1]
    sides = [(0, 1)] * width
    if claim.set.kind == "box":
        sides = list(zip(map(float, claim.set.lower), map(float, claim.set.upper), strict=True))
    axes = [np.linspace(low, high, 15 if width == 3 else 60) for low, high in sides]
    points = np.array(list(product(*axes)), dtype=np.float32)
    outputs = next(iter(runtime.run({runtime.inputs[0]: points}).values()))
    both = np.concatenate([outputs, points], axis=1)
    return max(violation(claim, row) for row in both.astype(np.float64))


EXPECTED = [
    ("-0.7", "uvv", "3", "huh"),
    ("-0.7", "uvv", "0.05", "huh"),
    ("-0.7", "uvv", "0.05", "huh"),
    ("-0.7", "uvv", "0.05", "uuh"),
    ("-0.9", "uvv", "0.05", "huh"),
    ("-0.7", "uvv", "0.05", "huh"),
    ("-0.7", "uvv", "0.05", "uuh"),
    ("-0.7", "uhh", "0.05", "vuv"),
]
CASES = [
    case
    for form, (t, first, u, second) in zip(CLAIMS, EXPECTED, strict=True)
    for case in ((form, t, first), (form, u, second))
]


@pytest.mark.parametrize(("form", "t", "expected"), CASES)
def test_bounds_attack_and_mip_agree_with_samples(
    form: str, t: str, expected: str, tmp_path: Path
) -> None:
    """`expected`: first letters of the verdicts of bounds, attack and MIP; split is like MIP."""
    program = checked(tmp_path, form.format(t=t))
    task = program.targets["default"].tasks[0]
    assert isinstance(task, VerifyTask)
    result, model = verified(tmp_path, program)
    found = verdicts(result)
    assert "".join(one.kind[0] for one in found.values()) == expected + expected[-1]
    refuted = "holds" if task.claim.exists else "violated"
    if sampled(task.claim, model) > 1e-4:
        assert found["exact"].kind == refuted
    if found["exact"].kind == refuted:
        witness = found["exact"].witness  # type: ignore[union-attr]
        assert Fraction(witness.evidence.facts["violation"]) >= 0
