"""`ibpc verify SPEC.ibp CLAIM` and `ibpc run` on claims over other people's networks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_networks import write_network

if TYPE_CHECKING:
    from command import Ibpc

SPEC = """ibp 1

unit m
unit km = 1000 m

enum Side { left, right }

record Pose {
    near: m in [0 .. 1]
    far: km in [1 .. 3]
}

param limit: real = 5

net first: Pose -> real[Side] = onnx("nets/first.onnx") {
    input = (x - [0, 2]) / [1, 4]
    output = 2 * y + 0.5
}

net second: Pose -> real[Side] = onnx("nets/second.onnx") {
    input = (x - [0, 2]) / [1, 4]
}

net plain: Pose -> real[Side] {
    out
}

spec low(f: Pose -> real[Side]) {
    forall s in Pose, z = f(s): s.far <= 2500 m => z[left] <= limit and not minimal(z, right)
}

spec bounded(f: Pose -> real[Side]) {
    forall s in Pose, z = f(s): z[left] <= limit or z[right] <= limit
}

spec alike(f: Pose -> real[Side], g: Pose -> real[Side]) {
    forall s in Pose: forall k in Side: -limit <= f(s)[k] - g(s)[k] <= limit
}

spec reached(f: Pose -> real[Side]) {
    exists s in Pose, z = f(s): z[left] >= -limit
}

verify both(f: Pose -> real[Side], g: Pose -> real[Side]) {
    spec = alike(f, g)
    report alike = by pgd(steps = 20) then split(timeout = 1 min)
}

run default {
    both(first, second)
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    for seed, name in enumerate(("first", "second")):
        write_network(tmp_path / "nets" / f"{name}.onnx", (2,), 6, 2, seed)
    path = tmp_path / "spec.ibp"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_a_claim_that_holds_is_unsat(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("verify", spec, "bounded(first)")
    assert (found.returncode, found.stdout) == (0, "unsat\n")
    assert found.stderr == "bounded(first): holds\n"


def test_a_claim_that_fails_is_sat_with_a_witness_in_both_units(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("verify", spec, "bounded(first)", "-p", "limit=-5", "--json")
    assert found.returncode == 10
    word, rest = found.stdout.split("\n", 1)
    told = json.loads(rest)
    assert (word, told["claim"]) == ("sat", "bounded(first): violated")
    assert min(2 * value + 0.5 for value in told["outputs"]) > -5
    near, far = (line.split() for line in told["witness"])
    assert (near[0], near[3], far[0], far[3]) == ("near", "m", "far", "km")
    assert float(near[2]) == pytest.approx(told["inputs"][0])
    assert float(far[2]) == pytest.approx(4 * told["inputs"][1] + 2)


def test_a_proof_under_a_premise_that_is_never_true_is_called_vacuous(
    ibpc: Ibpc, spec: Path
) -> None:
    spec.write_text(SPEC.replace("s.far <= 2500 m", "s.far <= 900 m"), encoding="utf-8")
    found = ibpc("verify", spec, "low(first)")
    assert (found.returncode, found.stdout) == (0, "unsat\n")
    assert found.stderr.startswith("warning[W0612]: this premise is true for no input of the set")
    assert "W0612" not in ibpc("verify", spec, "bounded(first)").stderr
    # Each row of this premise can be true, both together cannot.
    premise = "s.near + s.near >= 1.2 m and s.near <= 0.5 m"
    spec.write_text(SPEC.replace("s.far <= 2500 m", premise), encoding="utf-8")
    found = ibpc("verify", spec, "low(first)")
    assert (found.returncode, found.stdout) == (0, "unsat\n")
    assert found.stderr.startswith("warning[W0612]: the claim's premise is never true; the claim")


def test_two_networks_and_what_exists(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("verify", spec, "alike(first, second)")
    assert (found.returncode, found.stdout) == (0, "unsat\n")
    found = ibpc("verify", spec, "alike(first, second)", "-p", "limit=0.01")
    assert (found.returncode, found.stdout[:4]) == (10, "sat\n")
    assert "near = " in found.stderr
    found = ibpc("verify", spec, "reached(second)")
    assert (found.returncode, found.stderr.splitlines()[0]) == (10, "reached(second): holds")
    found = ibpc("verify", spec, "reached(second)", "-p", "limit=-50")
    assert (found.returncode, found.stderr) == (0, "reached(second): violated\n")


def test_an_unclear_claim_is_a_mistake_and_no_property_wrong_usage(ibpc: Ibpc, spec: Path) -> None:
    for asked in ("low", "nothing", "low(first", "low(third)", "low(plain)", "alike(plain, first)"):
        found = ibpc("verify", spec, asked)
        assert (found.returncode, found.stdout) == (1, "")
        assert found.stderr.startswith("error[E")
    assert ibpc("verify", spec.parent / "nets" / "first.onnx").returncode == 2
    (spec.parent / "nets" / "first.onnx").unlink()
    found = ibpc("verify", spec, "low(first)")
    assert found.returncode == 1
    assert "put the ONNX file at" in found.stderr


def test_a_run_asks_the_same_engine(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("run", spec)
    assert found.returncode == 0, found.stderr
    assert "split 1" in found.stdout
    found = ibpc("run", spec, "-p", "limit=0.01")
    assert "100.00 %" in found.stdout


def test_a_compiled_claim_is_verified_as_vnnlib(ibpc: Ibpc, spec: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    for limit, word in (("5", "unsat"), ("0.01", "sat")):
        assert ibpc("compile", spec, "-o", folder, "-p", f"limit={limit}").returncode == 0
        for name in ("claim.vnnlib", "claim-2.vnnlib"):
            model = folder / "first_second" / "model.onnx"
            found = ibpc("verify", model, folder / "first_second" / "alike" / name)
            assert found.stdout.splitlines()[0] == word, found.stderr


def test_acas_in_physical_units_over_an_official_network(ibpc: Ibpc, tmp_path: Path) -> None:
    suite = os.environ.get("IBPC_VNNCOMP")
    if not suite:
        pytest.skip("IBPC_VNNCOMP does not name a folder of instances")
    import gzip

    name = "ACASXU_run2a_1_2_batch_2000.onnx"
    packed = Path(suite) / "onnx" / f"acasxu__{name}.gz"
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / name).write_bytes(gzip.decompress(packed.read_bytes()))
    (tmp_path / "acas.ibp").write_bytes((root / "specs" / "acas.ibp").read_bytes())
    for claim, word in (("phi2", "sat"), ("phi3", "unsat"), ("phi4", "unsat")):
        found = ibpc("verify", tmp_path / "acas.ibp", f"{claim}(acas_1_2)", "--timeout", 120)
        assert found.stdout.splitlines()[0] == word, found.stderr


@pytest.mark.slow
def test_the_relations_of_the_spec_are_proved_after_training(tmp_path: Path) -> None:
    """Near equality, consistency, monotonicity, and a point that is there: all to the end."""
    import ibpc as package

    specs = Path(__file__).resolve().parents[2] / "specs"
    results = package.run(specs / "relations.ibp", folder=tmp_path, device="cpu", jobs=1)
    found = {result.title: result.reports[-1].counts for result in results}
    assert list(found) == [
        "same narrow_wide",
        "consents narrow_wide",
        "rises narrow_narrow",
        "reaches wide",
    ]
    for title, counts in found.items():
        assert counts["holds"] == 1, title
