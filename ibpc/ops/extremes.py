"""The largest or smallest of several operands, entry by entry: what Max and Min share."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import operand, varies
from ibpc.ops.broadcasting import joined, spread_form
from ibpc.ops.record import ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Operands broadcast; none may stretch or shift the batch axis of a variable one."""
    if not site.shapes:
        raise ShapeMistake(f"{site.op} lacks its operands")
    found = [operand(site, position) for position in range(len(site.shapes))]
    out = reduce(lambda left, right: joined(left, right, site.op), found)
    variable = [each for position, each in enumerate(found) if varies(site, position)]
    if any(len(each) != len(out) for each in variable) or (variable and out[0] != 1):
        raise Unsupported(
            f"{site.op} of shapes {', '.join(map(str, found))} mixes the examples of a batch "
            "(axis 0); give constants extent 1 there, or leave that axis away"
        )
    return (out,)


def bounds(site: Site, operands: tuple[Any, ...], extreme: Callable[[Any, Any], Any]) -> Interval:
    """The extreme of the lower bounds, and of the upper ones: exact, it rises in each operand."""
    boxes = [v for position, v in enumerate(operands) if varies(site, position)]

    def side(end: str) -> Any:
        ends = (
            getattr(v, end) if varies(site, position) else v for position, v in enumerate(operands)
        )
        return reduce(extreme, ends).expand(-1, *site.out_shapes[0][1:])

    return domains.Interval.from_bounds(side("lower"), side("upper"), boxes[0].roundoff)


def largest(site: Site, operands: tuple[Any, ...], sign: float) -> LinearForm:
    """max(a, b) = b + max(a - b, 0), one operand after the other; of mirror images if sign is -1.

    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1, as a chain of ReLUs.
    """
    import numpy as np

    found: LinearForm | None = None
    fixed = None  # the constants' own extreme
    for position, v in enumerate(operands):
        if not varies(site, position):
            entries = sign * np.asarray(v, np.float64)
            fixed = entries if fixed is None else np.maximum(fixed, entries)
            continue
        form = spread_form(site, position, v).scaled(sign)
        found = form if found is None else _larger(form, found)
    assert found is not None, "encoded because an operand varies"
    if fixed is not None:
        level = np.broadcast_to(fixed, site.out_shapes[0]).reshape(-1)
        found = domains.positive_part(found.scaled(1.0, -level)).scaled(1.0, level)
    return found.scaled(sign)


def _larger(left: LinearForm, right: LinearForm) -> LinearForm:
    """max(left, right), unit by unit."""
    import numpy as np

    y = right.plus(domains.positive_part(left.minus(right)))
    return y.within(np.maximum(left.lower, right.lower), np.maximum(left.upper, right.upper))
