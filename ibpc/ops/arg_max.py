"""ArgMax: where the largest entry along an axis stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import counted, operand, varies
from ibpc.ops.record import Example, Missing, Operator, Unsupported

if TYPE_CHECKING:
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """Extent 1 in the place of the axis; without `keepdims` no axis."""
    found, axis = operand(site, 0), _axis(site)
    if axis == 0 and varies(site, 0):
        raise Unsupported("ArgMax along axis 0 mixes the examples of a batch; use another axis")
    if site.attribute("select_last_index", 0):
        raise Unsupported("ArgMax with select_last_index is not supported; leave it away")
    return ((*found[:axis], *(1,) * site.attribute("keepdims", 1), *found[axis + 1 :]),)


def _axis(site: Site) -> int:
    return counted(site.attribute("axis", 0), len(operand(site, 0)), "ArgMax")


def forward(site: Site, x: Any) -> Any:
    """The index of the first largest entry."""
    import torch

    return torch.argmax(x, _axis(site), keepdim=bool(site.attribute("keepdims", 1)))


_JUMPS = (
    "ArgMax jumps from one index to another; take it off the network and state the claim over the "
    "scores before it"
)

OPERATOR = Operator(
    op="ArgMax",
    versions=(1, 11, 12, 13),
    shape=shape,
    forward=forward,
    interval=Missing(_JUMPS),
    milp=Missing(_JUMPS),
    examples=(
        Example(((1, 2, 3),), {"axis": 2}),
        Example(((1, 4),), {"axis": 1, "keepdims": 0}),
    ),
    source="ONNX operator specification, ArgMax-13",
)
