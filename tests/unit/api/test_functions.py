"""The functions on small networks: bounds enclose samples, verdicts agree with them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import ibpc
from ibpc.graph import run_onnxruntime

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
ibp 1

type Point = real[2] in [0 .. 1]
enum Sign { neg, pos }
type Logits = real[Sign]

param eps: real = 0.03 in [0 .. 0.5]

data toy: (x: Point, y: Sign) {
    source = scatter(n = 13, positives = 5, separation = 0.08, seed = 1)
}

net mlp: Point -> Logits {
    default act = relu
    fc 12
    out
}

## Around each point.
set near(x0: Point, r: real) = ball(x0, r)

## The label stays the largest.
spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in near(x0, eps), z = f(x): forall k != y: z[k] - z[y] <= 0
}

train fit(f: Point -> Logits) {
    data = toy
    spec = robust(f, x, y, eps)
    bound = ibp
    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    optimiser = adam
    batch = 13
    steps = 40
    lr(t) = 1e-2
    eps(t) = 0 until 5, linear to 0.02 at 20
    kappa(t) = 1 until 5, linear to 1/2 at 20
}

verify table(f: Point -> Logits) {
    data = toy
    spec = robust(f, x, y, eps)
    report ibp_bound = by ibp
}

run default {
    table(fit(mlp))
}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "toy.ibp").write_text(SPEC, encoding="utf-8")
    return tmp_path / "toy.ibp"


@pytest.fixture
def module() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8), torch.nn.ReLU(),
        torch.nn.Linear(8, 4),
    )  # fmt: skip


@pytest.mark.parametrize("method", ["ibp", "crown", "alpha-crown"])
def test_bounds_of_a_torch_module_enclose_its_outputs(module: torch.nn.Module, method: str) -> None:
    lower, upper = np.full(3, -0.5), np.full(3, 0.25)
    found = ibpc.bounds(module, lower, upper, method)
    points = torch.tensor(np.random.default_rng(0).uniform(lower, upper, (10_000, 3)))
    with torch.no_grad():
        outputs = module.double()(points).numpy()
    assert found.lower.shape == found.upper.shape == (4,)
    assert (found.lower <= outputs.min(0)).all()
    assert (outputs.max(0) <= found.upper).all()
    assert found.lower.dtype == np.float64
    assert repr(found).startswith(f"Bounds({method}: [")
    assert not module.eval().training


def test_alpha_crown_is_no_looser_than_crown(module: torch.nn.Module) -> None:
    lower, upper = np.full(3, -0.5), np.full(3, 0.25)
    plain = ibpc.bounds(module, lower, upper, "crown")
    better = ibpc.bounds(module, lower, upper, "alpha-crown")
    width = (plain.upper - plain.lower).sum()
    assert (better.upper - better.lower).sum() <= width + 1e-9


def test_a_wrong_box_or_method_is_told(module: torch.nn.Module) -> None:
    with pytest.raises(ibpc.IbpcError, match="no box"):
        ibpc.bounds(module, [0, 0, 1], [1, 1, 0])
    with pytest.raises(ibpc.IbpcError, match="no box"):
        ibpc.bounds(module, [0, 0, float("nan")], [1, 1, 1])
    with pytest.raises(ValueError, match="alpha-crown"):
        ibpc.bounds(module, [0, 0, 0], [1, 1, 1], "magic")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="torch module"):
        ibpc.bounds(3, [0], [1])


def test_verify_agrees_with_samples(path: Path, tmp_path: Path) -> None:
    model = ibpc.train(path, folder=tmp_path / "runs", device="cpu")
    data = model.read_bytes()
    kinds = set()
    for x in ([0.2, 0.3], [0.8, 0.9], [0.5, 0.5]):
        outputs = next(iter(run_onnxruntime(data, {"x": np.array([x], "f4")}).values()))
        label = int(outputs.argmax())
        for eps in (Fraction(1, 1000), 0.4):
            answer = ibpc.verify(model, ibpc.robustness(x, eps, label, 2), timeout=20)
            kinds.add(answer.kind)
            if answer.kind == "violated":
                assert answer.x is not None
                assert np.abs(answer.x - np.array(x, "f4")).max() <= float(eps) + 1e-6
                again = next(iter(run_onnxruntime(data, {"x": answer.x.reshape(1, 2)}).values()))
                assert again.argmax() != label or again[0, label] == again[0, 1 - label]
    assert "holds" in kinds


def test_a_property_keeps_its_numbers_exact() -> None:
    text = ibpc.robustness([0.1], Fraction(1, 3), 0, 2, low=None, high=None)
    exact = Fraction(float(np.float32(0.1)))
    below, above = (
        Fraction(line.split()[-1].rstrip(")")) for line in text.splitlines() if "X_0 " in line[9:]
        and "assert" in line
    )  # fmt: skip
    assert 0 <= (exact - Fraction(1, 3)) - below < Fraction(1, 10**29)
    assert 0 <= above - (exact + Fraction(1, 3)) < Fraction(1, 10**29)


def test_a_spec_shows_what_it_holds(path: Path) -> None:
    spec = ibpc.load(path, eps=0.05)
    assert spec.params["eps"] == Fraction(1, 20)
    text = repr(spec)
    assert "nets    mlp" in text
    assert "params  eps = 0.05" in text
    assert repr(spec.nets["mlp"]).startswith("net mlp: Point[2] -> Logits[2]")
    assert spec.nets["mlp"].parameters == 2 * 12 + 12 + 12 * 2 + 2
    assert spec.sets["near"].doc == "Around each point."
    assert "forall k != y" in repr(spec.claims["robust"])
    assert "verify table mlp" in repr(spec.plans["default"])
    assert spec.data["toy"].text.startswith("data toy: real[2], 2 labels, scatter(")
    page = spec._repr_html_()
    assert "&lt;= 0" in page
    assert "<table>" in spec.nets._repr_html_()
    with pytest.raises(ibpc.IbpcError, match="eps"):
        ibpc.load(path, eps=0.9)
    assert ibpc.bounds(spec.nets["mlp"], [0, 0], [1, 1]).lower.shape == (2,)


def test_run_gives_the_results_of_the_command(path: Path, tmp_path: Path) -> None:
    spec = ibpc.load(path)
    (result,) = ibpc.run(spec, folder=tmp_path / "runs", device="cpu")
    assert result.examples == 13
    assert [one.name for one in result.reports] == ["ibp_bound"]
    model = ibpc.train(spec, "fit(mlp)", folder=tmp_path / "runs", device="cpu")
    assert model.parent != next((tmp_path / "runs").glob("toy-default-*"))
    with pytest.raises(ibpc.IbpcError, match="no plan trains"):
        ibpc.train(spec, "fit(mpl)")
    with pytest.raises(ibpc.IbpcError, match="no run or sweep"):
        ibpc.run(spec, "defalt")


def test_a_finite_decimal_is_written_in_full() -> None:
    tiny = float(np.float32(1e-30))
    text = ibpc.robustness([tiny, -0.5, 3.0], Fraction(0), 0, 2, low=None, high=None)
    numbers = [
        Fraction(line.split()[-1].rstrip(")"))
        for line in text.splitlines()
        if line.startswith(("(assert (>= X", "(assert (<= X"))
    ]
    exact = [Fraction(tiny), Fraction(-1, 2), Fraction(3)]
    assert numbers == [value for value in exact for _ in range(2)]
