"""Schedules of the training step: from text to a `Curve`, and a curve's value at a step.

`v until n` holds v for steps t < n; a ramp `shape to v at n` starts where the segment before it
ends, with its value, and reaches v at n; the last value holds for ever.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.errors import Related
from ibpc.language.evaluate import as_float, as_number, as_quantity, evaluate, in_range
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import Curve, Segment, Symbol
from ibpc.language.quantities import BITS, number_text
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.errors import Span
    from ibpc.language.program import Fit
    from ibpc.language.scopes import Scope

SHAPES: Mapping[str, Callable[[float], float]] = {
    "linear": lambda u: u,
    "cosine": lambda u: (1.0 - math.cos(math.pi * u)) / 2.0,
    "smooth": lambda u: u * u * (3.0 - 2.0 * u),
}
"""How far a ramp has come, as a function of the fraction u of its steps that are done."""

RANGES: Mapping[str, tuple[float | None, float | None]] = {
    "lr": (0, None),
    "eps": (0, None),
    "kappa": (0, 1),
    "beta": (0, 1),
}
"""What the values of well-known schedules must lie in."""

RADIUS = "eps"


def read_curve(setting: tree.Setting, scope: Scope) -> Curve:
    """The curve of `name(t) = ...`, or the constant of `name = value`.

    Raises: TypeMistake E0603 (breakpoints), E0604 (eps), E0605 (order); UnitMistake E0304, E0305.
    """
    name = setting.name.text
    if not isinstance(setting.value, tree.Schedule):
        return constant(_value(name, setting.value, scope))
    segments: list[Segment] = []
    units: dict[str, Span] = {}
    before: tree.Hold | tree.Ramp | None = None
    for position, segment in enumerate(setting.value.segments):
        last = position == len(setting.value.segments) - 1
        _check_order(segment, before, last)
        at = segment.until if isinstance(segment, tree.Hold) else segment.at
        until = None if at is None else _breakpoint(at, scope, segments, units)
        shape = "hold" if isinstance(segment, tree.Hold) else _shape(segment)
        segments.append(Segment(shape, _value(name, segment.value, scope), until))
        before = segment
    if name == RADIUS and len(segments) > 1 and segments[0].value != 0:
        fix = f"begin with `{RADIUS}(t) = 0 until ...`"
        at_ = setting.value.segments[0].span
        raise wrong("E0604", "the radius must grow from 0", at_, "not 0", fix)
    return Curve(tuple(segments), next(iter(units), "steps"))


def constant(value: float) -> Curve:
    """The curve that always has this value."""
    return Curve((Segment("hold", value, None),))


def _check_order(
    segment: tree.Hold | tree.Ramp, before: tree.Hold | tree.Ramp | None, last: bool
) -> None:
    if isinstance(segment, tree.Ramp):
        if before is None:
            fix = "begin with the value to start from: `0 until 2k, linear to ...`"
            raise wrong("E0605", "a ramp needs a value to start from", segment.span, "first", fix)
        return
    if segment.until is None and not last:
        fix = "say until when: `VALUE until STEP`"
        raise wrong(
            "E0605", "this value holds for ever", segment.span, "more follows behind it", fix
        )
    if segment.until is not None and last:
        fix = "leave `until` out, or say what follows"
        raise wrong(
            "E0605", "nothing follows behind this `until`", segment.span, "the last one", fix
        )


def _shape(segment: tree.Ramp) -> str:
    if segment.shape.text not in SHAPES:
        fix = suggestion(segment.shape.text, SHAPES)
        problem = f"unknown ramp `{segment.shape.text}`"
        raise wrong("E0106", problem, segment.shape.span, "not a ramp", fix)
    return segment.shape.text


def _value(name: str, expr: tree.Expr, scope: Scope) -> float:
    number = as_number(evaluate(expr, scope), expr.span)
    low, high = RANGES.get(name, (None, None))
    in_range(number, expr.span, low, high)
    return as_float(number, expr.span)


def _breakpoint(
    expr: tree.Expr, scope: Scope, segments: list[Segment], units: dict[str, Span]
) -> int:
    quantity = as_quantity(evaluate(expr, scope), expr.span)
    unit = "epochs" if quantity.dimension == (("epochs", 1),) else "steps"
    if quantity.dimension and unit == "steps":
        fix = "count in steps or epochs: `2k`, `60 epochs`"
        raise wrong(
            "E0310", "a breakpoint is a number of steps", expr.span, f"this is {quantity}", fix
        )
    if units and unit not in units:
        related = (Related(next(iter(units.values())), f"this one is in {next(iter(units))}"),)
        problem = "one schedule counts in steps and in epochs"
        raise wrong("E0603", problem, expr.span, f"in {unit}", related=related)
    units.setdefault(unit, expr.span)
    if quantity.value.denominator != 1:
        shown = number_text(quantity.value)
        raise wrong("E0305", "a breakpoint is a whole number", expr.span, f"this is {shown}")
    step = quantity.value.numerator
    previous = segments[-1].until if segments else 0
    if step.bit_length() > BITS // 64 or previous is None or step <= previous:
        problem = "breakpoints must increase"
        raise wrong("E0603", problem, expr.span, f"{step} is not after {previous}")
    return step


def reach(curve: Curve) -> int:
    """The last breakpoint of a curve, 0 where it has none."""
    return max((part.until for part in curve.segments if part.until is not None), default=0)


def greatest(curve: Curve) -> float:
    """The largest value that a curve takes."""
    return max(part.value for part in curve.segments)


def trained_radius(fit: Fit) -> Fraction | None:
    """The largest radius of a recipe's claim, its schedule at its highest; None without one."""
    eps = None if fit.claim is None else fit.claim.set.eps
    if isinstance(eps, Symbol):
        return Fraction(repr(greatest(fit.curves[eps.name]))) * eps.factor
    return eps


def curve_value(curve: Curve, step: float) -> float:
    """The value of a curve at `step`, counted from 0 in the curve's unit (steps or epochs).

        hold:    v                        for t < n
        ramp:    v0 + (v - v0) g(u)       with u = (t - t0) / (n - t0), t0 <= t < n

    g(u) is u (linear), (1 - cos(pi u)) / 2 (cosine), 3 u^2 - 2 u^3 (smooth). Behind the last
    segment its value holds for ever.
    """
    start, value = 0, curve.segments[0].value
    for part in curve.segments:
        if part.until is None or (part.shape == "hold" and step < part.until):
            return part.value
        if step < part.until:
            done = (step - start) / (part.until - start)
            return value + (part.value - value) * SHAPES[part.shape](done)
        start, value = part.until, part.value
    return value
