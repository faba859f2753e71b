"""Max: the largest of several operands, entry by entry."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from ibpc.ops.extremes import bounds, largest, shape
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Site


def forward(_: Site, *operands: Any) -> Any:
    """The largest."""
    import torch

    return reduce(torch.maximum, operands)


def interval(site: Site, *operands: Any) -> Interval:
    """Its values at the bounds: exact.  Source: Gowal et al. 2019, Eq. 7."""
    import torch

    return bounds(site, operands, torch.maximum)


def milp(site: Site, *operands: Any) -> LinearForm:
    """A ReLU for each operand but one.  Source: Tjeng et al. 2019, section 4.1."""
    return largest(site, operands, sign=1.0)


OPERATOR = Operator(
    op="Max",
    versions=(8, 12, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 5), (1, 5))),
        Example(((1, 2, 3), pattern(2, 1), (1, 1, 3))),
        Example(((1, 4), 0.25)),
    ),
    source="Gowal et al. 2019, Eq. 7; Tjeng et al. 2019, section 4.1",
)
