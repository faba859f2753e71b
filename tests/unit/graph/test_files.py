from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ibpc.errors import FileMistake
from ibpc.graph import save_bytes


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "net.onnx"
    save_bytes(target, b"first")
    save_bytes(target, b"second")
    assert target.read_bytes() == b"second"
    assert os.listdir(target.parent) == ["net.onnx"]


def test_files_have_the_permissions_of_ordinary_files(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    save_bytes(tmp_path / "saved", b"")
    assert (tmp_path / "saved").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "read-only")]
)
def test_a_full_disk_keeps_the_old_file_and_says_what_to_do(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "net.onnx"
    save_bytes(target, b"old")

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(FileMistake, match="cannot write") as told:
        save_bytes(target, b"new")
    assert words in str(told.value)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["net.onnx"]


def test_a_file_in_the_place_of_a_folder_is_a_located_mistake(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(FileMistake, match=r"out/net\.onnx"):
        save_bytes(tmp_path / "out" / "net.onnx", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_write_permission_is_a_located_mistake(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileMistake, match="Permission denied"):
        save_bytes(tmp_path / "net.onnx", b"")
