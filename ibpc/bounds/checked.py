"""Running bound programs with their edges checked: doubt becomes an error, never a number.

The programs themselves do not test for NaN, so that they stay straight-line; an infinity or NaN
inside shows at the edges, because every rule hands NaN on and, with rounding covered, an
overflow widens a radius to infinity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ibpc.bounds.programs import lower_values
from ibpc.bounds.weights import Weights
from ibpc.errors import Diagnostic, NumericalDoubt

if TYPE_CHECKING:
    import numpy as np
    from torch.fx import GraphModule

    from ibpc.graph import Graph


def roundoff_of(dtype: torch.dtype) -> float:
    """The unit roundoff u of a float format: 2^-53 for float64, 2^-24 for float32."""
    return float(torch.finfo(dtype).eps) / 2


def run_checked(program: GraphModule, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A bound program's outputs, as a tuple, once its weights, inputs and outputs are in order.

    The first two inputs are the box (lower, upper); a pair of outputs is one too.

    Raises: NumericalDoubt where a weight, an input or an output is NaN or infinite, or where
    bounds cross.
    """
    for name, tensor in program.state_dict().items():
        _need_finite(tensor, f"weight `{name}`")
    _need_box(inputs[0], inputs[1], "the input box")
    with torch.no_grad():
        found = program(*inputs)
    outputs = (found,) if isinstance(found, torch.Tensor) else tuple(found)
    for output in outputs:
        _need_finite(output, "a bound")
    for lower, upper in zip(outputs[::2], outputs[1::2], strict=False):
        _need_box(lower, upper, "a bound")
    return outputs


def value_bounds(
    graph: Graph, lower: np.ndarray, upper: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Bounds of every value of a graph over the box, by interval propagation in float64.

    They hold in real arithmetic for the weights as stored: rounding is covered. A claim's own
    rows are left out.

    Shapes: lower, upper (batch, *dims); each result (batch, *value dims), float64.
    Raises: NumericalDoubt.
    Source: Gowal et al. 2019, Eq. 5 to 7.
    """
    program, names = lower_values(graph, Weights(graph, torch.float64), roundoff_of(torch.float64))
    box = [torch.tensor(bound, dtype=torch.float64) for bound in (lower, upper)]
    bounds = [output.numpy() for output in run_checked(program, *box)]
    return dict(zip(names, zip(bounds[::2], bounds[1::2], strict=True), strict=True))


def _need_box(lower: torch.Tensor, upper: torch.Tensor, what: str) -> None:
    """Finite on both sides and not crossed."""
    _need_finite(lower, what)
    _need_finite(upper, what)
    if not bool((lower <= upper).all()):
        fix = "such a box is empty: look at the set's numbers, or at the size of the weights"
        problem = f"{what} has a lower bound above its upper one"
        raise NumericalDoubt(Diagnostic("E0710", problem, fix=fix))


def _need_finite(tensor: torch.Tensor, what: str) -> None:
    """Neither NaN nor infinite."""
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        fix = "take a smaller input set, or look at the network's numbers: they overflow"
        raise NumericalDoubt(Diagnostic("E0711", f"{what} is NaN or infinite", fix=fix))
