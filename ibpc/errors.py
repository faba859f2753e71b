"""What every room may use to say that something is wrong, where, why, and how to mend it.

A mistake of the user's is an `IbpcError`: it carries one or several `Diagnostic`s, printed as

    error[E0102]: unknown layer `relue`
      --> specs/gowal.ibp:4:5
       |
     4 |     relue
       |     ^^^^^ not a layer
       = help: did you mean `relu`?

A mistake of ours is an `InternalError` (or an `AssertionError`), never an `IbpcError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHOWN = 160
"""Of a longer source line the part around the place is shown."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source file; lines and columns count from 1, the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a diagnostic points at, and what there is to see."""

    at: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell: a stable code, where, what, why, and the fix.

    `code` starts with E (error) or W (warning): E00xx syntax, E01xx names, E02xx shapes,
    E03xx units and numbers, E04xx logic, E05xx files and data, E06xx plans, E07xx what a
    back end cannot do, E08xx models (ONNX), E09xx property files (VNN-LIB).
    """

    code: str
    problem: str
    at: Span | None = None
    label: str = ""
    fix: str = ""
    related: tuple[Related, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return "warning" if self.code.startswith("W") else "error"

    def render(self) -> str:
        """The diagnostic as text, with the source lines read from the files it points at."""
        lines = [f"{self.severity}[{self.code}]: {self.problem}"]
        if self.at is not None:
            lines.append(f"  --> {self.at.path}:{self.at.line}:{self.at.column}")
            lines.extend(_excerpts(self.at, self.label, self.related))
        lines.extend(f"   = note: {note}" for note in self.notes)
        if self.fix:
            lines.append(f"   = help: {self.fix}")
        return "\n".join(lines)


class IbpcError(Exception):
    """Something that the user can mend; the root of all errors that are not bugs."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        assert diagnostics, "an error needs something to say"
        super().__init__("\n\n".join(diagnostic.problem for diagnostic in diagnostics))
        self.diagnostics = diagnostics

    def __reduce__(self) -> tuple[type[IbpcError], tuple[Diagnostic, ...]]:
        """Errors cross the pipe of a worker process whole."""
        return type(self), self.diagnostics

    def __str__(self) -> str:
        return "\n\n".join(diagnostic.render() for diagnostic in self.diagnostics)


class SyntaxMistake(IbpcError):
    """The text is not the language (E00xx)."""


class NameMistake(IbpcError):
    """A name means nothing here, or two things (E01xx)."""


class TypeMistake(IbpcError):
    """A type, shape, logic or plan is wrong (E02xx, E04xx, E06xx)."""


class UnitMistake(IbpcError):
    """A unit or a number is wrong (E03xx)."""


class FileMistake(IbpcError):
    """A file, folder or data set is absent, unreadable, or not what it should be (E05xx)."""


class ModelMistake(IbpcError):
    """A network's file or graph is wrong (E08xx)."""


class UnsupportedOperator(IbpcError):
    """A sound network asks for a facet that an operator or set lacks (E07xx)."""


class PassFailed(IbpcError):
    """A pass broke the graph's law; says which pass (E08xx)."""


class SolverFailure(IbpcError):
    """A solver crashed or answered nonsense (E07xx)."""


class NumericalDoubt(IbpcError):
    """A bound is NaN, infinite or crossed: the answer is Unknown, never Holds (E07xx)."""


class InternalError(Exception):
    """A bug in ibpc."""


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The question "did you mean x?" for the closest candidate, or the empty string."""
    cutoff = 0.6 if len(name) > 2 else 0.5  # one wrong letter of two is half the word
    close = get_close_matches(name, sorted(candidates), n=1, cutoff=cutoff)
    return f"did you mean `{close[0]}`?" if close else ""


def _excerpts(at: Span, label: str, related: Sequence[Related]) -> list[str]:
    """The source lines with carets (`^` at the place itself, `-` at related ones)."""
    marks = [(at, "^", label), *((other.at, "-", other.label) for other in related)]
    marks.sort(key=lambda mark: (mark[0].path != at.path, mark[0].path, mark[0].line))
    width = max(len(str(span.line)) for span, _, _ in marks)
    lines = [f"{'':{width}} |".rjust(width + 4)]
    shown = at.path
    for span, sign, text in marks:
        if span.path != shown:
            lines.append(f"  ::: {span.path}:{span.line}:{span.column}")
            shown = span.path
        source = _source_line(span)
        if source is None:
            continue
        length = span.end_column - span.column if span.end_line == span.line else 0
        source, column = _clipped(source, span.column)
        length = max(1, min(length or len(source), len(source) - column + 1))
        lead = "".join("\t" if c == "\t" else " " for c in source[: column - 1])
        lines.append(f"  {span.line:>{width}} | {source}")
        lines.append(f"  {'':{width}} | {lead}{sign * length} {text}".rstrip())
    return lines if len(lines) > 1 else []


def _clipped(source: str, column: int) -> tuple[str, int]:
    """The part of a long line around a column, and the column in that part."""
    start = max(0, column - 1 - _SHOWN // 2) if len(source) > _SHOWN else 0
    return source[start : start + _SHOWN], column - start


def _source_line(span: Span) -> str | None:
    """Line `span.line` of the file (unpacked), or None where it cannot be read as text."""
    import gzip
    import zlib

    try:
        with open(span.path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        unpack = gzip.open if packed else open
        with unpack(span.path, "rt", encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if number == span.line:
                    return str(line.rstrip("\n\r"))
    except (OSError, EOFError, zlib.error):
        return None
    return None
