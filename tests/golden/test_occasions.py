"""Every code that no spec of `errors/` gives is given by an occasion, under golden test as well.

What others say in a message (onnx, torch, the operating system) stands in notes or behind a colon,
each version's own way; it is cut out before the comparison.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import occasions_of_commands
import occasions_of_files
import occasions_of_models
import occasions_of_properties
import occasions_of_solvers
import occasions_of_training
import pytest
from occasion import OCCASIONS

from ibpc.cli.long_forms import long_forms
from ibpc.errors import IbpcError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS = (
    occasions_of_commands,
    occasions_of_files,
    occasions_of_models,
    occasions_of_properties,
    occasions_of_solvers,
    occasions_of_training,
)
"""Importing them fills the table."""

GOLDEN = Path(__file__).parent
FOLDER = GOLDEN / "occasions"
CODE = re.compile(r"^(?:error|warning)\[([EW]\d{4})\]: ", re.M)
VARYING = {r"-[0-9a-f]{12}\b": "-CONTENT", r"else \(\d\.\d+\)": "else (NUMBER)"}
"""Run folders are named by content, which a newer language changes; floats differ by machine."""

FOREIGN = re.compile(r"(?m)^   = note: .*$\n?")


def messages(text: str) -> str:
    """The diagnostics of a text, without progress and tables around them."""
    found = re.findall(r"(?m)^(?:error|warning)\[.*(?:\n(?: +.*)?$)*", text)
    return "".join(f"{one.rstrip()}\n" for one in found)


def told(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is said on an occasion."""
    try:
        found = OCCASIONS[code](folder, monkeypatch)
    except IbpcError as mistake:
        return messages(f"{mistake}\n")
    if isinstance(found, str):
        return messages(found)
    return "".join(f"{one.render()}\n" for one in found or ())


def tidy(text: str, folder: Path) -> str:
    """The text as it is everywhere."""
    root = str(GOLDEN.parents[1])
    text = text.replace(f"{folder}/", "").replace(str(folder), "FOLDER").replace(root, "ROOT")
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return FOREIGN.sub("", text)


@pytest.mark.parametrize("code", sorted(OCCASIONS))
def test_an_occasion_gives_its_code_and_no_other(
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[Path, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = told(code, tmp_path, monkeypatch)
    assert set(CODE.findall(text)) == {code}, text
    golden(FOLDER / f"{code}.err", tidy(text, tmp_path))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("E*.err")), ids=lambda path: path.stem)
def test_an_error_says_how_to_mend_it(path: Path) -> None:
    """Warnings need not: some say only that nothing has to be done."""
    assert "   = help: " in path.read_text(encoding="utf-8")


def test_every_code_has_a_golden_message() -> None:
    said = set(_said())
    assert len(said) >= 80
    assert set(long_forms()) - said == set()


def test_every_code_without_an_example_has_an_occasion() -> None:
    """No code is exempt: whoever adds one says how a user meets it."""
    shown = {form.code for form in long_forms().values() if form.example() is not None}
    assert set(long_forms()) - shown - set(OCCASIONS) == set()


def _said() -> Iterator[str]:
    for path in (*GOLDEN.glob("errors/*.err"), *FOLDER.glob("*.err")):
        yield from CODE.findall(path.read_text(encoding="utf-8"))
