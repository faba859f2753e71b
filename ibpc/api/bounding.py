"""`ibpc.bounds`: what a network's outputs can be, over a box of inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ibpc.api.models import onnx_bytes
from ibpc.errors import Diagnostic, NumericalDoubt

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from ibpc.api.models import Model
    from ibpc.graph import Graph

Method = Literal["ibp", "crown", "alpha-crown"]
STEPS = 20
"""Steps of alpha-CROWN's descent on the slopes."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Sound bounds of every output, float64: lower <= f(x) <= upper for all x of the box."""

    lower: np.ndarray
    upper: np.ndarray
    method: str

    def __repr__(self) -> str:
        pairs = zip(self.lower.reshape(-1)[:8], self.upper.reshape(-1)[:8], strict=True)
        shown = ", ".join(f"[{low:.6g}, {high:.6g}]" for low, high in pairs)
        more = ", ..." if self.lower.size > 8 else ""
        return f"Bounds({self.method}: {shown}{more})"


def bounds(
    model: Model, lower: npt.ArrayLike, upper: npt.ArrayLike, method: Method = "ibp"
) -> Bounds:
    """Bounds of a network's outputs over the box lower <= x <= upper.

    `model`: a path to an ONNX file, ONNX bytes, a `torch.nn.Module`, or a network of a spec.
    `method`: "ibp" (interval bounds), "crown", or "alpha-crown" (CROWN with 20 steps on its
    slopes). All are computed in float64 with rounding covered; they speak of real arithmetic on the
    stored weights. CROWN need not be tighter than intervals everywhere: take the better one.

    Shapes: lower, upper (*dims), one input without its batch axis; result (*output dims).
    Raises: NumericalDoubt where the box is crossed or a bound is no finite number; ModelMistake,
    UnsupportedOperator where the network cannot be read or bounded; ValueError for other methods.
    """
    import numpy as np

    if method not in ("ibp", "crown", "alpha-crown"):
        raise ValueError(f"method is `ibp`, `crown` or `alpha-crown`, not `{method}`")
    low, high = (np.asarray(side, dtype=np.float64) for side in (lower, upper))
    if low.shape != high.shape or not bool((low <= high).all()):
        problem = "lower and upper are no box: they differ in shape, or cross, or hold a NaN"
        raise NumericalDoubt(Diagnostic("E0710", problem))
    from ibpc.graph import read_onnx
    from ibpc.passes import prepare

    data, origin = onnx_bytes(model, low.shape)
    graph = prepare(read_onnx(data, origin), "evaluation")
    shape = next(iter(graph.inputs.values()))
    if low.size != int(np.prod(shape)):
        problem = f"the box has {low.size} entries, the network's input {int(np.prod(shape))}"
        raise NumericalDoubt(Diagnostic("E0710", problem, fix=f"give arrays of shape {shape[1:]}"))
    box = (low.reshape(shape), high.reshape(shape))
    if method == "ibp":
        from ibpc.bounds import value_bounds

        found = value_bounds(graph, *box)[graph.outputs[0]]
        return Bounds(found[0][0], found[1][0], method)
    return _crown(graph, *box, method)


def _crown(graph: Graph, lower: np.ndarray, upper: np.ndarray, method: Method) -> Bounds:
    """Every output and its negation as rows."""
    import numpy as np
    import torch

    from ibpc.bounds import Crown, CrownProblem, Descent, Weights
    from ibpc.passes import infer_shapes

    crown = Crown(graph, Weights(graph, torch.float64))
    dims = infer_shapes(graph)[graph.outputs[0]][1:]
    size = int(np.prod(dims))
    ones = torch.eye(size, dtype=torch.float64)
    rows = torch.cat([ones, -ones]).reshape(1, 2 * size, *dims)
    problem = CrownProblem(torch.tensor(lower), torch.tensor(upper), rows=rows)
    if method == "crown":
        found: torch.Tensor = crown.bounds(problem).upper
    else:
        found = crown.alpha_bounds(problem, Descent(steps=STEPS)).upper
    above, below = found[0].numpy().reshape(2, *dims)
    if not (np.isfinite(above).all() and np.isfinite(below).all()):
        raise NumericalDoubt(Diagnostic("E0711", "a CROWN bound is NaN or infinite"))
    return Bounds(-below, above, method)
