"""`ibpc verify` from outside: verdicts, witnesses, exit codes, limits, and broken input."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest

if TYPE_CHECKING:
    from command import Ibpc

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "integrations" / "vnncomp"
BOX = """
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (<= X_0 1))(assert (>= X_0 0.1))
(assert (<= X_1 1))(assert (>= X_1 0.1))
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """y = relu(x0 - x1): between 0 and 0.9 on the box."""
    weight = np.array([[1.0, -1.0]], np.float32)
    nodes = [
        onnx.helper.make_node("Gemm", ["x", "w"], ["z"], transB=1),
        onnx.helper.make_node("Relu", ["z"], ["y"]),
    ]
    kind = onnx.TensorProto.FLOAT
    ends = [onnx.helper.make_tensor_value_info(n, kind, [1, k]) for n, k in (("x", 2), ("y", 1))]
    arrays = [onnx.numpy_helper.from_array(weight, "w")]
    graph = onnx.helper.make_graph(nodes, "small", ends[:1], ends[1:], arrays)
    opsets = [onnx.helper.make_opsetid("", 13)]
    path = tmp_path / "small.onnx"
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets), path)
    return path


def prop(tmp_path: Path, unsafe: str) -> Path:
    path = tmp_path / "p.vnnlib"
    path.write_text(f"{BOX}(assert {unsafe})", encoding="utf-8")
    return path


def test_what_holds_is_unsat_and_0(ibpc: Ibpc, model: Path, tmp_path: Path) -> None:
    found = ibpc("verify", model, prop(tmp_path, "(>= Y_0 0.95)"))
    assert (found.returncode, found.stdout, found.stderr) == (0, "unsat\n", "")


def test_what_fails_is_sat_and_10_with_a_strict_witness(
    ibpc: Ibpc, model: Path, tmp_path: Path
) -> None:
    found = ibpc("verify", model, prop(tmp_path, "(>= Y_0 0.85)"))
    assert found.returncode == 10
    first, witness = found.stdout.split("\n", 1)
    assert first == "sat"
    values = dict(re.findall(r"\((\w+) ([^)]+)\)", witness))
    x = np.array([values["X_0"], values["X_1"]], dtype=np.float64).astype(np.float32)
    assert ((x.astype(float) >= 0.1) & (x.astype(float) <= 1)).all()
    assert np.float32(x[0] - x[1]) == np.float32(values["Y_0"])
    assert float(values["Y_0"]) >= 0.85


def test_packed_files_and_json(ibpc: Ibpc, model: Path, tmp_path: Path) -> None:
    wanted = prop(tmp_path, "(>= Y_0 0.85)")
    for path in (model, wanted):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    found = ibpc("verify", f"{model}.gz", f"{wanted}.gz", "--json", "--cross-check")
    first, rest = found.stdout.split("\n", 1)
    assert first == "sat"
    told = json.loads(rest)
    assert told["verdict"] == "sat"
    assert len(told["inputs"]) == 2


def test_verbose_says_what_is_done(ibpc: Ibpc, model: Path, tmp_path: Path) -> None:
    found = ibpc("verify", model, prop(tmp_path, "(>= Y_0 0.95)"), "-v")
    assert found.stdout == "unsat\n"
    assert "agrees with onnxruntime" in found.stderr


def test_the_time_limit_counts_from_the_start_and_is_kept(
    ibpc: Ibpc, model: Path, tmp_path: Path
) -> None:
    started = time.monotonic()
    found = ibpc("verify", model, prop(tmp_path, "(>= Y_0 0.95)"), "--timeout", 0.3)
    assert (found.returncode, found.stdout) == (20, "timeout\n")
    assert time.monotonic() - started < 1.3


def test_input_that_is_wrong_is_1_with_a_message(ibpc: Ibpc, model: Path, tmp_path: Path) -> None:
    good = prop(tmp_path, "(>= Y_0 0.95)")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no network")
    garbled = tmp_path / "garbled.vnnlib"
    garbled.write_text(BOX + "(assert (>= Y_0", encoding="utf-8")
    wide = tmp_path / "wide.vnnlib"
    wide.write_text("(declare-const X_9 Real)" + good.read_text(), encoding="utf-8")
    for network, wanted in (
        (tmp_path / "absent.onnx", good),
        (model, tmp_path / "absent.vnnlib"),
        (broken, good),
        (model, garbled),
        (model, wide),
    ):
        found = ibpc("verify", network, wanted)
        assert found.returncode == 1
        assert found.stdout == ""
        assert found.stderr.startswith("error[E")
        assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    "arguments", [("a.onnx",), ("a", "b", "--timeout", "0"), ("a", "b", "--jobs", "x")]
)
def test_wrong_usage_of_verify_is_2(ibpc: Ibpc, arguments: tuple[str, ...]) -> None:
    assert ibpc("verify", *arguments).returncode == 2


def test_the_competitions_scripts_run_us(model: Path, tmp_path: Path) -> None:
    results = tmp_path / "out.txt"
    environment = {
        **os.environ,
        "IBPC": f"{sys.executable} -m ibpc",
        "PYTHONPATH": str(ROOT),
    }
    wanted = prop(tmp_path, "(>= Y_0 0.85)")
    instance = ["v1", "small", str(model), str(wanted)]
    for script, more in (("prepare_instance.sh", []), ("run_instance.sh", [str(results), "60"])):
        ended = subprocess.run(
            [str(SCRIPTS / script), *instance, *more],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert ended.returncode == 0, ended.stderr
    assert results.read_text().splitlines()[0] == "sat"


def test_quick_instances_of_the_development_suite(ibpc: Ibpc) -> None:
    suite = os.environ.get("IBPC_VNNCOMP")
    if not suite:
        pytest.skip("IBPC_VNNCOMP does not name a folder of instances")
    with (Path(suite) / "instances.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] in ("acasxu", "cora")]
    for row in rows:
        paths = (Path(suite) / row["onnx"], Path(suite) / row["vnnlib"])
        found = ibpc("verify", *paths, "--timeout", 60)
        assert found.stdout.splitlines()[0] in (row["expected"], "timeout")
