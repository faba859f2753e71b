"""`ibpc explain` and the forms of diagnostics: JSON for tools, colours for people."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from ibpc.cli.showing import coloured

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ibpc


def test_a_code_is_explained(ibpc: Ibpc) -> None:
    found = ibpc("explain", "e0203")
    assert found.returncode == 0
    assert found.stdout.startswith("error E0203: a layer does not fit its input\n")
    assert "Example:" in found.stdout
    assert "Fix:" in found.stdout


def test_an_unknown_code_gets_a_suggestion(ibpc: Ibpc) -> None:
    found = ibpc("explain", "E0299")
    assert found.returncode == 1
    assert "error[E0192]: there is no code E0299" in found.stderr
    assert "did you mean" in found.stderr


def test_json_has_the_shape_that_editors_take(ibpc: Ibpc, tmp_path: Path) -> None:
    path = tmp_path / "a.ibp"
    path.write_text("ibp 1\nconst \u00e9 = 1\nconst a = 1\n\nconst a = 2\n", encoding="utf-8")
    found = ibpc("check", "--format", "json", path)
    assert found.returncode == 1
    bad = json.loads(found.stdout)[0]
    assert bad["path"] == str(path)
    assert bad["code"] == "E0009"
    path.write_text("ibp 1\n# \U0001d6fc\nconst a = 1\nconst a = 2\n", encoding="utf-8")
    found = ibpc("check", "--format", "json", path)
    (twice,) = json.loads(found.stdout)
    assert twice["range"] == {
        "start": {"line": 3, "character": 6},
        "end": {"line": 3, "character": 7},
    }
    assert (twice["severity"], twice["source"], twice["code"]) == (1, "ibpc", "E0103")
    assert twice["message"] == "`a` is declared twice\nagain here\nhelp: rename one of them"
    assert twice["data"] == {"fix": "rename one of them"}
    (related,) = twice["relatedInformation"]
    assert related["message"] == "declared here first"
    assert related["location"]["uri"] == str(path)


def test_json_of_what_is_right_is_an_empty_list(ibpc: Ibpc, root: Path, tmp_path: Path) -> None:
    found = ibpc("check", "--format", "json", root / "specs" / "digits.ibp")
    assert (found.returncode, json.loads(found.stdout)) == (0, [])
    found = ibpc("check", "--format", "json", tmp_path / "absent.ibp")
    assert found.returncode == 1
    assert json.loads(found.stdout)[0]["code"] == "E0502"


def on_a_terminal(*arguments: str, root: Path, **environment: str) -> bytes:
    """What the command writes where stderr is a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(root), "TERM": "xterm", **environment}
    env = {name: value for name, value in env.items() if name in environment or name != "NO_COLOR"}
    command = [sys.executable, "-m", "ibpc", *arguments]
    subprocess.run(command, stderr=theirs, stdout=subprocess.DEVNULL, env=env, check=False)
    os.close(theirs)
    text = os.read(ours, 65536)
    os.close(ours)
    return text


