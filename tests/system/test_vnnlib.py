"""`ibpc vnnlib convert` from outside."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ibpc

TEXT = """\
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (<= X_0 1))
(assert (>= X_0 0))
(assert (<= X_1 1e-2))
(assert (>= X_1 0))
(assert (>= Y_0 0.5))
"""


def test_a_property_goes_to_2_0_and_back(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "one.vnnlib").write_text(TEXT)
    first = ibpc("vnnlib", "convert", "one.vnnlib", "-o", "two.vnnlib.gz")
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    text = gzip.decompress((tmp_path / "two.vnnlib.gz").read_bytes()).decode()
    assert text.startswith("(vnnlib-version <2.0>)")
    assert "(assert (<= X[1] 0.01))" in text
    back = ibpc("vnnlib", "convert", "two.vnnlib.gz")
    assert back.returncode == 0
    assert "(assert (<= X_1 0.01))" in back.stdout
    assert "(assert (>= Y_0 0.5))" in back.stdout


def test_a_network_gives_shapes_and_element_types(ibpc: Ibpc, tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("in", ["batch", 2]), ("out", [1, 1]))
    ]
    nodes = [helper.make_node("ReduceSum", ["in"], ["out"])]
    save(
        helper.make_model(helper.make_graph(nodes, "g", *[[v] for v in values])),
        tmp_path / "n.onnx",
    )
    (tmp_path / "one.vnnlib").write_text(TEXT)
    found = ibpc("vnnlib", "convert", "one.vnnlib", "--network", "n.onnx")
    assert "(declare-input X float32 [1,2])" in found.stdout
    assert "(assert (>= Y[0,0] 0.5))" in found.stdout
    real = ibpc("vnnlib", "convert", "one.vnnlib", "--network", "n.onnx", "--real")
    assert "(declare-output Y real [1,1])" in real.stdout


def test_what_a_version_cannot_say_is_told(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "strict.vnnlib").write_text(TEXT + "(assert (< Y_0 3))\n")
    found = ibpc("vnnlib", "convert", "--to", "1.0", "strict.vnnlib")
    assert found.returncode == 0
    assert "warning[W0906]" in found.stderr
    assert found.stdout.startswith("; strict comparisons")
    assert ibpc("vnnlib", "convert", "strict.vnnlib").stderr == ""


def test_mistakes_are_located_and_exit_with_1(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "wrong.vnnlib").write_text(TEXT.replace("Y_0 0.5", "Y_1 0.5"))
    found = ibpc("vnnlib", "convert", "wrong.vnnlib")
    assert found.returncode == 1
    assert "wrong.vnnlib:8:13" in found.stderr
    (tmp_path / "one.vnnlib").write_text(TEXT)
    for arguments in (["absent"], ["one.vnnlib", "--network", "one.vnnlib"]):
        found = ibpc("vnnlib", "convert", *arguments)
        assert found.returncode == 1
        assert found.stderr.startswith("error[")
        assert "Traceback" not in found.stderr
    assert ibpc("vnnlib").returncode == 2
