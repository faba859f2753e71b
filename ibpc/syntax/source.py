"""Reads a source file, and turns offsets in its text into spans."""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path

from ibpc.errors import Diagnostic, FileMistake, Span, SyntaxMistake, did_you_mean
from ibpc.syntax import codes

MAX_BYTES = 4 * 2**20


class Source:
    """A text with its path as the user gave it; line ends are newlines, a BOM is gone."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self._lines = [0]
        self._lines += [place + 1 for place, sign in enumerate(self.text) if sign == "\n"]

    def span(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`."""
        first = bisect_right(self._lines, start)
        last = bisect_right(self._lines, end)
        lines = self._lines
        return Span(self.path, first, start - lines[first - 1] + 1, last, end - lines[last - 1] + 1)

    def point(self, offset: int) -> Span:
        """One column at `offset`, which may be the end of a line or of the text."""
        at = self.span(offset, offset)
        return Span(at.path, at.line, at.column, at.line, at.column + 1)

    def starts_line(self, offset: int) -> bool:
        """Whether `offset` is column 1 of a line."""
        return offset == 0 or self.text[offset - 1] == "\n"


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of the file at `path`.

    Raises:
        FileMistake: the file is absent, a folder, unreadable or larger than 4 MiB.
        SyntaxMistake: the file is not UTF-8 text.
    """
    name = os.fspath(path)
    return source_of_bytes(name, _read_bytes(name))


def source_of_bytes(name: str, data: bytes) -> Source:
    """The text that a file's bytes hold.

    Raises:
        FileMistake: it is larger than 4 MiB.
        SyntaxMistake: it is not UTF-8 text.
    """
    if len(data) > MAX_BYTES:
        raise FileMistake(
            Diagnostic(
                codes.TOO_LARGE,
                f"`{name}` is too large for a source file",
                fix="give the `.ibp` file; weights and data sets stay in files of their own",
            )
        )
    nul = data.find(b"\0")
    if nul >= 0:
        at = _span_in_bytes(name, data, nul)
        raise SyntaxMistake(
            Diagnostic(
                codes.BINARY,
                f"`{name}` is not text: it has a NUL byte",
                at,
                fix='give the `.ibp` file; a network is named inside of it: `onnx("model.onnx")`',
            )
        )
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as problem:
        at = _span_in_bytes(name, data, problem.start)
        byte = data[problem.start]
        raise SyntaxMistake(
            Diagnostic(
                codes.NOT_UTF8,
                f"`{name}` is not UTF-8: byte 0x{byte:02X} is out of place",
                at,
                fix="save the file as UTF-8",
            )
        ) from None


def _read_bytes(name: str) -> bytes:
    """The first 4 MiB and one byte of a file."""
    try:
        with open(name, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        problem = Diagnostic(codes.UNREADABLE, f"no such file: `{name}`", fix=_sibling(name))
    except (IsADirectoryError, PermissionError) as reason:
        if os.path.isdir(name):
            problem = Diagnostic(
                codes.UNREADABLE,
                f"`{name}` is a folder, not a file",
                fix="name a `.ibp` file in it",
            )
        else:
            problem = Diagnostic(
                codes.UNREADABLE, f"cannot read `{name}`: {reason.strerror or reason}"
            )
    except (OSError, ValueError) as reason:  # ValueError: a NUL inside of the path
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        problem = Diagnostic(codes.UNREADABLE, f"cannot read `{name}`: {why}")
    raise FileMistake(problem)


def _sibling(name: str) -> str:
    """`did you mean ...` over the `.ibp` files beside an absent one."""
    folder = Path(name).parent
    try:
        names = [os.path.join(os.path.dirname(name), path.name) for path in folder.glob("*.ibp")]
    except OSError:
        return ""
    return did_you_mean(name, names)


def _span_in_bytes(name: str, data: bytes, offset: int) -> Span:
    """The place of one byte; every byte before it on its line must be UTF-8."""
    line = data.count(b"\n", 0, offset) + 1
    start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[start:offset].decode("utf-8", errors="replace")) + 1
    return Span(name, line, column, line, column + 1)
