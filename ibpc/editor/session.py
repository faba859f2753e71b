"""The texts of open files, and what the last checks of them found."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ibpc.editor.shapes import lines_on_disk
from ibpc.language import analyse
from ibpc.syntax import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibpc.errors import Diagnostic
    from ibpc.language import Analysis, Vocabulary


@dataclass
class Session:
    """All that an editor has open.

    `parsed` keeps, for each file, the last check whose text could be parsed: hover and completion
    go on working while a line is half written.
    """

    vocabulary: Vocabulary
    texts: dict[str, str] = field(default_factory=dict)
    parsed: dict[str, Analysis] = field(default_factory=dict)

    def open(self, path: str, text: str) -> None:
        """A file is open with this text, saved or not; line ends become plain."""
        self.texts[os.path.realpath(path)] = Source(path, text).text

    def close(self, path: str) -> None:
        """The file on the disk counts again."""
        self.texts.pop(os.path.realpath(path), None)

    def text(self, path: str) -> str:
        """A file's text as it is now."""
        known = self.texts.get(os.path.realpath(path))
        return "\n".join(lines_on_disk(path)) if known is None else known

    def lines(self, path: str) -> Sequence[str]:
        """Its lines."""
        return self.text(path).split("\n")

    def check(self, path: str) -> Analysis:
        """A new check of the file with the texts as they are now."""
        found = analyse(path, self.vocabulary, texts=self.texts, thorough=False)
        if found.main is not None:
            self.parsed[path] = found
        return found

    def diagnostics(self, path: str) -> dict[str, list[Diagnostic]]:
        """What a check says, by file: the file itself always, imported ones where wrong."""
        by_file: dict[str, list[Diagnostic]] = {path: []}
        for one in self.check(path).diagnostics:
            by_file.setdefault(path if one.at is None else one.at.path, []).append(one)
        return by_file

    def known(self, path: str) -> Analysis | None:
        """The last check of the file that could be parsed, if there is one."""
        if path not in self.parsed:
            self.check(path)
        return self.parsed.get(path)
