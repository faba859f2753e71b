"""Linear forms over the entries of a claim's tensors: sums, multiples, matrices times outputs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

from ibpc.errors import Related
from ibpc.language.mistakes import wrong
from ibpc.language.program import Symbol
from ibpc.language.quantities import Quantity, combine, limited, named
from ibpc.language.spelling import expression_text
from ibpc.language.values import Entry, Linear, Many, Outputs, TensorVariable, kind_of

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.values import Value
    from ibpc.syntax import tree


def operate_linear(operator: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    """`left operator right`, where at least one side is a linear form; raises TypeMistake E0405."""
    if operator in "+-":
        first, second = as_linear(left, expr.left), as_linear(right, expr.right)
        return combined(operator, first, second, expr)
    if isinstance(left, Linear) and isinstance(right, Linear):
        if not right.terms:
            right = Quantity(right.constant, right.dimension)
        elif not left.terms:
            left = Quantity(left.constant, left.dimension)
        else:
            _not_linear(left, right, operator, expr)
    if operator == "*":
        linear, factor = (left, right) if isinstance(left, Linear) else (right, left)
        side = expr.right if isinstance(left, Linear) else expr.left
        return times(as_linear(linear, expr), _number(factor, side), expr.span)
    if operator == "/" and isinstance(left, Linear):
        divisor = _number(right, expr.right)
        if divisor.value == 0:
            raise wrong("E0302", "division by zero", expr.right.span, "the divisor is 0")
        inverse = combine("/", Quantity(Fraction(1)), divisor, expr.span)
        return times(left, inverse, expr.span)
    assert isinstance(left, Linear) or isinstance(right, Linear)
    form, side = (left, expr.left) if isinstance(left, Linear) else (right, expr.right)
    assert isinstance(form, Linear)
    label = f"`{operator}` over `{form.text}`"
    raise wrong("E0405", _NOT_LINEAR, expr.span, label, _LINEAR, _chain(form, side))


_NOT_LINEAR = "claim is not linear in the network output"
_LINEAR = "claims have the form C z + d <= 0: sums of outputs times numbers"


def _not_linear(left: Linear, right: Linear, operator: str, expr: tree.Binary) -> NoReturn:
    related = (*_chain(left, expr.left), *_chain(right, expr.right))
    if left.source is not None and left.source == right.source:
        name, at = left.source
        both = Related(at, f"`{left.text}` and `{right.text}` both come from `{name}`")
        related = (*(one for one in related if one.at != at), both)
    what = {"*": "a product", "/": "a quotient"}.get(operator, "an operation")
    label = f"{what} of `{left.text}` and `{right.text}`"
    raise wrong("E0405", _NOT_LINEAR, expr.span, label, _LINEAR, related)


def _chain(form: Linear, side: tree.Expr) -> tuple[Related, ...]:
    """Where a form comes from: what the side stands for, and the application behind it."""
    text, found = expression_text(side), list[Related]()
    if text != form.text:
        found.append(Related(side.span, f"`{text}` is `{form.text}`"))
    if form.source is not None:
        name, at = form.source
        found.append(Related(at, f"`{form.text}` comes from `{name}`"))
    return tuple(found)


def as_linear(value: Value, at: tree.Expr) -> Linear:
    """A number or an entry of a tensor as a linear form; raises E0301, E0406."""
    if isinstance(value, Linear):
        return value
    if isinstance(value, Outputs | TensorVariable):
        fix = f"name its entries: `{expression_text(at)}[k]`"
        raise wrong("E0406", "a comparison works on single entries", at.span, kind_of(value), fix)
    number = _number(value, at)
    return Linear((), number.value, expression_text(at), number.dimension)


def _number(value: Value, at: tree.Expr) -> Quantity:
    if isinstance(value, Symbol):
        fix = "give it as a number, or as the radius of the set"
        raise wrong(
            "E0608", f"the schedule `{value.name}` cannot stand in a claim", at.span, fix=fix
        )
    if not isinstance(value, Quantity):
        raise wrong("E0301", "a number was expected", at.span, f"this is {kind_of(value)}")
    return value


def combined(operator: str, left: Linear, right: Linear, expr: tree.Expr) -> Linear:
    """`left + right` or `left - right`; raises UnitMistake E0310 where their units differ."""
    if left.dimension != right.dimension:
        label = f"left is {named(left.dimension)}, right is {named(right.dimension)}"
        raise wrong("E0310", f"`{operator}` needs equal units", expr.span, label)
    sign = 1 if operator == "+" else -1
    terms = dict(left.terms)
    for key, factor in right.terms:
        terms[key] = limited(terms.get(key, Fraction(0)) + sign * factor, expr.span)
    kept = tuple((key, factor) for key, factor in terms.items() if factor)
    constant = limited(left.constant + sign * right.constant, expr.span)
    source = left.source or right.source
    return Linear(kept, constant, expression_text(expr), left.dimension, source)


def times(linear: Linear, factor: Quantity, at: Span) -> Linear:
    """`factor linear`; units are multiplied too."""
    terms = tuple((key, limited(old * factor.value, at)) for key, old in linear.terms)
    constant = combine("*", Quantity(linear.constant, linear.dimension), factor, at)
    kept = terms if factor.value else ()
    return replace(linear, terms=kept, constant=constant.value, dimension=constant.dimension)


def difference(left: Linear, right: Linear, expr: tree.Expr) -> Linear:
    """Left - right, as the side of `... <= 0`; raises UnitMistake E0310."""
    if left.dimension != right.dimension:
        label = f"left is {named(left.dimension)}, right is {named(right.dimension)}"
        raise wrong("E0310", "a comparison needs equal units", expr.span, label)
    return combined("-", left, right, expr)


# --- matrices --------------------------------------------------------------------------------


def matrix_product(left: Value, right: Value, expr: tree.Binary) -> Value:
    """`C @ z`: one linear form for each row of the matrix C; a single row gives one form.

    Raises: TypeMistake E0211 where the sizes differ; E0301.
    """
    vector = _vector(right, expr.right)
    if not isinstance(left, Many) or not left.items:
        label = f"this is {kind_of(left)}"
        fix = 'write `[[1, -1], [0, 1]] @ z`, or `table("polytope.csv") @ z`'
        raise wrong("E0301", "a matrix was expected", expr.left.span, label, fix)
    if not isinstance(left.items[0], Many):
        return _dot(left, vector, expr)
    return Many(tuple(_dot(row, vector, expr) for row in left.items))


def _vector(value: Value, at: tree.Expr) -> tuple[Value, ...]:
    if isinstance(value, Many):
        return value.items
    if not isinstance(value, Outputs):
        label = f"this is {kind_of(value)}"
        raise wrong("E0301", "`@` multiplies a matrix with an output", at.span, label)
    text, source = expression_text(at), (value.text, value.at)
    return tuple(
        Linear(((Entry(value.applied, k), Fraction(1)),), Fraction(0), f"{text}[{k}]", (), source)
        for k in range(value.type.type.entries)
    )


def _dot(row: Value, vector: tuple[Value, ...], expr: tree.Binary) -> Value:
    if not isinstance(row, Many) or len(row.items) != len(vector):
        label = f"a row of {len(row.items) if isinstance(row, Many) else 1} numbers"
        problem = f"this matrix does not fit the {len(vector)} entries on its right"
        raise wrong("E0211", problem, expr.left.span, label)
    total: Value = Quantity(Fraction(0))
    constants, terms = Quantity(Fraction(0)), dict[Entry, Fraction]()
    for number, entry in zip(row.items, vector, strict=True):
        form = times(as_linear(entry, expr.right), _number(number, expr.left), expr.span)
        for key, factor in form.terms:
            terms[key] = limited(terms.get(key, Fraction(0)) + factor, expr.span)
        constants = combine("+", constants, Quantity(form.constant, form.dimension), expr.span)
    total = Quantity(constants.value, constants.dimension)
    kept = tuple((key, factor) for key, factor in terms.items() if factor)
    if not kept:
        return total
    source = next((one.source for one in vector if isinstance(one, Linear)), None)
    return Linear(kept, constants.value, expression_text(expr), constants.dimension, source)
