"""HardSigmoid: alpha x + beta, cut to [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def _line(site: Site) -> tuple[float, float]:
    return float(site.attribute("alpha", 0.2)), float(site.attribute("beta", 0.5))


def forward(site: Site, x: Any) -> Any:
    """min(max(alpha x + beta, 0), 1)."""
    slope, level = _line(site)
    return (x * slope + level).clamp(0.0, 1.0)


def interval(site: Site, x: Interval) -> Interval:
    """The line's box, cut.  Source: Gowal et al. 2019, Eq. 6 and 7."""
    slope, level = _line(site)
    line = x.affine(lambda v: v * slope + level, lambda v: v * abs(slope), terms=2)
    return line.monotone(lambda v: v.clamp(0.0, 1.0))


def milp(site: Site, x: LinearForm) -> LinearForm:
    """1 - max(1 - max(alpha x + beta, 0), 0).

    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1, twice.
    """
    slope, level = _line(site)
    above = domains.positive_part(x.scaled(slope, level))
    return domains.positive_part(above.scaled(-1.0, 1.0)).scaled(-1.0, 1.0)


OPERATOR = Operator(
    op="HardSigmoid",
    versions=(6, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 6),), low=-4.0, high=4.0),
        Example(((1, 4),), {"alpha": 0.75, "beta": 0.25}),
    ),
    source="Gowal et al. 2019, Eq. 6 and 7; Tjeng et al. 2019, section 4.1",
)
