"""Operands of two shapes joined element by element: NumPy's rule, and the batch axis kept apart."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand, varies
from ibpc.ops.record import ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def joined(left: Shape, right: Shape, op: str) -> Shape:
    """The shape to which two shapes broadcast, aligned at their last axes.

    Raises: ShapeMistake where they do not.
    """
    pairs = list(zip_longest(reversed(left), reversed(right), fillvalue=1))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ShapeMistake(f"{op} joins shapes {left} and {right}, which do not broadcast")
    return tuple(a if b == 1 else b for a, b in reversed(pairs))


def shape(site: Site) -> tuple[Shape, ...]:
    """Operands broadcast; none may stretch or shift the batch axis of a variable one."""
    left, right = operand(site, 0), operand(site, 1)
    out = joined(left, right, site.op)
    variable = [site.shapes[position] for position in (0, 1) if varies(site, position)]
    if any(len(found or ()) != len(out) for found in variable) or (variable and out[0] != 1):
        raise Unsupported(
            f"{site.op} of shapes {left} and {right} mixes the examples of a batch (axis 0); "
            "give the constant extent 1 there, or leave that axis away"
        )
    return (out,)


def spread(site: Site, position: int, x: Interval) -> Interval:
    """The interval operand, repeated along the axes where it is broadcast."""
    out = site.out_shapes[0]
    if site.shapes[position] == out:
        return x
    return x.shaped(lambda v: v.expand(-1, *out[1:]))


def gathered(site: Site, position: int, rows: Any) -> Any:
    """Rows over the output as rows over an operand: summed along the axes where it is broadcast.

    Shapes: rows (batch, spec, *out dims) -> (batch, spec, *operand dims).
    """
    found, out = operand(site, position), site.out_shapes[0]
    axes = [place + 1 for place in range(1, len(out)) if found[place] != out[place]]
    return rows.sum(axes, keepdim=True) if axes else rows


def spread_form(site: Site, position: int, x: LinearForm) -> LinearForm:
    """The variable operand, repeated along the axes where it is broadcast."""
    import numpy as np

    out = site.out_shapes[0]
    if x.shape == out:
        return x
    units = np.arange(len(x.bias)).reshape(operand(site, position))
    return x.take(np.broadcast_to(units, out), out)


def spread_constant(site: Site, constant: Any) -> Any:
    """The constant operand, one number per unit of the output, row-major float64."""
    import numpy as np

    return np.broadcast_to(np.asarray(constant, np.float64), site.out_shapes[0]).reshape(-1)
