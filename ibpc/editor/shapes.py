"""Places and diagnostics in the shapes of the Language Server Protocol, as plain JSON values.

Lines and characters count from 0, characters in UTF-16 units, the end is exclusive.
Source: Language Server Protocol 3.17, sections Position, Range, Diagnostic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ibpc.errors import Diagnostic, Span

ERROR, WARNING = 1, 2
SOURCE = "ibpc"


def lines_on_disk(path: str) -> list[str]:
    """The lines of a file as it is saved."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.read().split("\n")
    except (OSError, ValueError):
        return []


def units(line: str, characters: int) -> int:
    """UTF-16 units before a character of a line."""
    return len(line[:characters].encode("utf-16-le", "surrogatepass")) // 2


def characters(line: str, units: int) -> int:
    """Characters before a UTF-16 unit of a line."""
    raw = line.encode("utf-16-le", "surrogatepass")[: 2 * units]
    return len(raw.decode("utf-16-le", "ignore"))


def range_of(span: Span, lines: Sequence[str]) -> dict[str, Any]:
    """The range of a span in a text of these lines."""

    def position(line: int, column: int) -> dict[str, int]:
        text = lines[line - 1] if line <= len(lines) else ""
        return {"line": line - 1, "character": units(text, column - 1) if text else column - 1}

    return {
        "start": position(span.line, span.column),
        "end": position(span.end_line, span.end_column),
    }


NOWHERE = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}


def diagnostic_shape(
    one: Diagnostic,
    lines: Callable[[str], Sequence[str]] = lines_on_disk,
    uri: Callable[[str], str] = str,
) -> dict[str, Any]:
    """A diagnostic: message with label, notes and help below each other; the fix apart as well."""
    parts = [one.problem]
    parts += [one.label] if one.label else []
    parts += [f"note: {note}" for note in one.notes]
    parts += [f"help: {one.fix}"] if one.fix else []
    related = [
        {
            "location": {
                "uri": uri(other.at.path),
                "range": range_of(other.at, lines(other.at.path)),
            },
            "message": other.label,
        }
        for other in one.related
    ]
    return {
        "range": NOWHERE if one.at is None else range_of(one.at, lines(one.at.path)),
        "severity": WARNING if one.severity == "warning" else ERROR,
        "code": one.code,
        "source": SOURCE,
        "message": "\n".join(parts),
        "relatedInformation": related,
        "data": {"fix": one.fix},
    }
