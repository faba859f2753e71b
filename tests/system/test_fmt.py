"""`ibpc fmt` from outside: what it writes, what it leaves alone, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ibpc.cli.fmt import replace_text

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ibpc

LOOSE = "ibp 1\nconst a=[1,2 ] # two\n"
TIDY = "ibp 1\n\nconst a = [1, 2]  # two\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "a.ibp"
    path.write_text(LOOSE)
    return path


def test_a_file_is_written_once_and_then_left_alone(ibpc: Ibpc, spec: Path) -> None:
    spec.chmod(0o640)
    found = ibpc("fmt", spec)
    assert (found.returncode, found.stdout) == (0, "")
    assert found.stderr == f"reformatted {spec}\n"
    assert spec.read_text() == TIDY
    assert spec.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in spec.parent.iterdir()] == ["a.ibp"]
    before = spec.stat().st_mtime_ns
    assert ibpc("fmt", spec).stderr == ""
    assert spec.stat().st_mtime_ns == before


def test_check_and_diff_write_nothing(ibpc: Ibpc, spec: Path) -> None:
    found = ibpc("fmt", "--check", spec)
    assert (found.returncode, found.stdout) == (1, "")
    assert "would reformat" in found.stderr
    found = ibpc("fmt", "--diff", spec)
    assert found.returncode == 0
    assert "+const a = [1, 2]  # two\n" in found.stdout
    assert ibpc("fmt", "--check", "--diff", spec).returncode == 1
    assert spec.read_text() == LOOSE
    spec.write_text(TIDY)
    found = ibpc("fmt", "--check", "--diff", spec)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_line_ends_count_as_a_change(ibpc: Ibpc, spec: Path) -> None:
    spec.write_bytes(TIDY.replace("\n", "\r\n").encode())
    assert ibpc("fmt", "--check", spec).returncode == 1
    assert ibpc("fmt", spec).returncode == 0
    assert spec.read_bytes() == TIDY.encode()


def test_a_broken_file_is_told_of_and_the_others_are_written(ibpc: Ibpc, spec: Path) -> None:
    broken = spec.with_name("b.ibp")
    broken.write_text("ibp 1\nconst a = = 1\n")
    found = ibpc("fmt", broken, spec, spec.with_name("absent.ibp"), spec.parent)
    assert found.returncode == 1
    assert "b.ibp:2:11" in found.stderr
    assert "no such file" in found.stderr
    assert "is a folder" in found.stderr
    assert broken.read_text() == "ibp 1\nconst a = = 1\n"
    assert spec.read_text() == TIDY


def test_a_link_stays_a_link(ibpc: Ibpc, spec: Path) -> None:
    link = spec.with_name("link.ibp")
    link.symlink_to(spec)
    assert ibpc("fmt", link).returncode == 0
    assert link.is_symlink()
    assert spec.read_text() == TIDY


def test_a_dash_is_stdin(root: Path) -> None:
    def pipe(*arguments: str, text: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ibpc", "fmt", "-", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        return subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, check=False
        )

    assert pipe(text=LOOSE).stdout == TIDY
    assert pipe(text=TIDY).stdout == TIDY
    found = pipe("--check", text=LOOSE)
    assert (found.returncode, found.stdout) == (1, "")
    found = pipe(text="ibp 1\nconst\n")
    assert (found.returncode, found.stdout) == (1, "")
    assert "<stdin>:2:6" in found.stderr


def test_what_cannot_be_written_leaves_the_old_text(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        replace_text(str(spec), TIDY)
    assert spec.read_text() == LOOSE
    assert list(spec.parent.iterdir()) == [spec]
