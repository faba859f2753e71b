"""`ibpc compile` from outside: the same bytes twice, and programs that agree with onnxruntime."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from ibpc.bounds import Weights, lower_forward
from ibpc.graph import load_onnx, run_onnxruntime
from ibpc.passes import prepare

if TYPE_CHECKING:
    from command import Ibpc

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """specs/digits.ibp compiled once."""
    folder = tmp_path_factory.mktemp("build")
    command = [sys.executable, "-m", "ibpc", "compile", str(ROOT / "specs" / "digits.ibp")]
    subprocess.run([*command, "-o", str(folder / "digits")], cwd=ROOT, check=True)
    return folder / "digits"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_compiling_twice_gives_the_same_bytes(ibpc: Ibpc, built: Path, tmp_path: Path) -> None:
    again = ibpc(
        "compile", ROOT / "specs" / "digits.ibp", "-o", tmp_path / "again", PYTHONHASHSEED="7"
    )
    assert again.returncode == 0, again.stderr
    assert contents(tmp_path / "again") == contents(built)


def test_the_folder_holds_network_claim_bounds_and_milp(built: Path) -> None:
    names = set(contents(built))
    for name in ("model.onnx", "graph.txt", "robust/claim.json", "robust/bounds.py"):
        assert f"small/{name}" in names
    for name in ("instance.lp", "instance.vnnlib", "instance-2.vnnlib"):
        assert f"small/robust/{name}" in names
    assert "manifest.json" in names


def test_the_written_source_is_straight_line_and_needs_torch_alone(built: Path) -> None:
    text = (built / "small" / "robust" / "bounds.py").read_text(encoding="utf-8")
    program = next(
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == "forward"
    )
    loops = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.If)
    assert not [node for node in ast.walk(program) if isinstance(node, loops)]
    imported = {
        alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= {"torch", "math"}


def test_the_network_is_our_forward_program_in_onnxruntime(built: Path) -> None:
    path = built / "small" / "model.onnx"
    graph = prepare(load_onnx(path), "evaluation")
    x = np.random.default_rng(1).uniform(0, 1, (64, 1, 8, 8)).astype(np.float32)
    (theirs,) = run_onnxruntime(path.read_bytes(), {"x": x}).values()
    ours = lower_forward(graph, Weights(graph))(torch.from_numpy(x)).detach().numpy()
    assert np.abs(ours - theirs).max() <= 1e-5


def test_the_written_bounds_hold_in_onnxruntime(built: Path) -> None:
    """Run the source with torch alone; the network's violations stay below its bounds."""
    script = (
        "import sys, torch; sys.path.insert(0, sys.argv[1]); import bounds;"
        "module = bounds.load(); torch.manual_seed(0); x = torch.rand(20, 1, 8, 8);"
        "y = torch.arange(20) % 10;"
        "up = module((x - 0.02).clamp(0, 1), (x + 0.02).clamp(0, 1), y).detach();"
        "import numpy; numpy.savez(sys.argv[1] + '/found.npz', x=x.numpy(), y=y.numpy(),"
        " up=up.numpy()); assert not any(name.startswith('ibpc') for name in sys.modules)"
    )
    folder = built / "small" / "robust"
    subprocess.run([sys.executable, "-c", script, str(folder)], cwd="/", check=True)
    with np.load(folder / "found.npz") as found:
        x, y, up = found["x"], found["y"], found["up"]
    (folder / "found.npz").unlink()
    rng = np.random.default_rng(0)
    data = (built / "small" / "model.onnx").read_bytes()
    for _ in range(50):
        noise = rng.uniform(-0.02, 0.02, x.shape).astype(np.float32)
        (logits,) = run_onnxruntime(data, {"x": np.clip(x + noise, 0, 1)}).values()
        for number, label in enumerate(y):
            margins = np.delete(logits[number], label) - logits[number][label]
            assert (margins <= up[number] + 1e-5).all()
