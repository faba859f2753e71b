"""Clip: entries cut to [low, high], and the language's `clip` layer."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import known, operand
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    _limits(site)
    return (operand(site, 0),)


def forward(site: Site, x: Any, *_: Any) -> Any:
    """min(max(x, low), high)."""
    low, high = _limits(site)
    return x if low is None and high is None else x.clamp(low, high)


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """Its values at the bounds.  Source: Gowal et al. 2019, Eq. 7."""
    return x.monotone(lambda v: forward(site, v))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """Y = low + max(x - low, 0), then high - max(high - y, 0).

    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1, twice.
    """
    low, high = _limits(site)
    if low is not None:
        x = domains.positive_part(x.scaled(1.0, -low)).scaled(1.0, low)
    if high is not None:
        x = domains.positive_part(x.scaled(-1.0, high)).scaled(-1.0, high)
    return x


def relax(site: Site, x: Interval, *_: Any, knobs: Any = None) -> Lines:
    """Lines that touch the corners; see `ibpc.domains.clipped_lines`."""
    low, high = _limits(site)
    ends = (-inf if low is None else low, inf if high is None else high)
    return domains.clipped_lines(x, *ends, knobs)


def _limits(site: Site) -> tuple[float | None, float | None]:
    """Low and high, from the attributes (opset 6) or the operands (opset 11); None where open."""
    found = []
    for position, name in ((1, "min"), (2, "max")):
        given = known(site, position)
        limit = given[0] if given else site.attribute(name)
        found.append(None if limit is None else float(limit))
    return found[0], found[1]


def build(arguments: Mapping[str, Any], _: Shape, __: Shape) -> tuple[Template, ...]:
    """`clip low = 0 high = 1`."""
    low, high = arguments["low"], arguments["high"]
    if low > high:
        raise LayerMistake(f"clip from {low} to {high} leaves nothing", argument="low")
    weights = (Weight("low", (), "values", (low,)), Weight("high", (), "values", (high,)))
    return (Template("Clip", {}, weights),)


OPERATOR = Operator(
    op="Clip",
    versions=(6, 11, 12, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    relax=relax,
    examples=(
        Example(((1, 6), -0.5, 1.0)),
        Example(((1, 2, 3), 0.0)),
        Example(((1, 6), None, 0.25)),
        Example(((1, 6),), {"min": -0.5, "max": 0.75}),
    ),
    source="Gowal et al. 2019, Eq. 7; Tjeng et al. 2019, section 4.1",
    layers=(
        Layer(
            "clip",
            (
                Slot("low", "real", doc="smallest value"),
                Slot("high", "real", doc="largest value"),
            ),
            build,
            "entries cut to [low, high]",
            activation=True,
        ),
    ),
)
