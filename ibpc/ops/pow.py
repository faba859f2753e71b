"""Pow: a value to a constant power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import keep_batch, known, operand, varies
from ibpc.ops.broadcasting import joined
from ibpc.ops.quotients import inverse
from ibpc.ops.record import Example, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Base and exponent broadcast; the base decides."""
    base = operand(site, 0)
    out = joined(base, operand(site, 1), "Pow")
    if varies(site, 0) and out != base:
        raise Unsupported(f"Pow repeats its base of shape {base} up to {out}; repeat it before")
    return (keep_batch(site, out),)


def forward(_: Site, x: Any, exponent: Any) -> Any:
    """The base to the exponent; NaN for a root of a negative number."""
    return x**exponent


def _exponent(site: Site) -> float:
    """The one exponent.

    Raises: Unsupported where there are several, or where it depends on the input.
    """
    exponents = set(known(site, 1) or ())
    if len(exponents) != 1:
        raise Unsupported("Pow with several exponents at once is not supported; use one for all")
    return float(exponents.pop())


def interval(site: Site, x: Interval, _: Any) -> Interval:
    """Even powers turn at 0, odd ones and roots rise; negative powers are reciprocals.

    NaN, which is doubt, where a root reaches below 0 or a negative power's base may be 0.
    Error: as for Sigmoid.  Source: Moore et al. 2009, "Introduction to Interval Analysis".
    """
    exponent = _exponent(site)
    found = _power(x, abs(exponent))
    return found if exponent >= 0 else inverse(found)


def _power(x: Interval, exponent: float) -> Interval:
    """The image under a power of at least 0."""
    import torch

    if exponent % 2:
        return x.monotone(lambda v: v**exponent, error=0 if exponent == 1 else 16)
    # The modulus first: it is exact, and a power of it rises.
    ends = torch.relu(torch.maximum(x.lower, -x.upper)), torch.maximum(x.upper, -x.lower)
    modulus = domains.Interval.from_bounds(*ends, x.roundoff)
    return modulus.monotone(lambda v: v**exponent, error=16, limits=(0.0, float("inf")))


def relax(site: Site, x: Interval, _: Any, knobs: Any = None) -> Lines:
    """Tangents and chords where the power bends one way on the box; else its extremes.

    x^e bends up for x > 0 where e < 0 or e > 1, and down for 0 < e < 1; odd powers bend the other
    way for x < 0. A root or negative power of a box that reaches 0 gives NaN, which is doubt.
    See `ibpc.domains.curved_lines`.
    """
    import torch

    exponent = _exponent(site)
    if exponent in (0.0, 1.0):
        return _straight(x, exponent)
    whole, odd = exponent == int(exponent), exponent % 2 == 1
    allowed = x.lower > 0 if exponent < 1 else torch.ones_like(x.lower, dtype=torch.bool)
    if exponent < 0 and whole:
        allowed = allowed | (x.upper < 0)
    if exponent > 1 and not whole:
        allowed = x.lower >= 0
    lower = torch.where(allowed, x.lower, float("nan"))
    convex = torch.full_like(allowed, not 0 < exponent < 1)
    if odd:
        convex = x.lower >= 0
    bent = domains.curved_lines(
        domains.Interval.from_bounds(lower, x.upper, x.roundoff),
        lambda v: v**exponent,
        lambda v: exponent * v ** (exponent - 1),
        convex,
        knobs,
    )
    turning = (x.lower < 0) & (x.upper > 0) if odd and exponent > 0 else torch.zeros_like(allowed)
    return bent.flattened(turning, interval(site, x, None))


def _straight(x: Interval, exponent: float) -> Lines:
    """The first power, and the zeroth, as lines."""
    import torch

    slope = torch.full_like(x.lower, exponent).unsqueeze(1)
    offset = torch.full_like(slope, 1 - exponent)
    open_ = torch.zeros_like(x.lower, dtype=torch.bool)
    return domains.Lines(slope, slope, offset, offset, open_)


def milp(site: Site, x: LinearForm, _: Any) -> LinearForm:
    """Only the first power is linear."""
    exponent = _exponent(site)
    if exponent == 1:
        return x
    raise Unsupported(
        f"Pow with the exponent {exponent:g} is curved and a mixed-integer linear program is not; "
        "verify this network with ibp or crown"
    )


OPERATOR = Operator(
    op="Pow",
    versions=(7, 12, 13, 15),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    relax=relax,
    examples=(
        Example(((1, 6), 2.0)),
        Example(((1, 2, 3), [3.0])),
        Example(((1, 4), 3.0), low=0.0),
        Example(((1, 4), 3.0), high=-0.25),
        Example(((1, 4), 1.0)),
        Example(((1, 4), 0.5), low=0.125),
        Example(((1, 4), -2.0), low=0.125),
    ),
    source="Moore et al. 2009, Introduction to Interval Analysis",
)
