"""The text of a property file: read within limits, unpacked, and with places for messages."""

from __future__ import annotations

import os
import re
import zlib
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from ibpc.errors import Span
from ibpc.exchange.mistakes import NOT_TEXT, TOO_LARGE, UNREADABLE, mistake

if TYPE_CHECKING:
    from ibpc.exchange.mistakes import PropertyMistake

MAX_BYTES = 256 * 2**20
"""What a file may unpack to; the largest official property has 101 MB."""

_GZIP = b"\x1f\x8b"
_PIECE = 2**24


class Text:
    """A text with the name of the file it is from; line ends are newlines."""

    def __init__(self, content: str, origin: str) -> None:
        if "\r" in content:
            content = content.replace("\r\n", "\n").replace("\r", "\n")
        self.content = content
        self.origin = origin

    @cached_property
    def _lines(self) -> list[int]:
        """The offsets at which lines start; made when a first place is asked for."""
        return [0, *(found.end() for found in re.finditer("\n", self.content))]

    def span(self, start: int, end: int) -> Span:
        """The span of `content[start:end]`, cut at the end of its first line."""
        line = bisect_right(self._lines, start)
        if line < len(self._lines):
            end = min(end, self._lines[line] - 1)
        column = start - self._lines[line - 1] + 1
        return Span(self.origin, line, column, line, column + max(1, end - start))


def read_text(path: str | os.PathLike[str]) -> Text:
    """The text of a property file; gzip is known by its first bytes, not by the name.

    Raises: PropertyMistake where it cannot be read, is too large, or is not UTF-8 text.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as reason:  # ValueError: a NUL inside of the path
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        raise mistake(UNREADABLE, f"cannot read `{name}`: {why}", fix="check the path") from None
    return decode(_unpacked(data, name) if data.startswith(_GZIP) else data, name)


def decode(data: bytes, name: str) -> Text:
    """Bytes as a text.  Raises: PropertyMistake where they are too many or not UTF-8 text."""
    if len(data) > MAX_BYTES:
        raise _too_large(name)
    nul = data.find(b"\0")
    if nul >= 0:
        problem = f"`{name}` is not text: it has a NUL byte"
        fix = "the network comes first: ibpc verify MODEL.onnx PROPERTY.vnnlib"
        raise mistake(NOT_TEXT, problem, _place(data, nul, name), fix=fix)
    try:
        return Text(data.decode("utf-8"), name)
    except UnicodeDecodeError as problem:
        raise mistake(
            NOT_TEXT,
            f"`{name}` is not UTF-8 text: byte 0x{data[problem.start]:02X} is out of place",
            _place(data, problem.start, name),
        ) from None


def _unpacked(data: bytes, name: str) -> bytes:
    """The content of gzip bytes (of all their members); stops at the limit."""
    pieces, size = [], 0
    while data:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                piece = member.decompress(data, _PIECE)
            except zlib.error as problem:
                raise _damaged(name, str(problem)) from None
            data = member.unconsumed_tail
            size += len(piece)
            if size > MAX_BYTES:
                raise _too_large(name)
            if not piece and not data and not member.eof:
                raise _damaged(name, "it ends in the middle")
            pieces.append(piece)
        # Padding zeros may follow the last member.
        data = member.unused_data.lstrip(b"\0")
    return b"".join(pieces)


def _damaged(name: str, why: str) -> PropertyMistake:
    return mistake(
        UNREADABLE, f"`{name}` is a damaged gzip file: {why}", fix="download the file again"
    )


def _too_large(name: str) -> PropertyMistake:
    problem = f"`{name}` has more than {MAX_BYTES // 2**20} MiB of text"
    return mistake(TOO_LARGE, problem, fix="split the property into several files")


def _place(data: bytes, offset: int, name: str) -> Span:
    """The place of one byte."""
    line = data.count(b"\n", 0, offset) + 1
    start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[start:offset].decode("utf-8", errors="replace")) + 1
    return Span(name, line, column, line, column + 1)
