"""A network by reference: somebody's ONNX file, with the spec's units around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from small_specs import DIGITS

from ibpc.cli.vocabulary import vocabulary
from ibpc.graph import emit, write_onnx
from ibpc.language import check_file

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ibpc

OTHERS = """
net plain: Image -> Logits = onnx("theirs.onnx")

net mapped: Image -> Logits = onnx("theirs.onnx") {
    input = (x - 1/2) * 2
    output = 3 * y + 1
}

spec gap[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        z[0] + z[1] - 2 * z[2] <= 30
        and z[3] - 4 <= 3 * z[4] + 50
}

verify gaps(f: Image -> Logits) {
    data = digits.test
    first = 20
    spec = gap(f, x, y, 0.05)
    report error = by ibp
        then pgd(steps = 10, restarts = 1)
        then mip(timeout = 30 s)
        else unknown
}

run others {
    table(plain)
    table(mapped)
    gaps(plain)
}
"""


def test_networks_by_reference_are_verified_with_their_maps(ibpc: Ibpc, tmp_path: Path) -> None:
    spec = tmp_path / "spec.ibp"
    spec.write_text(DIGITS, encoding="utf-8")
    tiny = check_file(str(spec), vocabulary()).nets["tiny"]
    (tmp_path / "theirs.onnx").write_bytes(write_onnx(emit(tiny, seed=3)))
    spec.write_text(DIGITS + OTHERS, encoding="utf-8")
    found = ibpc("run", "spec.ibp", "others", "-o", "out", "--jobs", "1")
    assert found.returncode == 0, found.stderr
    (results,) = tmp_path.glob("out/*/results.json")
    plain, mapped, gaps = json.loads(results.read_text(encoding="utf-8"))["tasks"]
    assert plain["network"] != mapped["network"]
    for task in (plain, mapped, gaps):
        assert all(report["unknown"] == 0 for report in task["reports"][2:])
    assert gaps["reports"][0]["meaning"] == "exact"


def test_an_absent_reference_is_a_warning_for_check(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "spec.ibp").write_text(DIGITS + OTHERS, encoding="utf-8")
    found = ibpc("check", "spec.ibp")
    assert found.returncode == 0
    assert "warning[W0501]" in found.stderr
    assert "theirs.onnx" in found.stderr
