"""Every message of the checker under golden test: one file with a mistake, and what is said of it.

`--update-golden` writes the messages anew. A line `# with: name=value` sets a param, as `-p` does;
a line `# claim: phi(f)` asks for one claim of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from checker_words import VOCABULARY

from ibpc.errors import IbpcError
from ibpc.language import CODES, check_claim, check_file

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent / "errors"
CASES = sorted(path.stem for path in FOLDER.glob("*.ibp"))
SET, ASK = "# with: ", "# claim: "


def said_of(name: str) -> str:
    """What the checker says of a file, warnings included."""
    lines = Path(name).read_text(encoding="utf-8").splitlines()
    params = (line.removeprefix(SET) for line in lines if line.startswith(SET))
    pairs = [(name, value) for name, _, value in (param.partition("=") for param in params)]
    asked = next((line.removeprefix(ASK) for line in lines if line.startswith(ASK)), None)
    try:
        if asked is not None:
            check_claim(name, VOCABULARY, asked, dict(pairs))
        program = check_file(name, VOCABULARY, dict(pairs))
    except IbpcError as mistake:
        return f"{mistake}\n"
    return "".join(f"{warning.render()}\n" for warning in program.warnings)


@pytest.mark.parametrize("case", CASES)
def test_the_message_is_the_one_on_file(
    case: str, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    text = said_of(f"{case}.ibp")
    assert text, "the case has no mistake"
    golden(FOLDER / f"{case}.err", text)


def test_every_code_has_a_case() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.err"))
    unsaid = {code for code in CODES if f"[{code}]" not in said}
    # These need words of ibpc itself, or a tree by hand: `test_occasions.py` has them.
    assert unsaid == {"E0307", "E0612", "E0630", "E0704", "E0741"}
