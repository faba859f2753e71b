"""`ibpc report` from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page_reading import Page

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ibpc

SPEC = """ibp 1

type Point = real[2] in [0 .. 1]
enum Sign { neg, pos }
type Logits = real[Sign]

param eps_train: real = 0.05 in [0 .. 0.5]

data toy: (x: Point, y: Sign) {
    source = scatter(n = 13, positives = 5, separation = 0.08, seed = 1)
}

net mlp: Point -> Logits {
    default act = relu
    fc 8
    out
}

spec robust(f: Point -> Logits, x0: Point, y: Sign, eps: real) {
    forall x in ball(x0, eps), z = f(x): forall k != y: z[k] - z[y] <= 0
}

train fit(f: Point -> Logits) {
    data = toy
    spec = robust(f, x, y, eps)
    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    optimiser = adam
    batch = 13
    steps = 400
    lr(t) = 1e-2
    eps(t) = 0 until 100, linear to eps_train at 300
    kappa(t) = 1/2
}

verify table(f: Point -> Logits, eps: real) {
    data = toy
    spec = robust(f, x, y, eps)
    report bound = by ibp
    report verified = by ibp then pgd(steps = 20, restarts = 2) then mip(timeout = 1 min)
}

run default {
    table(fit(mlp), eps = 0.02)
    table(fit(mlp), eps = 0.05)
}
"""


@pytest.mark.slow
def test_runs_are_reported_and_compared(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "toy.ibp").write_text(SPEC, encoding="utf-8")
    for eps in ("0.05", "0.08"):
        found = ibpc("run", "toy.ibp", "-p", f"eps_train={eps}", "--jobs", 1, "--device", "cpu")
        assert found.returncode == 0, found.stderr
    folders = sorted((tmp_path / "runs").iterdir())
    for folder in folders:
        page = folder / "report.html"
        first = page.read_bytes()
        page.unlink()
        found = ibpc("report", folder)
        assert (found.returncode, found.stdout) == (0, f"open {page}\n")
        assert page.read_bytes() == first
    found = ibpc("report", *folders)
    assert (found.returncode, found.stdout) == (0, "open comparison.html\n")
    page = Page((tmp_path / "comparison.html").read_text(encoding="utf-8"))
    assert page.problems == []
    assert {name[:2] for name in page.figures} == {"A:", "B:"}


def test_what_is_no_run_is_told(ibpc: Ibpc, tmp_path: Path) -> None:
    found = ibpc("report", tmp_path)
    assert found.returncode == 1
    assert "error[E0592]" in found.stderr
    assert "is not a run folder" in found.stderr
