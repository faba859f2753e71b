"""The same numbers in row-major order under another shape: what its operators share.

Flatten, Reshape, Squeeze and Unsqueeze differ in how they tell the shape, and in nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand, varies

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Site


def forward(site: Site, x: Any, *_: Any) -> Any:
    """The same numbers; a value that varies keeps its batch axis."""
    if not varies(site, 0):
        return x.reshape(site.out_shapes[0])
    return x.reshape(-1, *site.out_shapes[0][1:])


def interval(site: Site, x: Interval, *_: Any) -> Interval:
    """The same re-arrangement of both ends: exact."""
    return x.shaped(lambda v: forward(site, v))


def milp(site: Site, x: LinearForm, *_: Any) -> LinearForm:
    """The same form under another shape."""
    return replace(x, shape=site.out_shapes[0])


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows under the operand's shape."""
    found = rows.reshape(*rows.shape[:2], *operand(site, 0)[1:])
    return (found, *(None for _ in site.shapes[1:]))
