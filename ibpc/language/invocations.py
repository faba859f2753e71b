"""Words with arguments, resolved against records: `pgd(steps = 200)`, `flip(horizontal)`."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ibpc.language.evaluate import (
    as_float,
    as_number,
    as_numbers,
    as_quantity,
    as_whole,
    evaluate,
    in_range,
)
from ibpc.language.mistakes import listed, suggestion, wrong
from ibpc.language.program import Invocation
from ibpc.language.values import Datum, DatumLabel, Many, Network, String, kind_of
from ibpc.language.vocabulary import REQUIRED
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ibpc.errors import Span
    from ibpc.language.scopes import Scope
    from ibpc.language.vocabulary import Entry, Slot

PADDINGS = ("valid", "same")
"""Words of an option that takes numbers too; they mean themselves, whatever the spec declares."""


def invoke(expr: tree.Expr, entries: Mapping[str, Entry], what: str, scope: Scope) -> Invocation:
    """The invocation that an expression spells, with all arguments checked and defaults filled in.

    Raises: NameMistake E0106 (word), E0107 (option), E0114; TypeMistake E0210; what a slot raises.
    """
    word, arguments = spelled(expr, what)
    entry = entries.get(word.text)
    if entry is None:
        fix = suggestion(word.text, entries)
        raise wrong(
            "E0106", f"unknown {what} `{word.text}`", word.span, f"no {what} has this name", fix
        )
    return Invocation(word.text, fill(word, entry.slots, arguments, scope), expr.span)


def invoke_all(
    expr: tree.Expr, entries: Mapping[str, Entry], what: str, scope: Scope
) -> tuple[Invocation, ...]:
    """The invocations of a list, or a single one; raises NameMistake E0114 for a word twice."""
    items = expr.items if isinstance(expr, tree.Listing) else (expr,)
    found: dict[str, Invocation] = {}
    for item in items:
        one = invoke(item, entries, what, scope)
        if one.word in found:
            raise wrong("E0114", f"the {what} `{one.word}` is given twice", item.span, "again here")
        found[one.word] = one
    return tuple(found.values())


def spelled(expr: tree.Expr, what: str) -> tuple[tree.Name, tuple[tree.Argument, ...]]:
    """The word and its arguments; raises NameMistake E0111 where the expression is neither."""
    if isinstance(expr, tree.Name):
        return expr, ()
    if isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name):
        return expr.function, expr.arguments
    fix = "write its name, with arguments in parentheses"
    raise wrong("E0111", f"the name of the {what} was expected", expr.span, fix=fix)


def fill(
    word: tree.Name,
    slots: Sequence[Slot],
    arguments: Sequence[tree.Argument],
    scope: Scope,
) -> dict[str, Any]:
    """The value of every slot."""
    free = [slot for slot in slots if slot.positional]
    by_name = {slot.name: slot for slot in slots}
    given: dict[str, Any] = {}
    for argument in arguments:
        if argument.name is not None:
            slot = by_name.get(argument.name.text)
            if slot is None:
                fix = suggestion(argument.name.text, by_name)
                problem = f"`{word.text}` has no option `{argument.name.text}`"
                raise wrong("E0107", problem, argument.name.span, "unknown option", fix)
        elif free:
            slot = free.pop(0)
        else:
            fix = f"name it: {listed(by_name)}" if by_name else "remove it"
            problem = f"`{word.text}` takes no such argument"
            raise wrong("E0210", problem, argument.span, "without a name", fix)
        if slot.name in given:
            raise wrong("E0114", f"`{slot.name}` is given twice", argument.span, "again here")
        given[slot.name] = convert(slot, argument.value, scope)
    for slot in slots:
        if slot.name not in given and slot.default is REQUIRED:
            fix = f"write `{word.text}({slot.name} = ...)`: {slot.doc}"
            raise wrong("E0210", f"`{word.text}` needs `{slot.name}`", word.span, "missing", fix)
    return {slot.name: given.get(slot.name, slot.default) for slot in slots}


def convert(slot: Slot, expr: tree.Expr, scope: Scope) -> Any:
    """The value of one slot from its expression; raises IbpcError where it is of another kind."""
    return _KINDS[slot.kind](slot, expr, scope)


def _int(slot: Slot, expr: tree.Expr, scope: Scope) -> int:
    number = as_whole(evaluate(expr, scope), expr.span)
    in_range(Fraction(number), expr.span, slot.low, slot.high)
    return number


def _real(slot: Slot, expr: tree.Expr, scope: Scope) -> float:
    number = as_number(evaluate(expr, scope), expr.span)
    in_range(number, expr.span, slot.low, slot.high)
    return as_float(number, expr.span)


def _time(slot: Slot, expr: tree.Expr, scope: Scope) -> float:
    quantity = as_quantity(evaluate(expr, scope), expr.span)
    if quantity.dimension != (("s", 1),):
        fix = "write `10 min`, `30 s` or `1 h`"
        raise wrong("E0310", f"`{slot.name}` is a time", expr.span, f"this is {quantity}", fix)
    in_range(quantity.value, expr.span, 0 if slot.low is None else slot.low, slot.high)
    return as_float(quantity.value, expr.span)


def _bool(slot: Slot, expr: tree.Expr, _: Scope) -> bool:
    return _word(slot, expr, ("true", "false")) == "true"


def _choice(slot: Slot, expr: tree.Expr, _: Scope) -> str:
    return _word(slot, expr, slot.choices)


def _word(slot: Slot, expr: tree.Expr, choices: Sequence[str]) -> str:
    if not isinstance(expr, tree.Name):
        fix = f"one of {listed(choices)}" if choices else ""
        raise wrong("E0111", f"`{slot.name}` is a word", expr.span, "not a word", fix)
    if choices and expr.text not in choices:
        fix = suggestion(expr.text, choices)
        label = f"not a value of `{slot.name}`"
        raise wrong("E0106", f"unknown word `{expr.text}`", expr.span, label, fix)
    return expr.text


def _string(slot: Slot, expr: tree.Expr, scope: Scope) -> str:
    value = evaluate(expr, scope)
    if not isinstance(value, String):
        label = f"this is {kind_of(value)}"
        raise wrong("E0111", f"`{slot.name}` is a quoted text", expr.span, label)
    return value.value


def _integers(slot: Slot, expr: tree.Expr, scope: Scope) -> tuple[int, ...]:
    value = evaluate(expr, scope)
    if not isinstance(value, Many):
        raise wrong("E0301", f"`{slot.name}` is a list of whole numbers", expr.span, kind_of(value))
    numbers = tuple(as_whole(item, expr.span) for item in value.items)
    for number in numbers:
        in_range(Fraction(number), expr.span, slot.low, slot.high)
    return numbers


def _reals(slot: Slot, expr: tree.Expr, scope: Scope) -> tuple[float, ...]:
    numbers = as_numbers(evaluate(expr, scope), expr.span)
    for number in numbers:
        in_range(number, expr.span, slot.low, slot.high)
    return tuple(as_float(number, expr.span) for number in numbers)


def _padding(slot: Slot, expr: tree.Expr, scope: Scope) -> str | int:
    if isinstance(expr, tree.Name) and (expr.text in PADDINGS or scope.find(expr.text) is None):
        return _word(slot, expr, PADDINGS)
    return as_whole(evaluate(expr, scope), expr.span, low=0, high=10**4)


def _kernel(_: Slot, expr: tree.Expr, scope: Scope) -> tuple[tuple[int, int], int]:
    value = evaluate(expr, scope)
    if not isinstance(value, Many) or len(value.items) not in {2, 3}:
        fix = "write `[height, width]` or `[height, width, stride]`"
        raise wrong("E0301", "a kernel was expected", expr.span, kind_of(value), fix)
    numbers = [as_whole(item, expr.span, low=1, high=10**4) for item in value.items]
    return (numbers[0], numbers[1]), numbers[2] if len(numbers) == 3 else 1


def _network(slot: Slot, expr: tree.Expr, scope: Scope) -> Any:
    """The block's own network, which is meant where it is not named as well."""
    found = scope.names.get(expr.text) if isinstance(expr, tree.Name) else None
    if not isinstance(found, Network):
        fix = "name the block's own network, or leave it out"
        raise wrong("E0111", f"`{slot.name}` is a network", expr.span, "not a network", fix)
    return slot.default


