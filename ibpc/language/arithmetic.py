"""What + - * / ^ do with values: numbers, lists, outputs of a network, maps of its input."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

from ibpc.language.blends import blended, blends, spread
from ibpc.language.linear_forms import matrix_product, operate_linear, times
from ibpc.language.mistakes import wrong
from ibpc.language.program import Symbol
from ibpc.language.quantities import Quantity, combine, limited
from ibpc.language.spelling import expression_text
from ibpc.language.values import (
    Affine,
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
    from ibpc.errors import Span
    from ibpc.language.values import Value
    from ibpc.syntax import tree

MINUS_ONE = Quantity(Fraction(-1))


def operate(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    """`left operator right`; raises IbpcError where these values do not go together."""
    kinds = (left, right)
    if operator == "@":
        return matrix_product(left, right, expr)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return combine(operator, left, right, expr.span)
    if any(isinstance(side, Symbol) for side in kinds):
        scaled = _scaled_schedule(operator, left, right, expr)
        if scaled is not None:
            return scaled
    if any(isinstance(side, Outputs | TensorVariable) for side in kinds):
        _whole_tensor(operator, left, right, expr)
    if any(isinstance(side, Affine) for side in kinds):
        return _affine(operator, left, right, expr)
    if blends(left, right):
        return blended(operator, left, right, expr)
    if any(isinstance(side, Many) for side in kinds):
        return _lists(operator, left, right, expr)
    if any(isinstance(side, Linear) for side in kinds):
        return operate_linear(operator, left, right, expr)
    return _refuse(operator, left, right, expr)


def negative(value: Value, at: Span) -> Value:
    """`-value`."""
    if isinstance(value, Quantity):
        return Quantity(-value.value, value.dimension)
    if isinstance(value, Symbol):
        return Symbol(value.name, -value.factor)
    if isinstance(value, Linear):
        return times(value, MINUS_ONE, at)
    if isinstance(value, Affine):
        return _scaled(value, (Fraction(-1),), at)
    if isinstance(value, Many):
        return Many(tuple(negative(item, at) for item in value.items))
    raise wrong("E0301", f"`-` means nothing for {kind_of(value)}", at, f"this is {kind_of(value)}")


def _scaled_schedule(operator: str, left: Value, right: Value, expr: tree.Binary) -> Symbol | None:
    """`2 * eps`, `eps * 2` or `eps / 2`; None for anything else. Raises UnitMistake E0302."""
    if operator == "*" and isinstance(right, Symbol):
        left, right = right, left
    if operator not in "*/" or not isinstance(left, Symbol):
        return None
    if not isinstance(right, Quantity) or right.dimension:
        return None
    factor = combine(operator, Quantity(left.factor), right, expr.span).value
    return Symbol(left.name, factor)


def _refuse(operator: str, left: Value, right: Value, expr: tree.Binary) -> NoReturn:
    culprit, side = (left, expr.left) if not isinstance(left, Quantity) else (right, expr.right)
    if isinstance(culprit, Symbol):
        fix = "multiply it by a number at most; compute the rest in the schedule itself"
        problem = f"the schedule `{culprit.name}` cannot be reckoned with here"
        raise wrong("E0608", problem, side.span, "a schedule", fix)
    if isinstance(culprit, Label | DatumLabel | Opaque):
        fix = "use it as an index: `z[label]`"
        raise wrong("E0301", "a label is not a number", side.span, "a label", fix)
    problem = f"`{operator}` means nothing for {kind_of(left)} and {kind_of(right)}"
    raise wrong("E0301", problem, side.span, f"this is {kind_of(culprit)}")


def _whole_tensor(operator: str, left: Value, right: Value, expr: tree.Binary) -> NoReturn:
    tensors = Outputs | TensorVariable
    side = expr.left if isinstance(left, tensors) else expr.right
    what = "outputs" if isinstance(left if side is expr.left else right, Outputs) else "inputs"
    fix = f"name its entries: `{expression_text(side)}[k]`"
    problem = f"`{operator}` works on single {what}"
    raise wrong("E0406", problem, side.span, f"the whole {what[:-1]}", fix)


# --- maps of the input and output of a network by reference ----------------------------------


def _affine(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    if isinstance(left, Affine) and isinstance(right, Affine):
        if operator in "+-":
            sign = Fraction(1 if operator == "+" else -1)
            second = _scaled(right, (sign,), expr.span)
            scale = spread(left.scale, second.scale, lambda a, b: a + b)
            return Affine(scale, spread(left.offset, second.offset, lambda a, b: a + b), left.size)
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
        raise wrong("E0211", "this list does not fit the tensor", at.span, label)
    return tuple(numbers)


def _scaled(map_: Affine, factors: tuple[Fraction, ...], at: Span) -> Affine:
    def times(old: Fraction, factor: Fraction) -> Fraction:
        return limited(old * factor, at)

    scale = spread(map_.scale, factors, times)
    return Affine(scale, spread(map_.offset, factors, times), map_.size)


def _moved(map_: Affine, offsets: tuple[Fraction, ...], at: Span) -> Affine:
    offset = spread(map_.offset, offsets, lambda old, more: limited(old + more, at))
    return Affine(map_.scale, offset, map_.size)


# --- lists -----------------------------------------------------------------------------------


def _lists(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    if isinstance(left, Many) and isinstance(right, Many):
        if len(left.items) != len(right.items):
            label = f"{len(left.items)} and {len(right.items)} entries"
            raise wrong("E0211", "these lists have different lengths", expr.span, label)
        pairs = zip(left.items, right.items, strict=True)
        return Many(tuple(operate(operator, one, other, expr) for one, other in pairs))
    if isinstance(left, Many):
        return Many(tuple(operate(operator, item, right, expr) for item in left.items))
    assert isinstance(right, Many)
    return Many(tuple(operate(operator, left, item, expr) for item in right.items))
