"""MatMul: a value times a constant matrix, from either side, or the product of two values."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.ops.axes import operand, varies
from ibpc.ops.broadcasting import joined
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.domains import Interval, LinearForm, Relaxation
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(..., p, k) x (..., k, m) -> (..., p, m); a vector counts as one row or one column."""
    left, right = operand(site, 0), operand(site, 1)
    if not left or not right:
        raise ShapeMistake("MatMul needs matrices or vectors, found a single number")
    rows, columns = left[-2:-1], right[-1:] if len(right) > 1 else ()
    inner = right[-2] if len(right) > 1 else right[0]
    if left[-1] != inner:
        raise ShapeMistake(f"MatMul multiplies {left[-1]} entries with a matrix for {inner}")
    outer = joined(left[:-2], right[:-2], "MatMul")
    out = (*outer, *rows, *columns)
    _check_batch(site, len(outer), out)
    return (out,)


def _check_batch(site: Site, outer: int, out: Shape) -> None:
    """Axis 0 of a variable operand must be axis 0 of the result, and not be summed over."""
    left, right = operand(site, 0), operand(site, 1)
    fits_left = len(left) - 2 == outer and len(left) >= 2
    fits_right = len(right) - 2 == outer and len(right) >= 3
    stretched = (varies(site, 0) or varies(site, 1)) and out[:1] != (1,)
    if stretched or (varies(site, 0) > fits_left) or (varies(site, 1) > fits_right):
        raise Unsupported(
            f"MatMul of shapes {left} and {right} mixes the examples of a batch (axis 0); "
            "keep axis 0 as it is"
        )


def forward(_: Site, left: Any, right: Any) -> Any:
    """Left @ right."""
    import torch

    return torch.matmul(left, right)


def interval(site: Site, left: Any, right: Any) -> Interval:
    """By a constant W: mu' = W mu, r' = |W| r.  Of two values: centre and radius products.

    Source: Gowal et al. 2019, Eq. 6; Rump 1999 for two values, see `Interval.bilinear`.
    """
    import torch

    terms = operand(site, 0)[-1]
    if varies(site, 0) and varies(site, 1):
        product: Interval = left.bilinear(right, torch.matmul, terms)
        return product
    if varies(site, 0):
        found: Interval = left.affine(
            lambda v: torch.matmul(v, right), lambda v: torch.matmul(v, right.abs()), terms
        )
        return found
    other: Interval = right.affine(
        lambda v: torch.matmul(left, v), lambda v: torch.matmul(left.abs(), v), terms
    )
    return other


def transpose(site: Site, rows: Any, left: Any, right: Any) -> tuple[Any, ...]:
    """Rows times the constant matrix transposed; for a product with one."""
    if varies(site, 0):
        return _back(site, rows, right, 0), None
    return None, _back(site, rows, left, 1)


def relax(site: Site, left: Interval, right: Interval, knobs: Any = None) -> Relaxation:
    """The product of two values about their centres, see `ibpc.domains.Product`."""
    import torch

    def back(rows: Any, fixed: Any, position: int) -> Any:
        return _back(site, rows, fixed.unsqueeze(1), position)

    return domains.Product(left, right, torch.matmul, back, terms=operand(site, 0)[-1] + 16)


def _back(site: Site, rows: Any, fixed: Any, position: int) -> Any:
    """Rows over one operand, where the other one is `fixed`.

    Shapes: rows (batch, spec, *out dims); fixed as its operand, after any leading axes.
    """
    import torch

    own, other = operand(site, position), operand(site, 1 - position)
    if len(other) == 1:  # the missing axis of a vector: one column, or one row
        rows = rows.unsqueeze(-1 if position == 0 else -2)
        fixed = fixed.unsqueeze(-1 if position == 0 else -2)
    turned = fixed.transpose(-1, -2)
    found = torch.matmul(rows, turned) if position == 0 else torch.matmul(turned, rows)
    # Leading axes along which the operand was broadcast.
    rank = len(own) - 1
    axes = [place - rank for place in range(rank) if found.shape[place - rank] != own[place - rank]]
    return found.sum(axes, keepdim=True) if axes else found


def milp(site: Site, left: Any, right: Any) -> LinearForm:
    """The affine form as one sparse matrix: a block for each entry of the leading axes."""
    import numpy as np
    from scipy.sparse import block_diag, eye_array, kron

    if varies(site, 0) and varies(site, 1):
        raise Unsupported(
            "MatMul of two values that depend on the input is not piecewise linear, and a "
            "mixed-integer linear program is; verify this network with ibp"
        )
    from_left = varies(site, 0)
    x: LinearForm = left if from_left else right
    weight = np.asarray(right if from_left else left, np.float64)
    if weight.ndim == 1:
        weight = weight[:, None] if from_left else weight[None, :]
    outer = joined(x.shape[:-2], weight.shape[:-2], "MatMul")
    tail = x.shape[-2:]
    units = np.broadcast_to(np.arange(prod(x.shape)).reshape(x.shape), (*outer, *tail))
    blocks = np.broadcast_to(weight, (*outer, *weight.shape[-2:])).reshape(-1, *weight.shape[-2:])
    eye = eye_array(tail[0] if from_left else tail[1])
    parts = [kron(eye, block.T) if from_left else kron(block, eye) for block in blocks]
    spread = x.take(units, (*outer, *tail))
    return spread.affine(block_diag(parts, format="csr"), 0.0, site.out_shapes[0])


OPERATOR = Operator(
    op="MatMul",
    versions=(1, 9, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    linear=(0, 1),
    relax=relax,
    examples=(
        Example(((1, 5), pattern(5, 3))),
        Example(((1, 3, 4), pattern(4, 2))),
        Example((pattern(2, 3), (1, 3, 4))),
        Example(((1, 2, 3, 4), pattern(2, 4, 2))),
        Example(((1, 1, 3, 4), pattern(2, 4, 2))),
        Example(((1, 3, 4), pattern(4))),
        Example(((1, 3, 4), (1, 4, 2))),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, MatMul-13",
    trainable=(0, 1),
)