def _predicate(_: Slot, expr: tree.Expr, scope: Scope) -> str:
    """Only `argmax(f(x)) == y` is known, over the block's own network and data."""
    if isinstance(expr, tree.Comparison) and len(expr.rest) == 1:
        operator, label = expr.rest[0]
        output = _argument_of(expr.first, "argmax")
        if isinstance(output, tree.Call) and operator == "==" and len(output.arguments) == 1:
            parts = (output.function, output.arguments[0].value, label)
            found = [scope.names.get(p.text) if isinstance(p, tree.Name) else None for p in parts]
            kinds = (Network, Datum, DatumLabel)
            if all(isinstance(one, kind) for one, kind in zip(found, kinds, strict=True)):
                return "argmax"
    fix = "write `argmax(f(x)) == y`, with the block's network and its data's names"
    raise wrong("E0403", "this predicate is not supported", expr.span, "another predicate", fix)


def _argument_of(expr: tree.Expr, word: str) -> tree.Expr | None:
    """The only argument of a call of `word`."""
    if not isinstance(expr, tree.Call) or len(expr.arguments) != 1:
        return None
    called = isinstance(expr.function, tree.Name) and expr.function.text == word
    return expr.arguments[0].value if called else None


_KINDS: Mapping[str, Callable[[Slot, tree.Expr, Scope], Any]] = {
    "int": _int,
    "real": _real,
    "time": _time,
    "bool": _bool,
    "word": _choice,
    "text": _string,
    "integers": _integers,
    "reals": _reals,
    "padding": _padding,
    "kernel": _kernel,
    "network": _network,
    "predicate": _predicate,
}


def located(arguments: Sequence[tree.Argument], name: str, otherwise: Span) -> Span:
    """Where an option stands in the text."""
    for argument in arguments:
        if argument.name is not None and argument.name.text == name:
            return argument.span
    return otherwise
