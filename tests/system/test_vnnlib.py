"""`ibpc vnnlib convert` from outside."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

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


@pytest.fixture
def difference(tmp_path: Path) -> Path:
    """y = relu(x_0 - x_1)."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", 2), ("y", 1))
    ]
    weight = numpy_helper.from_array(np.array([[1.0, -1.0]], np.float32), "w")
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weight])
    path = tmp_path / "net.onnx"
    save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


QUERY = """\
(vnnlib-version <2.0>)
(declare-network f (declare-input In real [1,2]) (declare-output Out real [1,1]))
(assert (and (<= In[0,0] 1.0) (>= In[0,0] 0.0) (<= In[0,1] 1.0) (>= In[0,1] 0.25)))
(assert (>= Out[0,0] 0.5))
"""


def test_verify_answers_as_the_standard_says(ibpc: Ibpc, difference: Path, tmp_path: Path) -> None:
    (tmp_path / "q.vnnlib").write_text(QUERY)
    found = ibpc("vnnlib", "verify", "q.vnnlib", "--network", f"f={difference}")
    assert found.returncode == 0, found.stderr
    word, *lines = found.stdout.splitlines()
    assert (word, lines[0], lines[3]) == ("sat", "In real [1,2]", "Out real [1,1]")
    left, right, out = (float(lines[place]) for place in (1, 2, 4))
    assert 0.25 <= right <= 1
    assert out >= 0.5
    assert abs(left - right - out) < 1e-6
    (tmp_path / "q.vnnlib").write_text(QUERY.replace("0.5", "0.8"))
    found = ibpc("vnnlib", "verify", "q.vnnlib", "--network", f"f={difference}", "--timeout", 60)
    assert (found.returncode, found.stdout) == (0, "unsat\n")


def test_an_assignment_can_be_written_as_tensors(
    ibpc: Ibpc, difference: Path, tmp_path: Path
) -> None:
    from onnx import TensorProto, numpy_helper

    (tmp_path / "q.vnnlib").write_text(QUERY)
    arguments = ["--network", f"f={difference}", "--serialise-assignments", "found"]
    found = ibpc("vnnlib", "verify", "q.vnnlib", *arguments)
    assert (found.returncode, found.stdout) == (0, "sat\n"), found.stderr
    read = {
        path.stem: numpy_helper.to_array(TensorProto.FromString(path.read_bytes()))
        for path in (tmp_path / "found").iterdir()
    }
    assert {name: array.shape for name, array in read.items()} == {"In": (1, 2), "Out": (1, 1)}
    assert read["Out"][0, 0] >= 0.5


def test_a_query_and_its_networks_must_fit(ibpc: Ibpc, difference: Path, tmp_path: Path) -> None:
    (tmp_path / "q.vnnlib").write_text(QUERY)
    for given, words in (
        (["--network", f"g={difference}"], "declares the network `f`, --network names `g`"),
        (["--network", str(difference)], "write --network NAME=MODEL.onnx"),
        (["--network", "f=absent.onnx"], "there is no file absent.onnx"),
    ):
        found = ibpc("vnnlib", "verify", "q.vnnlib", *given)
        assert (found.returncode, found.stdout) == (1, "")
        assert found.stderr.startswith("error[E")
        assert words in found.stderr
    assert ibpc("vnnlib", "verify", "q.vnnlib").returncode == 2


def test_capabilities_are_told(ibpc: Ibpc) -> None:
    expected = {
        "--vnnlib-versions": "1.0\n2.1\n",
        "--onnx-opset-versions": "7\n21\n",
        "--onnx-element-types": "real\n",
        "--multiple-network-theories": "SNET\n",
        "--serialise-assignments": "true\n",
    }
    for option, lines in expected.items():
        found = ibpc("vnnlib", "supports", option)
        assert (found.returncode, found.stdout) == (0, lines)
    names = ibpc("vnnlib", "supports", "--onnx-operators").stdout.splitlines()
    assert {"Conv", "Gemm", "Relu", "Constant"} <= set(names)
    assert not {"ArgMax", "Equal"} & set(names)
    assert ibpc("vnnlib", "supports").returncode == 2
