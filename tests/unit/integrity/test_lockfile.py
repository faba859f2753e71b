"""The lock's text: sorted, the same for everyone, refused where it is not ours."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from ibpc.errors import FileMistake
from ibpc.integrity import LOCK, read_lock, write_lock

if TYPE_CHECKING:
    from pathlib import Path

NET = {"path": "nets/a.onnx", "sha256": "1", "graph": "2", "weights": "3", "opset": 17}
DATA = {"items": 3, "tensor": "ab"}
ENTRIES = {
    ("b.ibp", "data", "m", "test"): DATA,
    ("a.ibp", "net", "acas_1_1"): NET,
    ('odd "name".ibp', "net", "é"): NET,
}


def test_a_lock_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    assert write_lock(path, ENTRIES)
    assert not write_lock(path, dict(reversed(ENTRIES.items())))
    assert read_lock(path) == ENTRIES
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)["a.ibp"]["net"]["acas_1_1"] == NET
    assert text.index("a.ibp") < text.index("b.ibp")


def test_no_file_is_an_empty_lock(tmp_path: Path) -> None:
    assert read_lock(tmp_path / LOCK) == {}


@pytest.mark.parametrize(
    "text",
    [
        "not toml at all [",
        "",
        "edition = 2\n",
        'edition = 1\n["a.ibp".net.x]\npath = 3\n',
        'edition = 1\n["a.ibp".cat.x]\npath = "p"\n',
        'edition = 1\n["a.ibp".data.m.test]\nitems = "3"\ntensor = "x"\n',
        "\0",
    ],
)
def test_what_is_no_lock_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / LOCK).write_text(text, encoding="utf-8")
    with pytest.raises(FileMistake, match=r"ibpc\.lock is not a lock file") as found:
        read_lock(tmp_path / LOCK)
    assert found.value.diagnostics[0].code == "E0550"
