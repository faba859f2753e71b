"""From asserted clauses to a `Property`: boxes intersected, cases combined, emptiness said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.exchange.clauses import MAX_ATOMS, Clause, conjunction
from ibpc.exchange.mistakes import EMPTY, NO_OUTPUT, TOO_MANY, UNBOUNDED, Warnings, mistake
from ibpc.exchange.property import Constraint, Disjunct, Exact, Interface, Property

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ibpc.errors import Span
    from ibpc.exchange.source import Text

_Side = list[Exact | None]


class Assembly:
    """Collects what a file asserts; `finish` makes the property of it.

    Bounds that hold in every case go into one box at once; a disjunction is kept as its clauses.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.warnings = Warnings()
        self._lower: dict[int, Exact] = {}
        self._upper: dict[int, Exact] = {}
        self._rows: list[Constraint] = []
        self._choices: list[tuple[list[Clause], Span]] = []
        self._false: Span | None = None
        self._dropped = 0

    def bound(self, index: int, upper: bool, number: Exact) -> None:
        """`x[index] <= number` (or `>=`), in every case."""
        side = self._upper if upper else self._lower
        old = side.get(index)
        if old is None or (number < old if upper else number > old):
            side[index] = number

    def row(self, row: Constraint) -> None:
        """A row that holds in every case."""
        self._rows.append(row)

    def choose(self, clauses: list[Clause], at: Span) -> None:
        """One of these clauses holds; no clause is a contradiction."""
        if not clauses:
            self._false = self._false or at
        elif len(clauses) == 1:
            for atom in clauses[0]:
                if isinstance(atom, Constraint):
                    self._rows.append(atom)
                else:
                    self.bound(*atom)
        else:
            self._choices.append((clauses, at))

    def finish(self, interface: Interface, place: Callable[[int], Span]) -> Property:
        """The property; `place` is where an input is declared.

        Raises: PropertyMistake where an input has no bounds, or there are too many cases.
        """
        inputs, outputs = _entries(interface.input.shape), _entries(interface.output.shape)
        disjuncts = [] if self._false else self._disjuncts(inputs, place)
        self._say_emptiness(disjuncts)
        if disjuncts and not any(row.outputs for case in disjuncts for row in case.rows):
            self.warnings.add(NO_OUTPUT, "no constraint speaks of the outputs")
        return Property(
            inputs,
            outputs,
            tuple(disjuncts),
            interface,
            self.warnings.collected(),
            self.text.origin,
        )

    def _disjuncts(self, inputs: int, place: Callable[[int], Span]) -> list[Disjunct]:
        cases = self._combined(inputs)
        lower: _Side = [self._lower.get(index) for index in range(inputs)]
        upper: _Side = [self._upper.get(index) for index in range(inputs)]
        open_below = [index for index, number in enumerate(lower) if number is None]
        open_above = [index for index, number in enumerate(upper) if number is None]
        self._refuse_open(cases, open_below, open_above, place)
        if _crossed(lower, upper, range(inputs)):
            return []
        shared = _Box(lower, upper)
        found = []
        for clause in cases:
            bounds = [atom for atom in clause if not isinstance(atom, Constraint)]
            box = shared.cut(bounds) if bounds else shared
            if box is not None:
                rows = [atom for atom in clause if isinstance(atom, Constraint)]
                found.append(
                    Disjunct(
                        box.lower_side, box.upper_side, tuple(dict.fromkeys(self._rows + rows))
                    )
                )
        self._dropped = len(cases) - len(found)
        return found

    def _combined(self, inputs: int) -> list[Clause]:
        """Every choice of one clause from each disjunction."""
        cases: list[Clause] = [()]
        for clauses, at in self._choices:
            cases = conjunction([cases, clauses], at) if len(cases) > 1 else clauses
            own_boxes = any(
                not isinstance(atom, Constraint) for clause in clauses for atom in clause
            )
            if own_boxes and len(cases) * inputs > 4 * MAX_ATOMS:
                raise mistake(
                    TOO_MANY,
                    f"{len(cases)} boxes over {inputs} inputs are more than ibpc keeps",
                    at,
                    fix="split the property into several files",
                )
        return cases

    def _refuse_open(
        self,
        cases: list[Clause],
        open_below: list[int],
        open_above: list[int],
        place: Callable[[int], Span],
    ) -> None:
        """Raises where some case leaves an input without a bound."""
        if not open_below and not open_above:
            return
        needed = {(index, False) for index in open_below} | {(index, True) for index in open_above}
        for number, clause in enumerate(cases):
            given = {atom[:2] for atom in clause if not isinstance(atom, Constraint)}
            if not needed <= given:
                index, upper = min(needed - given)
                case = f" in case {number + 1} of {len(cases)}" if len(cases) > 1 else ""
                raise _unbounded(index, upper, case, place(index))

    def _say_emptiness(self, disjuncts: list[Disjunct]) -> None:
        if self._false:
            self.warnings.add(
                EMPTY,
                "an assertion is false, so the property holds whatever the network is",
                self._false,
            )
        elif not disjuncts:
            self.warnings.add(
                EMPTY,
                "bounds contradict each other, so the property holds whatever the network is",
                fix="check the signs: (<= X_0 u) is an upper bound, (>= X_0 l) a lower one",
            )
        elif self._dropped:
            self.warnings.add(
                EMPTY,
                f"{self._dropped} of {self._dropped + len(disjuncts)} cases are left out:"
                " their bounds contradict each other",
            )


class _Box:
    """The bounds that all cases share, and how one case cuts them."""

    def __init__(self, lower: _Side, upper: _Side) -> None:
        self._lower, self._upper = lower, upper
        self.lower_side: tuple[Exact, ...] = tuple(lower)  # type: ignore[arg-type]
        self.upper_side: tuple[Exact, ...] = tuple(upper)  # type: ignore[arg-type]

    def cut(self, bounds: Iterable[tuple[int, bool, Exact]]) -> _Box | None:
        """The box with more bounds, or None where it is empty."""
        lower, upper = list(self._lower), list(self._upper)
        touched = set()
        for index, above, number in bounds:
            side = upper if above else lower
            old = side[index]
            if old is None or (number < old if above else number > old):
                side[index] = number
            touched.add(index)
        return None if _crossed(lower, upper, touched) else _Box(lower, upper)


def _crossed(lower: _Side, upper: _Side, indices: Iterable[int]) -> bool:
    for index in indices:
        low, high = lower[index], upper[index]
        if low is not None and high is not None and low > high:
            return True
    return False


def _unbounded(index: int, upper: bool, case: str, at: Span) -> Exception:
    side, sign = ("upper", "<=") if upper else ("lower", ">=")
    return mistake(
        UNBOUNDED,
        f"input {index} has no {side} bound{case}",
        at,
        "declared here",
        fix=f"assert ({sign} input number) for it: sets without bounds cannot be verified",
    )


def _entries(shape: tuple[int, ...]) -> int:
    count = 1
    for extent in shape:
        count *= extent
    return count
