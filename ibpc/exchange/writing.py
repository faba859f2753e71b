"""Writes properties as VNN-LIB 1.0 and 2.x text.

What is printed is the part that all readers of a version agree on. Reading it back gives an equal
property, with three exceptions that the warnings tell: 1.0 has no strict comparisons (the set is
closed), bounds that are no finite decimals are rounded outward, and 1.0 has no shapes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic
from ibpc.exchange.exact import finite_decimal, negative, outward_decimal, spelled
from ibpc.exchange.mistakes import CLOSED, NOT_WRITABLE, ROUNDED, mistake
from ibpc.exchange.property import Constraint, Disjunct, Interface, Property, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibpc.exchange.property import Exact

_KINDS = frozenset({"real", "float16", "float32", "float64"})


def write_vnnlib1(given: Property) -> str:
    """The property as VNN-LIB 1.0; strict rows are closed (`given.closed()` is what is read back).

    Raises: PropertyMistake where a row's constant has no finite decimal.
    """
    closed = given.closed()
    names = _Names(lambda i: f"X_{i}", lambda j: f"Y_{j}", point=False)
    lines = [f"; {note.problem}" for note in export_notes(given, version=1)]
    lines += [f"(declare-const X_{index} Real)" for index in range(given.inputs)]
    lines += [f"(declare-const Y_{index} Real)" for index in range(given.outputs)]
    lines += _assertions(closed, names)
    return "\n".join(lines) + "\n"


def write_vnnlib2(given: Property, interface: Interface | None = None) -> str:
    """The property as VNN-LIB 2.0, over the names, element types and shapes of its interface.

    Raises: PropertyMistake where the interface does not fit, or a row's constant has no finite
    decimal.
    """
    named = interface or given.interface
    for tensor, entries in ((named.input, given.inputs), (named.output, given.outputs)):
        _check_tensor(tensor, entries)
    names = _Names(_indexed(named.input), _indexed(named.output), point=True)
    lines = [f"; {note.problem}" for note in export_notes(given, version=2)]
    lines += ["(vnnlib-version <2.0>)", "", f"(declare-network {named.network}"]
    lines += [
        f"  (declare-{role} {tensor.name} {tensor.kind} [{','.join(map(str, tensor.shape))}])"
        for role, tensor in (("input", named.input), ("output", named.output))
    ]
    lines += [")", "", *_assertions(given, names)]
    return "\n".join(lines) + "\n"


def export_notes(given: Property, version: int) -> tuple[Diagnostic, ...]:
    """What a file of this version does not say exactly as the property does."""
    notes = []
    if version == 1 and given.closed() != given:
        notes.append(
            Diagnostic(
                CLOSED,
                "strict comparisons are written with their border (the closed superset):"
                " unsat still proves the property",
            )
        )
    sides = (side for case in given.disjuncts for side in (case.lower, case.upper))
    seen = {id(side): side for side in sides}.values()
    if any(finite_decimal(number) is None for side in seen for number in side):
        notes.append(
            Diagnostic(
                ROUNDED,
                "bounds that are no finite decimals are rounded outward to 17 digits",
            )
        )
    return tuple(notes)


class _Names:
    """How variables and numbers are spelled."""

    def __init__(
        self, source: Callable[[int], str], target: Callable[[int], str], point: bool
    ) -> None:
        self.source, self.target, self._point = source, target, point

    def number(self, number: Exact) -> str:
        """A decimal, exactly."""
        decimal = finite_decimal(number)
        if decimal is None:
            raise mistake(NOT_WRITABLE, f"{number} has no finite decimal")
        return spelled(decimal, self._point)

    def side(self, index: int, upper: bool, number: Exact) -> str:
        """`(<= X_0 0.5)`, rounded outward where it must be."""
        decimal = spelled(outward_decimal(number, upper), self._point)
        return f"({'<=' if upper else '>='} {self.source(index)} {decimal})"

    def row(self, row: Constraint) -> str:
        """A comparison, in the form that most tools read."""
        less, more = ("<", ">") if row.strict else ("<=", ">=")
        terms = [(self.target(index), value) for index, value in row.outputs]
        terms += [(self.source(index), value) for index, value in row.inputs]
        if not terms:
            raise mistake(NOT_WRITABLE, "a row without variables cannot be written")
        if len(terms) == 1 and abs(terms[0][1]) == 1:
            (name, value), bound = terms[0], row.bound
            if value == 1:
                return f"({less} {name} {self.number(bound)})"
            return f"({more} {name} {self.number(negative(bound))})"
        if len(terms) == 2 and row.bound == 0 and {value for _, value in terms} == {1, -1}:
            (first, value), (second, _) = terms
            return f"({less if value == 1 else more} {first} {second})"
        products = [self._product(name, value) for name, value in terms]
        total = products[0] if len(products) == 1 else f"(+ {' '.join(products)})"
        return f"({less} {total} {self.number(row.bound)})"

    def _product(self, name: str, value: Exact) -> str:
        return name if value == 1 else f"(* {self.number(value)} {name})"


def _assertions(given: Property, names: _Names) -> Iterator[str]:
    """Asserted bounds that all cases share, then the cases."""
    if not given.disjuncts:
        yield from _nothing(given, names)
        return
    first = given.disjuncts[0]
    one_box = all(
        (case.lower is first.lower or case.lower == first.lower)
        and (case.upper is first.upper or case.upper == first.upper)
        for case in given.disjuncts
    )
    if one_box:
        yield from (f"(assert {bound})" for bound in _bounds(first, names))
    cases = [
        [*([] if one_box else _bounds(case, names)), *map(names.row, case.rows)]
        for case in given.disjuncts
    ]
    if len(cases) == 1:
        yield from (f"(assert {part})" for part in cases[0])
    else:
        # A case without rows repeats a bound of the box: both versions ask for one operand.
        free = [names.side(0, True, first.upper[0])]
        yield "(assert (or"
        yield from (f"  {_conjunction(case or free)}" for case in cases)
        yield "))"


def _bounds(case: Disjunct, names: _Names) -> Iterator[str]:
    for index, (low, high) in enumerate(zip(case.lower, case.upper, strict=True)):
        yield names.side(index, False, low)
        yield names.side(index, True, high)


def _conjunction(parts: list[str]) -> str:
    """`(and a b)`; one part stands in an `and` too in 1.0 files, but alone is what both read."""
    return parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})"


def _nothing(given: Property, names: _Names) -> Iterator[str]:
    """The empty set: bounds of the first input that contradict each other."""
    for index in range(given.inputs):
        yield f"(assert {names.side(index, False, Decimal(1 if index == 0 else 0))})"
        yield f"(assert {names.side(index, True, Decimal(0))})"


def _indexed(tensor: Tensor) -> Callable[[int], str]:
    """`X[0,3]` for a flat row-major position, `X` for a scalar."""

    def name(flat: int) -> str:
        if not tensor.shape:
            return tensor.name
        indices: list[str] = []
        for extent in reversed(tensor.shape):
            flat, index = divmod(flat, extent)
            indices.append(str(index))
        return f"{tensor.name}[{','.join(reversed(indices))}]"

    return name


def _check_tensor(tensor: Tensor, entries: int) -> None:
    count = 1
    for extent in tensor.shape:
        count *= extent
    if count != entries:
        shape = ",".join(map(str, tensor.shape))
        raise mistake(
            NOT_WRITABLE,
            f"`{tensor.name}` of shape [{shape}] has {count} entries, the property {entries}",
            fix="give the shape that the network's file has",
        )
    if tensor.kind not in _KINDS:
        raise mistake(NOT_WRITABLE, f"`{tensor.kind}` is no element type of real numbers")


def with_tensors(interface: Interface, source: Tensor, target: Tensor) -> Interface:
    """An interface over other tensors, for `write_vnnlib2`."""
    return Interface(interface.version, interface.network, source, target)
