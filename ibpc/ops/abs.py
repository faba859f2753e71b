"""Abs: the modulus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """|x|."""
    return x.abs()


def interval(_: Site, x: Interval) -> Interval:
    """From 0, or from the nearer bound where 0 lies outside, to the farther one: exact."""
    import torch

    ends = torch.maximum(x.lower, -x.upper)
    return domains.Interval.from_bounds(
        torch.relu(ends), torch.maximum(x.upper, -x.lower), x.roundoff
    )


def milp(_: Site, x: LinearForm) -> LinearForm:
    """|x| = 2 max(x, 0) - x.

    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1, by the identity above.
    """
    import numpy as np

    y = domains.positive_part(x).scaled(2.0).minus(x)
    reach = np.maximum(abs(x.lower), abs(x.upper))
    return y.within(np.maximum(0.0, np.maximum(x.lower, -x.upper)), reach)


def relax(_: Site, x: Interval, knobs: Any = None) -> Lines:
    """Slopes -1 and 1 that meet at 0; see `ibpc.domains.kinked_lines`."""
    return domains.kinked_lines(x, -1.0, knobs)


OPERATOR = Operator(
    op="Abs",
    versions=(6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=milp,
    examples=(
        Example(((1, 6),)),
        Example(((1, 5),), low=0.25),
    ),
    source="Moore et al. 2009, Introduction to Interval Analysis; Tjeng et al. 2019, section 4.1",
)
