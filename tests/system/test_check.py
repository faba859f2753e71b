"""`ibpc check` from outside: what it prints, what it imports, its exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Ibpc

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "specs").glob("*.ibp"))


def test_every_spec_of_the_repository_checks(
    ibpc: Ibpc,
) -> None:
    found = ibpc("check", *SPECS)
    assert found.returncode == 0, found.stderr
    warned = {line[:14] for line in found.stderr.splitlines() if line.startswith("warning")}
    assert warned <= {"warning[W0501]"}, "only networks of others may be absent"
    assert "hidden 6004, parameters 329606" in found.stdout


def test_check_imports_nothing_heavy() -> None:
    script = (
        "import sys; from ibpc.cli import main; code = main(['check', '-q', *sys.argv[1:]]);"
        "print(sorted({'torch', 'onnx', 'mip', 'networkx', 'onnxruntime', 'scipy', 'numpy'}"
        " & set(sys.modules))); sys.exit(code)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, *map(str, SPECS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def test_table_1_gives_the_papers_counts(
    ibpc: Ibpc,
) -> None:
    """Hidden units and parameters on 32 x 32 x 3, Gowal et al. 2019, Table 1 and section 4.2."""
    printed = ibpc("check", ROOT / "specs" / "gowal.ibp").stdout
    for name, hidden, parameters in (
        ("small_cifar", 8_308, 470_918),
        ("medium_cifar", 46_912, 1_188_906),
        ("large_cifar", 229_888, 17_190_602),
        ("wide", 1_806_336, 8_068_808),
    ):
        table = printed.split(f"net {name}:")[1].split("\n\n")[0]
        assert table.endswith(f"hidden {hidden}, parameters {parameters}")


@pytest.mark.parametrize("arguments", [(), ("check",), ("fly",), ("run", "x.ibp", "--jobs", "0")])
def test_wrong_usage_is_2(ibpc: Ibpc, arguments: tuple[str, ...]) -> None:
    found = ibpc(*arguments)
    assert found.returncode == 2
    assert "usage: ibpc" in found.stderr


@pytest.mark.parametrize(
    "command", ["check", "fmt", "explain", "lsp", "compile", "run", "verify", "ops"]
)
def test_every_command_has_a_help_text(ibpc: Ibpc, command: str) -> None:
    found = ibpc(command, "--help")
    assert found.returncode == 0
    assert len(found.stdout.splitlines()) > 5


def test_the_readme_shows_the_operators_as_they_are(
    ibpc: Ibpc,
) -> None:
    table = ibpc("ops", "--markdown").stdout.strip()
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")
