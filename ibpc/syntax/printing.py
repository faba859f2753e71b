"""Prints documents: text whose line ends are decided by what fits.

A document is a text, a tuple of documents, or one of the classes below. A group is printed flat
where it fits into the line, and broken otherwise: then each `Line` directly inside of it ends a
line, and each `Nest` indents. A group that must break (`forced`) does not break those around it
as long as what stands before its first line end fits.

Source: the idea of groups that are flat or broken is that of P. Wadler, "A prettier printer"
(2003); comments that end a line and groups forced apart are additions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

INDENT = 4
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Group:
    """A document that is printed flat where it fits."""

    content: Doc
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Nest:
    """A document whose lines are indented where its group is broken."""

    content: Doc


@dataclass(frozen=True, slots=True)
class Line:
    """A line's end in a broken group, `flat` in a flat one."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class Hard:
    """A line's end wherever it stands, with an empty line behind it or without."""

    blank: bool = False


@dataclass(frozen=True, slots=True)
class Space:
    """A blank, unless a line ends here."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A text that stands in broken groups only."""

    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment behind what stands on the line, or on its own; what follows starts a new line.

    That line is indented by `hang` levels, unless a `Line` follows that knows better.
    """

    text: str
    own_line: bool
    hang: int = 1


Doc: TypeAlias = "str | tuple[Doc, ...] | Group | Nest | Line | Hard | Space | Broken | Remark"
Frame: TypeAlias = tuple[int, bool, Doc]


def render(document: Doc) -> str:
    """The text of a document; no line ends in a blank, and the last one ends."""
    printer = _Printer(document)
    printer.run()
    return "".join(printer.out) + "\n"


class _Printer:
    """A stack of what is left to print: each with its indentation and whether it is broken."""

    def __init__(self, document: Doc) -> None:
        self.stack: list[Frame] = [(0, True, document)]
        self.out: list[str] = []
        self.column = 0
        self.newline: tuple[int, bool] | None = None
        self.space = False

    def run(self) -> None:
        while self.stack:
            frame = indent, broken, doc = self.stack.pop()
            match doc:
                case Group(content, forced):
                    apart = forced or not self._fits((indent, False, content))
                    self.stack.append((indent, apart, content))
                case tuple() | Nest():
                    self.stack.extend(_parts(frame))
                case Line() | Hard():
                    self._end_line(doc, indent, broken)
                case Space():
                    self.space = True
                case Remark():
                    self._remark(doc, indent + doc.hang * INDENT)
                case Broken(text) | str(text):
                    if text and (broken or isinstance(doc, str)):
                        self._write(text)

    def _end_line(self, doc: Line | Hard, indent: int, broken: bool) -> None:
        if isinstance(doc, Hard):
            self.newline = (indent, doc.blank)
        elif broken:
            self.newline = (indent, False)
        elif doc.flat:
            self.space = True

    def _write(self, text: str) -> None:
        if self.newline is not None:
            indent, blank = self.newline
            if self.out:
                self.out.append("\n\n" if blank else "\n")
            self.out.append(" " * indent)
            self.column = indent
        elif self.space:
            self.out.append(" ")
            self.column += 1
        self.newline, self.space = None, False
        self.out.append(text)
        self.column += len(text)

    def _remark(self, remark: Remark, indent: int) -> None:
        if self.newline is None and not remark.own_line:
            self.space = False
            self._write("  " + remark.text)
            self.newline = (indent, False)
            return
        place = indent if self.newline is None else self.newline[0]
        self.newline = self.newline or (indent, False)
        self._write(remark.text)
        self.newline = (place, False)

    def _fits(self, frame: Frame) -> bool:
        """Whether the line does not overflow before the first place where it may end."""
        room = WIDTH - (self.column if self.newline is None else self.newline[0]) - self.space
        todo, rest = [frame], len(self.stack)
        while room >= 0:
            if not todo:
                if rest == 0:
                    return True
                rest -= 1
                todo.append(self.stack[rest])
            frame = todo.pop()
            _, broken, doc = frame
            if isinstance(doc, Hard | Remark) or (isinstance(doc, Line) and broken):
                return True
            todo.extend(_parts(frame))
            room -= _columns(doc, broken)
        return False


def _parts(frame: Frame) -> list[Frame]:
    """The parts of a document that has some, the first one last."""
    indent, broken, doc = frame
    match doc:
        case tuple():
            return [(indent, broken, part) for part in reversed(doc)]
        case Group(content, forced):
            return [(indent, broken or forced, content)]
        case Nest(content):
            return [(indent + INDENT if broken else indent, broken, content)]
    return []


def _columns(doc: Doc, broken: bool) -> int:
    """The columns that a document without parts takes."""
    match doc:
        case str():
            return len(doc)
        case Line(flat):
            return len(flat)
        case Broken(text):
            return len(text) if broken else 0
    return int(isinstance(doc, Space))
