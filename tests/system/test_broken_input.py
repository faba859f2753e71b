"""Broken specs, networks, data and disks: each a located message, exit code 1, no traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from small_specs import DIGITS

from ibpc.graph import emit, write_onnx

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ibpc

BROKEN = {
    "a typo in a layer": ("    fc 20", "    fd 20", "did you mean `fc`?"),
    "a typo in a loss": ("xent(f(x), y) +", "xnet(f(x), y) +", "did you mean `xent`?"),
    "a typo in a stage": ("then pgd(", "then pgb(", "did you mean `pgd`?"),
    "a typo in a setting": ("    optimiser =", "    optimizer =", "did you mean `optimiser`?"),
    "a typo in a keyword": ("net tiny", "nett tiny", "did you mean `net`?"),
    "a typo in a name": ("data = digits.train", "data = digit.train", "did you mean `digits`?"),
    "a typo in an optimiser": ("= adam", "= adan", "did you mean `adam`?"),
    "a typo in a data set": ("builtin(digits)", "builtin(digit)", "did you mean `digits`?"),
    "an unknown edition": ("ibp 1", "ibp 7", "ibp 1"),
    "a kernel too large": ("conv 4 3x3+2", "conv 4 9x9+2", "needs at least 9x9"),
    "a wrong shape": ("real[1, 8, 8]", "real[1, 9, 9]", "builtin(digits)"),
    "a wrong number of classes": ("index[10]", "index[0]", "index"),
    "a missing closing brace": ("    out\n}", "    out\n", "{"),
    "a missing number of units": ("    fc 20", "    fc", "fc"),
    "a wrong unit": ("timeout = 30 s", "timeout = 30 epochs", "epochs"),
    "an unknown unit": ("timeout = 30 s", "timeout = 30 sek", "sek"),
    "an absent import": ("ibp 1\n", 'ibp 1\nfrom "gone.ibp" import a\n', "gone.ibp"),
    "an import of itself": ("ibp 1\n", 'ibp 1\nimport "spec.ibp" as me\n', "import"),
    "falling breakpoints": ("0.03 at 200", "0.03 at 10", "20"),
    "eps that starts high": ("eps(t) = 0 until", "eps(t) = 1 until", "eps"),
    "both steps and epochs": ("    seed = 0", "    epochs = 3", "epochs"),
    "a claim that is not linear": ("z[k] - z[y] <= 0", "z[k] * z[y] <= 0", "z[k]"),
    "a division by zero": ("eps(t) = 0 until", "eps(t) = 1/0 until", "zero"),
    "an absent network": (
        "run default {\n    table(fit(tiny))",
        'net other: Image -> Logits = onnx("gone.onnx")\n\nrun default {\n    table(other)',
        "gone.onnx",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_spec_is_told_where_and_why(ibpc: Ibpc, tmp_path: Path, name: str) -> None:
    old, new, word = BROKEN[name]
    assert old in DIGITS
    spec = tmp_path / "spec.ibp"
    spec.write_text(DIGITS.replace(old, new, 1), encoding="utf-8")
    found = ibpc("run", "spec.ibp", "-o", "out")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert re.search(r"^error\[E\d{4}\]: ", found.stderr, re.MULTILINE), found.stderr
    assert re.search(r"^ +--> spec\.ibp:\d+:\d+$", found.stderr, re.MULTILINE), found.stderr
    assert re.search(r"^ +\| +\^", found.stderr, re.MULTILINE), found.stderr
    assert word in found.stderr
    assert not list(tmp_path.glob("out/**/model.onnx"))


def test_several_mistakes_are_told_in_one_run(ibpc: Ibpc, tmp_path: Path) -> None:
    text = DIGITS.replace("    fc 20", "    fd 20").replace("= adam", "= adan")
    (tmp_path / "spec.ibp").write_text(text, encoding="utf-8")
    found = ibpc("check", "spec.ibp")
    assert found.returncode == 1
    assert found.stderr.count("error[") == 2


@pytest.mark.parametrize("damage", ["cut", "text"])
def test_a_corrupt_network_is_told(ibpc: Ibpc, tmp_path: Path, damage: str) -> None:
    old, new, _ = BROKEN["an absent network"]
    (tmp_path / "spec.ibp").write_text(DIGITS.replace(old, new), encoding="utf-8")
    whole = write_onnx(emit(_tiny_net(tmp_path), seed=0))
    data = whole[: len(whole) // 2] if damage == "cut" else b"not a network at all"
    (tmp_path / "gone.onnx").write_bytes(data)
    found = ibpc("run", "spec.ibp", "-o", "out")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert "gone.onnx" in found.stderr
    assert re.search(r"^error\[E\d{4}\]: ", found.stderr, re.MULTILINE), found.stderr


def test_an_absent_data_set_is_told_with_what_to_put_where(ibpc: Ibpc, tmp_path: Path) -> None:
    text = DIGITS.replace("builtin(digits)", 'image_folder("pictures")')
    (tmp_path / "spec.ibp").write_text(text, encoding="utf-8")
    found = ibpc("run", "spec.ibp", "-o", "out")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert "pictures" in found.stderr
    assert "help: " in found.stderr


def test_a_full_disk_is_told(ibpc: Ibpc, tmp_path: Path) -> None:
    """A file size limit of nothing stands in for a disk without space."""
    (tmp_path / "spec.ibp").write_text(DIGITS, encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n",
        encoding="utf-8",
    )
    found = ibpc("run", "spec.ibp", "-o", "out", before=str(tmp_path))
    assert found.returncode == 1, found.stderr
    assert "Traceback" not in found.stderr
    assert re.search(r"^error\[E\d{4}\]: ", found.stderr, re.MULTILINE), found.stderr
    assert "help: " in found.stderr
    assert not [path for path in tmp_path.glob("out/**/*.json") if path.is_file()]


def test_an_output_folder_that_cannot_be_is_told(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "spec.ibp").write_text(DIGITS, encoding="utf-8")
    (tmp_path / "out").write_text("a file where the folder should be", encoding="utf-8")
    for command in ("run", "compile"):
        found = ibpc(command, "spec.ibp", "-o", "out")
        assert found.returncode == 1, found.stderr
        assert "Traceback" not in found.stderr
        assert "out" in found.stderr
    assert (tmp_path / "out").is_file()


def _tiny_net(folder: Path) -> object:
    from ibpc.cli.vocabulary import vocabulary
    from ibpc.language import check_file

    (folder / "whole.ibp").write_text(DIGITS, encoding="utf-8")
    return check_file(str(folder / "whole.ibp"), vocabulary()).nets["tiny"]
