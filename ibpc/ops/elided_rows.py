"""ibpc.ElidedRows: a claim fused with the last affine layer (Eq. 9).

    v = (C[label] W) h + (C[label] b + d[label])

W and b are the live parameters that the clean logits use too. Without C and d the rows are those
of the argmax claim. Attribute `transB` says, as for Gemm, that the weight is stored as W.

Source: Gowal et al. 2019, section 3, "Elision of the last layer", Eq. 9. We differ in how few
classes are batched: one product over the table of all (label, row) pairs, T = C W, and then the
rows of each example's label, instead of a C W per example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.domains import Interval
from ibpc.ops.argmax_rows import argmax_rows, drop_own, own_class
from ibpc.ops.claim_rows import MANY_ROWS, affine_rows, apply_rows, pick_rows, rows_of_label
from ibpc.ops.record import Example, Operator, ShapeMistake

if TYPE_CHECKING:
    from ibpc.domains import LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, n) with W (m, n) and a table (labels, rows, m) -> (batch, rows)."""
    hidden, _, weight = site.shapes[:3]
    if hidden is None or weight is None or len(hidden) != 2:
        raise ShapeMistake("an elided claim needs h (batch, n) and W (m, n)")
    outputs, inputs = weight if site.attribute("transB", 0) else weight[::-1]
    table = _table(site)
    if hidden[1] != inputs or (table is not None and table[2] != outputs):
        raise ShapeMistake(f"an elided claim over {table} does not fit W {weight}, h {hidden}")
    return ((hidden[0], outputs - 1 if table is None else table[1]),)


def forward(
    site: Site, h: Any, label: Any, weight: Any, bias: Any, matrix: Any = None, offset: Any = None
) -> Any:
    """C[label] (W h + b) + d[label].  Shapes: h (batch, n), label (batch,)."""
    import torch

    z = torch.nn.functional.linear(h, _matrix(site, weight), bias)
    return _rows(site, z, label, matrix, offset)


def interval(
    site: Site,
    h: Interval,
    label: Any,
    weight: Any,
    bias: Any,
    matrix: Any = None,
    offset: Any = None,
) -> Interval:
    """Centre C (W mu + b) + d, radius |C W| r, for the rows of each example's label.

    With roundoff u the radius grows by gamma_k (|C| (|W| (|mu| + r) + |b|) + |d|), k the products
    on the way, which covers the product C W and the rounding of C's own entries as well.

    Source: Gowal et al. 2019, Eq. 6 and 9.
    """
    import torch

    linear, w = torch.nn.functional.linear, _matrix(site, weight)
    center = _rows(site, linear(h.center, w, bias), label, matrix, offset)
    radius = _reach(site, h.radius, label, w, matrix)
    if h.roundoff:
        scale = (_width(site) + 8) * h.roundoff
        gamma = scale / (1 - scale)
        bound = linear(h.center.abs() + h.radius, w.abs(), None if bias is None else bias.abs())
        size = _sizes(site, bound, label, matrix, offset)
        radius = (radius + size * (2 * gamma)) * (1 + 2 * gamma)
    return Interval.from_center(center, radius, h.roundoff)


def _rows(site: Site, z: Any, label: Any, matrix: Any, offset: Any) -> Any:
    """C[label] z + d[label]."""
    if matrix is None:
        return drop_own(site.out_shapes[0], z - own_class(z, label), label)
    return apply_rows(_table(site), z, label, matrix, offset)


def _sizes(site: Site, z: Any, label: Any, matrix: Any, offset: Any) -> Any:
    """|C[label]| z + |d[label]|."""
    if matrix is None:
        return drop_own(site.out_shapes[0], z + own_class(z, label), label)
    return apply_rows(_table(site), z, label, matrix.abs(), offset.abs())


def _reach(site: Site, radius: Any, label: Any, weight: Any, matrix: Any) -> Any:
    """|C[label] W| r.  Shapes: radius (batch, n), weight (m, n); gives (batch, rows)."""
    import torch

    table = _table(site)
    if table is None:
        return drop_own(site.out_shapes[0], _pair_reach(radius, label, weight), label)
    labels, rows, outputs = table
    if labels * rows > MANY_ROWS:
        return ((matrix[label] @ weight).abs() @ radius.unsqueeze(2)).squeeze(2)
    every = matrix.reshape(labels * rows, outputs) @ weight
    reach = torch.nn.functional.linear(radius, every.abs())
    return reach if labels == 1 else pick_rows(table, reach, label)


def _pair_reach(radius: Any, label: Any, weight: Any) -> Any:
    """sum_i |W_ki - W_label,i| r_i for every class k.  Shapes: (batch, n), (m, n) -> (batch, m)."""
    difference = weight.unsqueeze(0) - weight[label].unsqueeze(1)
    return (difference.abs() @ radius.unsqueeze(2)).squeeze(2)


def _matrix(site: Site, weight: Any) -> Any:
    """W of shape (m, n)."""
    return weight if site.attribute("transB", 0) else weight.T


def _table(site: Site) -> Shape | None:
    """The shape of C, (labels, rows, m), or None for the argmax claim."""
    return site.shapes[4] if len(site.shapes) > 4 else None


def _width(site: Site) -> int:
    """The products that one row sums: n for W h, m for C z, and b, d, C's own entries."""
    weight = site.shapes[2]
    assert weight is not None
    return sum(weight) + 3


def milp(
    site: Site,
    h: LinearForm,
    label: Any,
    weight: Any,
    bias: Any,
    matrix: Any = None,
    offset: Any = None,
) -> LinearForm:
    """The affine form (C W) h + (C b + d) of one example; `label` is a constant."""
    import numpy as np

    w = np.asarray(_matrix(site, np.asarray(weight, dtype=np.float64)))
    if matrix is None:
        rows: Any = argmax_rows(len(w), label)
        constants: Any = 0.0
    else:
        rows, constants = rows_of_label(label, matrix, offset)
    shift = 0.0 if bias is None else rows @ np.asarray(bias, dtype=np.float64)
    return affine_rows(h, rows @ w, shift + constants)


_W = [[0.3, -1.2, 0.7, 0.1], [1.0, 0.2, -0.4, 0.5], [-0.6, 0.8, 0.9, -1.1]]
_PAIR = [[[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]], [[1.0, -1.0, 0.0], [0.0, -1.0, 2.5]]]

OPERATOR = Operator(
    op="ibpc.ElidedRows",
    versions=(1,),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(
            ((1, 4), [1], _W, [0.1, -0.2, 0.3], _PAIR, [[0.1, 0.2], [-0.3, 0.0]]), {"transB": 1}
        ),
        Example(((1, 4), [2], _W, [0.1, -0.2, 0.3], None, None), {"transB": 1}),
        Example(((1, 3), [0], _W, None, [[[0.5, -1.0, 2.0, 0.1]]], [[0.25]])),
    ),
    source="Gowal et al. 2019, Eq. 9",
    trainable=(2, 3),
    affine=True,
)
