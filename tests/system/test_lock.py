"""`ibpc lock` from outside: what it writes, what it refuses, what it says differs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command import Ibpc

SPEC = """\
ibp 1

type Image = real[1, 8, 8] in [0 .. 1]
type Digit = index[10]

data digits: (x: Image, y: Digit) {
    source = builtin(digits)
    train = 1437
    test = 360
}

net other: Image -> real[Digit] = onnx("nets/digits.onnx")

spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

verify table(f: Image -> real[Digit]) {
    data = digits.test
    first = 20
    spec = robust(f, x, y, 0.02)
    report ibp_bound = by ibp
}

run default {
    table(other)
}
"""


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    """A folder with a spec and a third party's network."""
    folder = tmp_path / "work"
    (folder / "nets").mkdir(parents=True)
    (folder / "spec.ibp").write_text(SPEC, encoding="utf-8")
    shutil.copy(root / "models" / "digits-small-0.1.onnx", folder / "nets" / "digits.onnx")
    return folder


def edit(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / "nets" / "digits.onnx"
    model = onnx.load_model(path)
    change(model)
    path.write_bytes(model.SerializeToString())


def test_a_lock_is_the_same_wherever_it_is_made(ibpc: Ibpc, folder: Path, tmp_path: Path) -> None:
    assert ibpc("lock", "work/spec.ibp").returncode == 0
    text = (folder / "ibpc.lock").read_text(encoding="utf-8")
    assert 'path = "nets/digits.onnx"' in text
    assert '["spec.ibp".data.digits.test]' in text
    assert str(tmp_path) not in text
    shutil.copytree(folder, tmp_path / "elsewhere" / "deep")
    (tmp_path / "elsewhere" / "deep" / "ibpc.lock").unlink()
    assert ibpc("lock", tmp_path / "elsewhere" / "deep" / "spec.ibp").returncode == 0
    assert (tmp_path / "elsewhere" / "deep" / "ibpc.lock").read_text(encoding="utf-8") == text
    found = ibpc("lock", "--check", "elsewhere/deep/spec.ibp")
    assert (found.returncode, found.stdout) == (0, "elsewhere/deep/ibpc.lock: holds, 2 entries\n")


def nudge(model: Any) -> None:
    tensor = next(one for one in model.graph.initializer if one.data_type == 1)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.reshape(-1)[0] += np.float32(0.25)
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def swap(model: Any) -> None:
    node = next(one for one in model.graph.node if one.op_type == "Relu")
    node.op_type = "Tanh"


def note(model: Any) -> None:
    model.doc_string = "a comment"


DIFFERENCES = {
    nudge: "weights differ, graph structure identical",
    swap: "graph structure differs, weights identical",
    note: "graph and weights identical: only names, notes or packing differ",
}


@pytest.mark.parametrize("change", DIFFERENCES)
def test_a_changed_network_is_told_with_what_differs(
    ibpc: Ibpc, folder: Path, change: Callable[[Any], None]
) -> None:
    assert ibpc("lock", "work/spec.ibp").returncode == 0
    before = (folder / "ibpc.lock").read_text(encoding="utf-8")
    edit(folder, change)
    for command in (("lock", "--check"), ("lock",)):
        found = ibpc(*command, "work/spec.ibp")
        assert found.returncode == 1
        assert "error[E0501]: hash mismatch for nets/digits.onnx" in found.stderr
        assert "--> work/spec.ibp:12:5" in found.stderr
        assert DIFFERENCES[change] in found.stderr
        assert "ibpc lock --update net:other work/spec.ibp" in found.stderr
    assert (folder / "ibpc.lock").read_text(encoding="utf-8") == before
    assert ibpc("lock", "--update", "net:other", "work/spec.ibp").returncode == 0
    assert (folder / "ibpc.lock").read_text(encoding="utf-8") != before
    assert ibpc("lock", "--check", "work/spec.ibp").returncode == 0


def test_check_and_run_refuse_another_network_but_not_other_names(ibpc: Ibpc, folder: Path) -> None:
    assert ibpc("lock", "work/spec.ibp").returncode == 0
    edit(folder, note)
    assert ibpc("check", "-q", "work/spec.ibp").returncode == 0
    edit(folder, nudge)
    for command in (("check", "-q"), ("run", "-o", "out")):
        found = ibpc(*command, "work/spec.ibp")
        assert found.returncode == 1
        assert "error[E0501]" in found.stderr
        assert "weights differ" in found.stderr


def test_other_data_are_told(ibpc: Ibpc, folder: Path) -> None:
    spec = folder / "spec.ibp"
    assert ibpc("lock", spec).returncode == 0
    spec.write_text(SPEC.replace("test = 360", "test = 350"), encoding="utf-8")
    found = ibpc("lock", "--check", spec)
    assert found.returncode == 1
    assert "350 examples where 360 were locked" in found.stderr


def test_absent_data_are_named_and_the_rest_is_checked(ibpc: Ibpc, folder: Path) -> None:
    spec = folder / "spec.ibp"
    text = SPEC.replace("real[1, 8, 8]", "real[1, 28, 28]").replace(
        "builtin(digits)", "builtin(mnist)"
    )
    text = text.replace("train = 1437\n    test = 360", "train = 60k\n    test = 10k")
    spec.write_text(text, encoding="utf-8")
    assert ibpc("lock", spec, "--data-dir", "nowhere").returncode == 0
    assert "data" not in (folder / "ibpc.lock").read_text(encoding="utf-8")
    found = ibpc("lock", "--check", spec, "--data-dir", "nowhere")
    assert found.returncode == 0
    assert "not looked at: data:digits, test: builtin(mnist) is not in" in found.stderr
    edit(folder, nudge)
    assert ibpc("lock", "--check", spec, "--data-dir", "nowhere").returncode == 1


def test_a_missing_lock_a_missing_entry_and_a_left_over_are_told(ibpc: Ibpc, folder: Path) -> None:
    spec = folder / "spec.ibp"
    found = ibpc("lock", "--check", spec)
    assert found.returncode == 1
    assert "there is no" in found.stderr
    assert ibpc("lock", spec).returncode == 0
    spec.write_text(SPEC.replace("other", "another"), encoding="utf-8")
    found = ibpc("lock", "--check", spec)
    assert found.returncode == 1
    assert "net:another is not in" in found.stderr
    assert "holds net:other, which spec.ibp no longer uses" in found.stderr
    assert ibpc("lock", spec).returncode == 0
    assert ibpc("lock", "--check", spec).returncode == 0


def test_an_unknown_name_and_an_absent_network_are_told(ibpc: Ibpc, folder: Path) -> None:
    found = ibpc("lock", "--update", "net:othr", "work/spec.ibp")
    assert found.returncode == 1
    assert "did you mean `net:other`?" in found.stderr
    (folder / "nets" / "digits.onnx").unlink()
    found = ibpc("lock", "work/spec.ibp")
    assert found.returncode == 1
    assert "error[E0502]" in found.stderr
    assert "Traceback" not in found.stderr
