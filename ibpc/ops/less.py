"""Less: which entries of one operand are less than those of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.broadcasting import shape
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Missing, Operator

if TYPE_CHECKING:
    from ibpc.ops.record import Site


def forward(_: Site, left: Any, right: Any) -> Any:
    """Truth values."""
    import torch

    return torch.lt(left, right)


_JUMPS = (
    "Less of a value that depends on the input jumps from false to true; write the choice with "
    "Relu, Max or Clip, or split the network at the comparison"
)

OPERATOR = Operator(
    op="Less",
    versions=(7, 9, 13),
    shape=shape,
    forward=forward,
    interval=Missing(_JUMPS),
    milp=Missing(_JUMPS),
    examples=(Example(((1, 2, 3), pattern(2, 1))),),
    source="ONNX operator specification, Less-13",
)
