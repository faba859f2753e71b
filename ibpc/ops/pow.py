"""Pow: a value to a constant power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import keep_batch, known, operand, varies
from ibpc.ops.broadcasting import joined
from ibpc.ops.quotients import inverse
from ibpc.ops.record import Example, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
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
    examples=(
        Example(((1, 6), 2.0)),
        Example(((1, 2, 3), [3.0])),
        Example(((1, 4), 1.0)),
        Example(((1, 4), 0.5), low=0.125),
        Example(((1, 4), -2.0), low=0.125),
    ),
    source="Moore et al. 2009, Introduction to Interval Analysis",
)
