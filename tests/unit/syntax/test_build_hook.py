"""The build hook ships the tables in a wheel, and leaves them in an editable checkout."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

from ibpc.syntax.grammar_tables import compile_grammar

pytest.importorskip("hatchling", reason="needs hatchling, which builds the wheel")


def hook(root: Path, tmp_path: Path, target: str) -> Any:
    """The hook in a copy of the checkout that has no more than it needs."""
    for name in ("grammar/build_tables.py", "grammar/ibp.lark", "ibpc/syntax/grammar_tables.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    make = runpy.run_path(str(tmp_path / "grammar" / "build_tables.py"))["GrammarTables"]
    return make(str(tmp_path), {}, None, None, str(tmp_path), target)


def test_a_wheel_gets_the_tables_and_the_checkout_stays_clean(root: Path, tmp_path: Path) -> None:
    made = hook(root, tmp_path, "wheel")
    data: dict[str, Any] = {"force_include": {}}
    made.initialize("standard", data)
    (source,) = data["force_include"]
    assert data["force_include"][source] == "ibpc/syntax/tables.json"
    grammar = (root / "grammar" / "ibp.lark").read_text(encoding="utf-8")
    assert Path(source).read_text(encoding="utf-8") == compile_grammar(grammar)
    assert not (tmp_path / "ibpc" / "syntax" / "tables.json").exists()
    made.finalize("standard", data, "")
    assert not Path(source).exists()


def test_an_editable_install_gets_the_tables_in_the_checkout(root: Path, tmp_path: Path) -> None:
    data: dict[str, Any] = {"force_include": {}}
    made = hook(root, tmp_path, "wheel")
    made.initialize("editable", data)
    made.finalize("editable", data, "")
    assert data == {"force_include": {}}
    assert (tmp_path / "ibpc" / "syntax" / "tables.json").exists()


def test_a_source_archive_gets_no_tables(root: Path, tmp_path: Path) -> None:
    data: dict[str, Any] = {"force_include": {}}
    hook(root, tmp_path, "sdist").initialize("standard", data)
    assert data == {"force_include": {}}
