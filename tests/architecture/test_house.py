"""The house's own rules, checked by machine."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "ibpc").rglob("*.py"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def beside_python(command: str) -> str:
    """The command of the environment that runs the tests, whether or not it is on the path."""
    return str(Path(sys.executable).parent / command)


def test_imports_only_go_down() -> None:
    found = run(beside_python("lint-imports"))
    assert found.returncode == 0, found.stdout + found.stderr


def test_ruff_finds_nothing() -> None:
    found = run(beside_python("ruff"), "check", ".")
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_code_is_formatted() -> None:
    found = run(beside_python("ruff"), "format", "--check", ".")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
def test_mypy_strict_finds_nothing() -> None:
    found = run(sys.executable, "-m", "mypy")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 400
    assert path.stem not in {"utils", "common", "helpers", "misc", "tools"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_is_entered_by_its_door(path: Path) -> None:
    """Outside a folder, import only what its `__init__` offers in `__all__`."""
    own = path.relative_to(ROOT / "ibpc").parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("ibpc."):
            continue
        parts = str(node.module).split(".")
        if parts[1] in {own, "errors", "progress"}:
            continue
        assert len(parts) == 2, f"{path}:{node.lineno} imports {node.module}, not ibpc.{parts[1]}"


def test_no_two_test_files_share_a_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), "pytest imports test files by their bare names"


def test_each_operator_file_holds_one_operator() -> None:
    for path in (ROOT / "ibpc" / "ops").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\nOPERATOR = Operator(") <= 1, path
