"""How the checker reports: raise at an expression's first mistake, gather over all of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ibpc.errors import (
    Diagnostic,
    FileMistake,
    IbpcError,
    NameMistake,
    Related,
    SyntaxMistake,
    TypeMistake,
    UnitMistake,
    UnsupportedOperator,
    did_you_mean,
)
from ibpc.language.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibpc.errors import Span

_FAMILIES: dict[str, type[IbpcError]] = {
    "E00": SyntaxMistake,
    "E01": NameMistake,
    "E02": TypeMistake,
    "E03": UnitMistake,
    "E04": TypeMistake,
    "E05": FileMistake,
    "E06": TypeMistake,
    "E07": UnsupportedOperator,
}


class Poisoned(Exception):
    """What is asked for is wrong, and that has been reported already."""


def wrong(
    code: str,
    problem: str,
    at: Span | None,
    label: str = "",
    fix: str = "",
    related: tuple[Related, ...] = (),
    notes: tuple[str, ...] = (),
) -> IbpcError:
    """The error of `code`'s family, to be raised."""
    return family(code)(diagnostic(code, problem, at, label, fix, related, notes))


def diagnostic(
    code: str,
    problem: str,
    at: Span | None,
    label: str = "",
    fix: str = "",
    related: tuple[Related, ...] = (),
    notes: tuple[str, ...] = (),
) -> Diagnostic:
    """A diagnostic whose code stands in the table of codes."""
    assert code in CODES, code
    return Diagnostic(code, problem, at, label, fix, related, notes)


def family(code: str) -> type[IbpcError]:
    """The error class of a code's family."""
    return _FAMILIES.get(code[:3], IbpcError)


def suggestion(name: str, candidates: Iterable[str], many: int = 8) -> str:
    """`did you mean ...?`, or the list of what there is where that list is short."""
    known = sorted(set(candidates))
    close = did_you_mean(name, known)
    if close or not known or len(known) > many:
        return close
    return "there is " + listed(known)


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return ", ".join(quoted[:-1]) + " and " + quoted[-1]


class Collector:
    """Gathers the diagnostics of a whole check, each once."""

    def __init__(self) -> None:
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self._seen: set[tuple[str, str, Span | None]] = set()
        self.ignored: frozenset[str] = frozenset()
        self._aside: list[Diagnostic] | None = None

    def add(self, *diagnostics: Diagnostic) -> None:
        """Keep each diagnostic that is new."""
        for one in diagnostics:
            key = (one.code, one.problem, one.at)
            if key in self._seen or one.code in self.ignored:
                continue
            if self._aside is not None:
                self._aside.append(one)
                continue
            self._seen.add(key)
            (self.warnings if one.severity == "warning" else self.errors).append(one)

    def warn(
        self,
        code: str,
        problem: str,
        at: Span | None,
        label: str = "",
        fix: str = "",
        related: tuple[Related, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        """Keep a warning."""
        self.add(diagnostic(code, problem, at, label, fix, related, notes))

    @contextmanager
    def gathering(self, at: Span | None = None) -> Iterator[Failures]:
        """Run a block; its mistakes are kept, and the work goes on behind it."""
        failures = Failures()
        try:
            yield failures
        except IbpcError as mistake:
            failures.any = True
            self.add(*mistake.diagnostics)
        except Poisoned:
            failures.any = True
        except RecursionError:
            failures.any = True
            self.add(too_deep(at))

    @contextmanager
    def ignoring(self, codes: Iterable[str]) -> Iterator[None]:
        """Run a block in which mistakes of these codes do not count."""
        before, self.ignored = self.ignored, self.ignored | frozenset(codes)
        try:
            yield
        finally:
            self.ignored = before

    @contextmanager
    def aside(self) -> Iterator[list[Diagnostic]]:
        """Run a block; what it reports is not kept, but given to whoever judges it."""
        before, self._aside = self._aside, []
        try:
            yield self._aside
        finally:
            self._aside = before

    def raise_all(self) -> None:
        """Raise one error with all diagnostics, if there are any."""
        if not self.errors:
            return
        families = {family(one.code) for one in self.errors}
        raise (families.pop() if len(families) == 1 else IbpcError)(*self.errors)


class Failures:
    """Whether a gathering block met a mistake."""

    def __init__(self) -> None:
        self.any = False


def too_deep(at: Span | None) -> Diagnostic:
    """The diagnostic for an expression that exhausts the stack."""
    return diagnostic(
        "E0307", "this is nested too deeply", at, fix="split it up with `const` or `let`"
    )
