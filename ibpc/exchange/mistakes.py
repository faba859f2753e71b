"""Mistakes in property files (E09xx): the codes, what each means, and a file's warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, IbpcError

if TYPE_CHECKING:
    from ibpc.errors import Span

UNREADABLE = "E0901"
TOO_LARGE = "E0902"
NOT_TEXT = "E0903"
TOKEN = "E0904"
PARENTHESES = "E0905"
TOO_DEEP = "E0906"
COMMAND = "E0907"
FORM = "E0908"
NUMBER = "E0909"
UNDECLARED = "E0910"
DUPLICATE = "E0911"
SORT = "E0912"
SHAPE = "E0913"
INDEX = "E0914"
ELEMENT_TYPE = "E0915"
VERSION = "E0916"
EQUIVALENCE = "E0917"
NOT_LINEAR = "E0918"
UNBOUNDED = "E0919"
TOO_MANY = "E0920"
UNSUPPORTED = "E0921"
NO_NETWORK = "E0922"
WITNESS = "E0923"
NOT_WRITABLE = "E0924"

EMPTY = "W0901"
MALFORMED = "W0902"
LOOSE = "W0903"
IGNORED = "W0904"
NO_OUTPUT = "W0905"
CLOSED = "W0906"
ROUNDED = "W0907"

EXPLANATIONS = {
    UNREADABLE: "The file is absent, is a folder, is a damaged gzip file, or may not be read.",
    TOO_LARGE: "Property files may unpack to 256 MiB.",
    NOT_TEXT: "Property files are text in UTF-8, or such text packed with gzip.",
    TOKEN: "The character begins nothing that VNN-LIB knows.",
    PARENTHESES: "A parenthesis or bracket is opened and never closed, or the other way round.",
    TOO_DEEP: "Terms may be nested 10,000 deep.",
    COMMAND: "VNN-LIB 1.0 has `declare-const` and `assert`; 2.x `declare-network` and `assert`.",
    FORM: "The form has the wrong parts, or they stand in the wrong order.",
    NUMBER: "Numbers are decimals of at most 1,000 characters with exponents up to 400.",
    UNDECLARED: "A variable or network must be declared before it is used.",
    DUPLICATE: "All networks and tensors of a query have different names.",
    SORT: "The variables of VNN-LIB 1.0 are of sort Real.",
    SHAPE: "A shape lists positive whole numbers; a tensor has at most 50 million entries.",
    INDEX: "There is one index for each axis, and each counts from 0 and is below its extent.",
    ELEMENT_TYPE: "All operands of a comparison have one element type; a constant is a member of "
    "it (1 is no real number, 1.0 is), and nothing is converted.",
    VERSION: "This ibpc reads VNN-LIB 1.0 (which has no version line) and 2.x.",
    EQUIVALENCE: "A network may be equal or isomorphic to one earlier network of the same form, "
    "which itself is declared without an equivalence.",
    NOT_LINEAR: "Constraints are linear: a product has at most one factor with variables.",
    UNBOUNDED: "Every input needs a lower and an upper bound in every case of a disjunction.",
    TOO_MANY: "The disjunctive normal form would be too large.",
    UNSUPPORTED: "The file is well formed, and says what ibpc cannot verify yet.",
    NO_NETWORK: "A property declares at least one input and one output.",
    WITNESS: "A witness lists (X_i value) and (Y_j value) once for every input and output.",
    NOT_WRITABLE: "VNN-LIB cannot say this.",
    EMPTY: "No input satisfies the constraints, so nothing unsafe can be reached in this case.",
    MALFORMED: "The form is not VNN-LIB, but official files have it and its meaning is clear.",
    LOOSE: "The standard's texts disagree about this form; its meaning is clear.",
    IGNORED: "The command has no meaning for a property.",
    NO_OUTPUT: "Without a constraint on the outputs every input of the box is unsafe.",
    CLOSED: "VNN-LIB 1.0 tools know no strict comparisons: the set is written with its border, so "
    "unsat still proves the property, and a witness on the border proves nothing.",
    ROUNDED: "A bound without a finite decimal is written rounded outward.",
}


class PropertyMistake(IbpcError):
    """A property file is wrong, or says what ibpc cannot do (E09xx)."""


def mistake(
    code: str, problem: str, at: Span | None = None, label: str = "", fix: str = ""
) -> PropertyMistake:
    """An error to raise."""
    return PropertyMistake(Diagnostic(code, problem, at, label, fix))


class Warnings:
    """Warnings of one file: the first of each kind is kept, the others are counted."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[Diagnostic, int]] = {}

    def seen(self, code: str, problem: str) -> bool:
        """Counts one more of a known kind; False where its place must still be told to `add`."""
        if (code, problem) not in self._found:
            return False
        first, count = self._found[code, problem]
        self._found[code, problem] = first, count + 1
        return True

    def add(
        self, code: str, problem: str, at: Span | None = None, label: str = "", fix: str = ""
    ) -> None:
        """Keeps or counts one warning."""
        if not self.seen(code, problem):
            self._found[code, problem] = Diagnostic(code, problem, at, label, fix), 1

    def collected(self) -> tuple[Diagnostic, ...]:
        """All kinds, in the order in which they were met."""
        return tuple(
            first
            if count == 1
            else Diagnostic(
                first.code,
                first.problem,
                first.at,
                first.label,
                first.fix,
                notes=(f"{count - 1} more like this",),
            )
            for first, count in self._found.values()
        )