def test_colours_are_for_terminals_only(ibpc: Ibpc, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ibp"
    path.write_text("ibp 1\nconst a = b\n")
    assert "\033" not in ibpc("check", path).stderr
    assert b"\033[1;31merror[E0101]\033[0m: " in on_a_terminal("check", str(path), root=root)
    assert b"\033" not in on_a_terminal("check", str(path), root=root, NO_COLOR="1")
    assert b"\033" not in on_a_terminal("check", str(path), root=root, TERM="dumb")


def test_colours_change_no_letter() -> None:
    text = (
        "error[E0103]: `a` is declared twice\n  --> a.ibp:3:7\n   |\n 2 | const a = 1\n"
        "   |       - first\n 3 | const a = 2 - 1\n   |       ^ again\n   = help: rename one"
    )
    shown = coloured(text)
    assert shown.count("\033") == 8
    for code in ("\033[0m", "\033[1m", "\033[1;31m", "\033[1;34m"):
        shown = shown.replace(code, "")
    assert shown == text


def test_a_claim_is_told_in_words_and_numbers(ibpc: Ibpc, root: Path) -> None:
    found = ibpc("explain", root / "specs" / "digits.ibp", "table", "--defaults")
    assert found.returncode == 0, found.stderr
    for part in (
        "for every x in ball(x0, eps), with z = f(x): for every k other than y: z[k] - z[y] is",
        "digits.test (360 examples)",
        "C of 9 x 10 for each label y",
        "hidden 1,636, parameters 60,694",
        "then mip(timeout = 60, solver = ",
        "optimiser = adam(beta1 = 0.9, ",
        "lr = 0.001 until 4,000, 0.0001 until 5,000, 1e-05",
        "counts as an error",
    ):
        assert part in found.stdout
    assert "None" not in found.stdout


def test_a_param_changes_what_is_explained(ibpc: Ibpc, root: Path) -> None:
    found = ibpc("explain", root / "specs" / "digits.ibp", "-p", "eps_test=1/80")
    assert "eps = 0.0125" in found.stdout


def test_a_claim_with_rows_shows_them(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "a.ibp").write_text(
        "ibp 1\ntype P = real[2] in [0 .. 1]\nnet n: P -> real[3] {\n    out\n}\n"
        "## Never far apart.\nspec s(f: P -> real[3]) {\n"
        "    forall x in P, z = f(x): -1/2 <= z[0] - 2 * z[1] <= 1/3 and z[2] < 1\n}\n"
        "verify v(f: P -> real[3]) {\n    spec = s(f)\n    report a = by ibp\n}\n"
        "run default {\n    v(n)\n}\n"
    )
    found = ibpc("explain", tmp_path / "a.ibp")
    assert found.returncode == 0, found.stderr
    for row in ("-z[0] + 2 z[1] - 0.5 <= 0", "z[0] - 2 z[1] - 1/3 <= 0", "z[2] - 1 < 0"):
        assert row in found.stdout


def test_a_stage_that_a_network_does_not_allow_is_told(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "a.ibp").write_text(
        "ibp 1\ntype P = real[2] in [0 .. 1]\n"
        "net n: P -> real[3] {\n    fc 4\n    tanh\n    out\n}\n"
        "spec s(f: P -> real[3]) {\n    forall x in P, z = f(x): z[0] <= z[1]\n}\n"
        "verify v(f: P -> real[3]) {\n    spec = s(f)\n    report a = by ibp then mip\n}\n"
        "run default {\n    v(n)\n}\n"
    )
    found = ibpc("explain", tmp_path / "a.ibp")
    assert found.returncode == 1
    assert "error[E0704]: `mip` cannot work with Tanh, an operator of this network" in found.stderr


def test_a_library_tells_its_specs_and_networks(ibpc: Ibpc, root: Path) -> None:
    gowal = root / "specs" / "gowal.ibp"
    assert "Eq. 3: no logit overtakes the true one" in ibpc("explain", gowal).stdout
    assert "hidden 6004, parameters 329606" in ibpc("explain", gowal, "small").stdout
    found = ibpc("explain", gowal, "robst")
    assert (found.returncode, found.stdout) == (1, "")
    assert "did you mean `robust`?" in found.stderr


def test_clauses_and_inputs_are_told_apart(ibpc: Ibpc, tmp_path: Path) -> None:
    (tmp_path / "a.ibp").write_text(
        "ibp 1\ntype P = real[2] in [0 .. 1]\nnet n: P -> real[2] {\n    out\n}\n"
        "spec s(f: P -> real[2]) {\n"
        "    forall x in P, z = f(x): (z[0] <= 0 or z[1] <= x[1]) and z[0] < 3\n}\n"
        "verify v(f: P -> real[2]) {\n    spec = s(f)\n    report a = by ibp\n}\n"
        "run default {\n    v(n)\n}\n"
    )
    found = ibpc("explain", tmp_path / "a.ibp")
    assert found.returncode == 0, found.stderr
    assert "C of 3 x 4, 2 clauses" in found.stdout
    assert "(z[0] <= 0 or z[1] - x[1] <= 0)" in found.stdout
    assert "and (z[0] - 3 < 0)" in found.stdout


def test_a_server_without_pygls_says_what_to_install(ibpc: Ibpc, tmp_path: Path) -> None:
    absent = "raise ModuleNotFoundError(\"No module named 'pygls'\", name='pygls')\n"
    (tmp_path / "pygls.py").write_text(absent)
    found = ibpc("lsp", before=str(tmp_path))
    assert found.returncode == 1
    assert "pip install 'ibpc[lsp]'" in found.stderr
