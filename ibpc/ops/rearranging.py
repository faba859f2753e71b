"""Entries chosen and re-arranged: what slices, gathers and repetitions share.

Source: ONNX operator specification of Slice-13, Gather-13, Split-13, Expand-13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand, varies
from ibpc.ops.record import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.domains import LinearForm
    from ibpc.ops.record import Shape, Site


def taken(site: Site, x: LinearForm, choose: Callable[[Any], Any], output: int = 0) -> LinearForm:
    """The units that `choose` picks, told by what it does to an array of their numbers."""
    import numpy as np

    units = np.arange(len(x.bias)).reshape(operand(site, 0))
    return x.take(choose(units), site.out_shapes[output])


def keep_whole_batch(site: Site, out: Shape, what: str) -> Shape:
    """The output's shape, once it is sure that axis 0 of a varying operand is left as it is.

    Raises: Unsupported where it is not.
    """
    if varies(site, 0) and out[:1] != (1,):
        raise Unsupported(f"{site.op} {what} the batch axis (axis 0); keep axis 0 as it is")
    return out
