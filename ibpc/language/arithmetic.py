"""What + - * / ^ do with values: numbers, lists, outputs of a network, maps of its input."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

from ibpc.errors import Related
from ibpc.language.mistakes import wrong
from ibpc.language.program import Symbol
from ibpc.language.quantities import Quantity, combine, limited
from ibpc.language.spelling import expression_text
from ibpc.language.values import (
    Affine,
    Datum,
    DatumLabel,
    Label,
    Linear,
    Many,
    Opaque,
    Outputs,
    TensorVariable,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.errors import Span
    from ibpc.language.values import Value
    from ibpc.syntax import tree

MINUS_ONE = Quantity(Fraction(-1))


def operate(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    """`left operator right`; raises IbpcError where these values do not go together."""
    kinds = (left, right)
    if isinstance(left, Quantity) and isinstance(right, Quantity) and operator != "@":
        return combine(operator, left, right, expr.span)
    if any(isinstance(side, Outputs | TensorVariable) for side in kinds):
        _whole_tensor(operator, left, right, expr)
    if any(isinstance(side, Linear) for side in kinds):
        return _linear(operator, left, right, expr)
    if any(isinstance(side, Affine) for side in kinds):
        return _affine(operator, left, right, expr)
    if isinstance(left, Datum):
        return _shifted(operator, left, right, expr)
    if any(isinstance(side, Many) for side in kinds) and operator != "@":
        return _lists(operator, left, right, expr)
    return _refuse(operator, left, right, expr)


def negative(value: Value, at: Span) -> Value:
    """`-value`."""
    if isinstance(value, Quantity):
        return Quantity(-value.value, value.dimension)
    if isinstance(value, Linear):
        terms = tuple((key, -factor) for key, factor in value.terms)
        return Linear(terms, -value.constant, f"-({value.text})")
    if isinstance(value, Affine):
        return _scaled(value, (Fraction(-1),), at)
    if isinstance(value, Many):
        return Many(tuple(negative(item, at) for item in value.items))
    raise wrong("E0301", f"`-` means nothing for {kind_of(value)}", at, f"this is {kind_of(value)}")


def _refuse(operator: str, left: Value, right: Value, expr: tree.Binary) -> NoReturn:
    culprit, side = (left, expr.left) if not isinstance(left, Quantity) else (right, expr.right)
    if isinstance(culprit, Symbol):
        fix = "compute it in the schedule itself"
        problem = f"the schedule `{culprit.name}` cannot be reckoned with here"
        raise wrong("E0608", problem, side.span, "a schedule", fix)
    if isinstance(culprit, Label | DatumLabel | Opaque):
        fix = "use it as an index: `z[label]`"
        raise wrong("E0301", "a label is not a number", side.span, "a label", fix)
    problem = f"`{operator}` means nothing for {kind_of(left)} and {kind_of(right)}"
    raise wrong("E0301", problem, side.span, f"this is {kind_of(culprit)}")


def _whole_tensor(operator: str, left: Value, right: Value, expr: tree.Binary) -> NoReturn:
    whole, side = (
        (left, expr.left) if not isinstance(left, Quantity | Many) else (right, expr.right)
    )
    if isinstance(whole, TensorVariable):
        fix = "a claim is about the output: `forall x in SET, z = f(x): ...`"
        raise wrong(
            "E0406", "claims over the network's input are not supported", side.span, fix=fix
        )
    fix = f"name its entries: `{expression_text(side)}[k]`"
    problem = f"`{operator}` works on single outputs"
    raise wrong("E0406", problem, side.span, "the whole output", fix)


# --- entries of the output -------------------------------------------------------------------


def _linear(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    if operator in "+-":
        first, second = as_linear(left, expr.left), as_linear(right, expr.right)
        if operator == "-":
            second = _times(second, Fraction(-1), expr.span)
        return _sum(first, second, expr)
    if isinstance(left, Linear) and isinstance(right, Linear):
        if not right.terms:
            right = Quantity(right.constant)
        elif not left.terms:
            left = Quantity(left.constant)
        else:
            _not_linear(left, right, operator, expr)
    if operator == "*":
        linear, factor = (left, right) if isinstance(left, Linear) else (right, left)
        side = expr.right if isinstance(left, Linear) else expr.left
        return _times(as_linear(linear, expr), _plain(factor, side), expr.span)
    if operator == "/" and isinstance(left, Linear):
        divisor = _plain(right, expr.right)
        if divisor == 0:
            raise wrong("E0302", "division by zero", expr.right.span, "the divisor is 0")
        return _times(left, 1 / divisor, expr.span)
    label = f"`{operator}` over an output of the network"
    raise wrong("E0405", "claim is not linear in the network output", expr.span, label, _LINEAR)


_LINEAR = "claims have the form C z + d <= 0: sums of outputs times numbers"


def _not_linear(left: Linear, right: Linear, operator: str, expr: tree.Binary) -> NoReturn:
    related = (
        Related(expr.left.span, "an output of the network"),
        Related(expr.right.span, "another one"),
    )
    what = {"*": "a product", "/": "a quotient"}.get(operator, "an operation")
    label = f"{what} of `{left.text}` and `{right.text}`"
    problem = "claim is not linear in the network output"
    raise wrong("E0405", problem, expr.span, label, _LINEAR, related)


def as_linear(value: Value, at: tree.Expr) -> Linear:
    """A number or an entry of the output as a linear form; raises E0301, E0310."""
    if isinstance(value, Linear):
        return value
    if isinstance(value, Outputs | TensorVariable):
        fix = f"name its entries: `{expression_text(at)}[k]`"
        raise wrong("E0406", "a comparison works on single outputs", at.span, kind_of(value), fix)
    return Linear((), _plain(value, at), expression_text(at))


def _plain(value: Value, at: tree.Expr) -> Fraction:
    if isinstance(value, Symbol):
        fix = "give it as a number, or as the radius of the set"
        raise wrong(
            "E0608", f"the schedule `{value.name}` cannot stand in a claim", at.span, fix=fix
        )
    if not isinstance(value, Quantity):
        raise wrong("E0301", "a number was expected", at.span, f"this is {kind_of(value)}")
    if value.dimension:
        label = f"this is {value}"
        raise wrong("E0310", "the network's outputs are plain numbers", at.span, label)
    return value.value


def _sum(left: Linear, right: Linear, expr: tree.Binary) -> Linear:
    terms = dict(left.terms)
    for key, factor in right.terms:
        terms[key] = limited(terms.get(key, Fraction(0)) + factor, expr.span)
    kept = tuple((key, factor) for key, factor in terms.items() if factor)
    constant = limited(left.constant + right.constant, expr.span)
    return Linear(kept, constant, expression_text(expr))


def _times(linear: Linear, factor: Fraction, at: Span) -> Linear:
    terms = tuple((key, limited(old * factor, at)) for key, old in linear.terms if factor)
    return Linear(terms, limited(linear.constant * factor, at), linear.text)


def difference(left: Linear, right: Linear, at: Span) -> Linear:
    """Left - right, as the side of `... <= 0`."""
    terms = dict(left.terms)
    for key, factor in right.terms:
        terms[key] = limited(terms.get(key, Fraction(0)) - factor, at)
    kept = tuple((key, factor) for key, factor in terms.items() if factor)
    return Linear(kept, limited(left.constant - right.constant, at), left.text)


# --- maps of the input and output of a network by reference ----------------------------------


def _affine(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    if isinstance(left, Affine) and isinstance(right, Affine):
        if operator in "+-":
            sign = Fraction(1 if operator == "+" else -1)
            second = _scaled(right, (sign,), expr.span)
            scale = _spread(left.scale, second.scale, lambda a, b: a + b)
            return Affine(scale, _spread(left.offset, second.offset, lambda a, b: a + b), left.size)
        label = "both sides depend on it"
        raise wrong(
            "E0405", "this map is not affine", expr.span, label, "use + and -, * and / by numbers"
        )
    if isinstance(left, Affine):
        numbers = _numbers(right, left.size, expr.right)
        return _with_numbers(operator, left, numbers, expr)
    assert isinstance(right, Affine)
    numbers = _numbers(left, right.size, expr.left)
    if operator == "-":
        return _moved(_scaled(right, (Fraction(-1),), expr.span), numbers, expr.span)
    if operator in "+*":
        return _with_numbers(operator, right, numbers, expr)
    raise wrong(
        "E0405", "this map is not affine", expr.span, "the tensor is on the right", "turn it round"
    )


def _with_numbers(
    operator: str, map_: Affine, numbers: tuple[Fraction, ...], expr: tree.Binary
) -> Affine:
    if operator == "+":
        return _moved(map_, numbers, expr.span)
    if operator == "-":
        return _moved(map_, tuple(-number for number in numbers), expr.span)
    if operator == "*":
        return _scaled(map_, numbers, expr.span)
    if operator == "/":
        if 0 in numbers:
            raise wrong("E0302", "division by zero", expr.right.span, "holds a 0")
        return _scaled(map_, tuple(1 / number for number in numbers), expr.span)
    fix = "use + and -, * and / by numbers"
    raise wrong("E0405", "this map is not affine", expr.span, f"`{operator}`", fix)


def _numbers(value: Value, size: int, at: tree.Expr) -> tuple[Fraction, ...]:
    if isinstance(value, Quantity):
        return (value.value,)
    if not isinstance(value, Many):
        raise wrong("E0301", "a number or a list of numbers was expected", at.span, kind_of(value))
    numbers = []
    for item in value.items:
        if not isinstance(item, Quantity):
            raise wrong(
                "E0301", "a list of numbers was expected", at.span, f"holds {kind_of(item)}"
            )
        numbers.append(item.value)
    if len(numbers) not in {1, size}:
        label = f"{len(numbers)} numbers for {size} entries"
        raise wrong("E0205", "this list does not fit the tensor", at.span, label)
    return tuple(numbers)


def _scaled(map_: Affine, factors: tuple[Fraction, ...], at: Span) -> Affine:
    def times(old: Fraction, factor: Fraction) -> Fraction:
        return limited(old * factor, at)

    scale = _spread(map_.scale, factors, times)
    return Affine(scale, _spread(map_.offset, factors, times), map_.size)


def _moved(map_: Affine, offsets: tuple[Fraction, ...], at: Span) -> Affine:
    offset = _spread(map_.offset, offsets, lambda old, more: limited(old + more, at))
    return Affine(map_.scale, offset, map_.size)


def _spread(
    left: tuple[Fraction, ...],
    right: tuple[Fraction, ...],
    rule: Callable[[Fraction, Fraction], Fraction],
) -> tuple[Fraction, ...]:
    """The rule entry by entry; a single number stands for all entries."""
    size = max(len(left), len(right))
    left = left if len(left) == size else left * size
    right = right if len(right) == size else right * size
    return tuple(map(rule, left, right))


# --- lists and data --------------------------------------------------------------------------


def _lists(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    if isinstance(left, Many) and isinstance(right, Many):
        if len(left.items) != len(right.items):
            label = f"{len(left.items)} and {len(right.items)} entries"
            raise wrong("E0205", "these lists have different lengths", expr.span, label)
        pairs = zip(left.items, right.items, strict=True)
        return Many(tuple(operate(operator, one, other, expr) for one, other in pairs))
    if isinstance(left, Many):
        return Many(tuple(operate(operator, item, right, expr) for item in left.items))
    assert isinstance(right, Many)
    return Many(tuple(operate(operator, left, item, expr) for item in right.items))


def _shifted(operator: str, datum: Datum, right: Value, expr: tree.Binary) -> Value:
    """`x0 - eps` and `x0 + eps`, the corners of a box around the datum."""
    fix = "around a datum there are `x0 - r` and `x0 + r`, or `ball(x0, r)`"
    if operator not in "+-" or datum.shift:
        raise wrong("E0408", "this is not a corner of a box", expr.span, fix=fix)
    if isinstance(right, Symbol):
        return Datum(datum.name, datum.type, right, 1 if operator == "+" else -1)
    if not isinstance(right, Quantity) or right.dimension:
        raise wrong(
            "E0408", "the shift must be a plain number", expr.right.span, kind_of(right), fix
        )
    sign = 1 if operator == "+" else -1
    return Datum(datum.name, datum.type, right.value, sign)
