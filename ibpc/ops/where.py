"""Where: entries of one operand where a condition holds, of another elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops import extremes
from ibpc.ops.axes import varies
from ibpc.ops.broadcasting import gathered, spread_form
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Condition and operands broadcast."""
    return extremes.shape(site)


def forward(_: Site, condition: Any, left: Any, right: Any) -> Any:
    """The chosen entries."""
    import torch

    return torch.where(condition, left, right)


def interval(site: Site, condition: Any, left: Any, right: Any) -> Interval:
    """The chosen entries of both ends: exact."""
    import torch

    _check(site)
    box = left if varies(site, 1) else right

    def side(end: str) -> Any:
        first, second = (
            getattr(v, end) if varies(site, place) else v for place, v in ((1, left), (2, right))
        )
        return torch.where(condition, first, second).expand(-1, *site.out_shapes[0][1:])

    return domains.Interval.from_bounds(side("lower"), side("upper"), box.roundoff)


def transpose(site: Site, rows: Any, condition: Any, *_: Any) -> tuple[Any, ...]:
    """The rows where each operand is chosen."""
    _check(site)
    chosen = condition.to(rows.dtype)
    shares = (chosen, 1 - chosen)
    return None, *(
        gathered(site, place, rows * share) if varies(site, place) else None
        for place, share in zip((1, 2), shares, strict=True)
    )


def milp(site: Site, condition: Any, left: Any, right: Any) -> LinearForm:
    """The chosen units."""
    import numpy as np

    _check(site)
    out = site.out_shapes[0]
    chosen = np.broadcast_to(condition, out).reshape(-1).astype(np.float64)
    shift, parts = np.zeros(len(chosen)), []
    for place, share, v in ((1, chosen, left), (2, 1 - chosen, right)):
        if varies(site, place):
            parts.append(spread_form(site, place, v).scaled(share))
        else:
            shift = shift + share * np.broadcast_to(np.asarray(v, np.float64), out).reshape(-1)
    found = parts[0] if len(parts) == 1 else parts[0].plus(parts[1])
    return found.scaled(1.0, shift)


def _check(site: Site) -> None:
    """Only constants choose."""
    if varies(site, 0):
        raise Unsupported(
            "Where with a condition that depends on the input is not continuous; write it with "
            "Relu, Max or Clip, or split the network at the condition"
        )


OPERATOR = Operator(
    op="Where",
    versions=(9, 16),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(([[True, False, True]], (1, 3), (1, 3))),
        Example(([True, False, True], (1, 2, 3), pattern(2, 1))),
        Example(([[[False], [True]]], pattern(1, 2, 3), (1, 1, 3))),
    ),
    source="ONNX operator specification, Where-16",
    affine=True,
)
