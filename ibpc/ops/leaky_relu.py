"""LeakyRelu: x where positive, alpha x below, and the language's `leaky_relu` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.language import Layer, Slot, Template
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(site: Site, x: Any) -> Any:
    """max(x, 0) + alpha min(x, 0)."""
    import torch

    return torch.nn.functional.leaky_relu(x, site.attribute("alpha", 0.01))


def interval(site: Site, x: Interval) -> Interval:
    """Its values at the bounds: it never falls where alpha >= 0.  Error: one product.

    Source: Gowal et al. 2019, Eq. 7.
    """
    _slope(site)
    return x.monotone(lambda v: forward(site, v), error=1)


def milp(site: Site, x: LinearForm) -> LinearForm:
    """Y = alpha x + (1 - alpha) max(x, 0).

    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1, by the identity above.
    """
    import numpy as np

    slope = _slope(site)
    y = x.scaled(slope).plus(domains.positive_part(x).scaled(1 - slope))
    lower, upper = (np.where(v > 0, v, slope * v) for v in (x.lower, x.upper))
    return y.within(np.nextafter(lower, -np.inf), np.nextafter(upper, np.inf))


def relax(site: Site, x: Interval, knobs: Any = None) -> Lines:
    """Chord on one side, a line through 0 on the other; see `ibpc.domains.kinked_lines`."""
    return domains.kinked_lines(x, _slope(site), knobs)


def _slope(site: Site) -> float:
    """Alpha, once it is known not to be negative."""
    slope = float(site.attribute("alpha", 0.01))
    if slope < 0:
        raise Unsupported(
            f"LeakyRelu with a negative slope ({slope:g}) is not monotone; use one of at least 0"
        )
    return slope


def build(arguments: Mapping[str, Any], __: Shape, ___: Shape) -> tuple[Template, ...]:
    """`leaky_relu slope = 0.01`."""
    return (Template("LeakyRelu", {"alpha": float(arguments["slope"])}),)


OPERATOR = Operator(
    op="LeakyRelu",
    versions=(1, 6, 16),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    relax=relax,
    examples=(
        Example(((1, 6),)),
        Example(((1, 2, 3, 3),), {"alpha": 0.25}),
        Example(((1, 4),), {"alpha": 1.5}),
    ),
    source="Gowal et al. 2019, Eq. 7; Tjeng et al. 2019, section 4.1",
    layers=(
        Layer(
            "leaky_relu",
            (Slot("slope", "real", default=0.01, low=0, doc="slope below 0"),),
            build,
            "x where positive, slope times x below",
            activation=True,
        ),
    ),
)
