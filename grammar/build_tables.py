"""Hatchling's build hook: compiles `ibp.lark` into the parser's tables and ships them in the wheel.

The work is done by `ibpc/syntax/grammar_tables.py`, which is run as a script because ibpc is not
installed yet when its wheel is built.
"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_TABLES = "ibpc/syntax/tables.json"


class GrammarTables(BuildHookInterface):  # type: ignore[type-arg]
    """Adds `ibpc/syntax/tables.json` to a wheel; an editable install gets it in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Writes the tables before the files of the wheel are gathered."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        script = runpy.run_path(str(root / "ibpc" / "syntax" / "grammar_tables.py"))
        text = script["compile_grammar"]((root / "grammar" / "ibp.lark").read_text("utf-8"))
        if version == "editable":
            (root / _TABLES).write_text(text, encoding="utf-8")
            return
        self._folder = tempfile.TemporaryDirectory(prefix="ibpc-tables-")
        tables = Path(self._folder.name) / "tables.json"
        tables.write_text(text, encoding="utf-8")
        build_data["force_include"][str(tables)] = _TABLES

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes the working copy once the wheel has it."""
        folder = getattr(self, "_folder", None)
        if folder is not None:
            folder.cleanup()
