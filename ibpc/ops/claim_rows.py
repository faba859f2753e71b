"""ibpc.ClaimRows: a linear claim on the logits, v = C[label] z + d[label] (Eq. 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.domains import Interval
from ibpc.ops.record import Example, Operator, ShapeMistake

if TYPE_CHECKING:
    from ibpc.domains import LinearForm
    from ibpc.ops.record import Shape, Site

MANY_ROWS = 4096
"""A table of more rows than this is not multiplied whole: each example takes its own C."""


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, n) with a table (labels, rows, n) -> (batch, rows)."""
    logits, _, matrix, offset = site.shapes
    if logits is None or matrix is None or offset is None or len(matrix) != 3:
        raise ShapeMistake("a claim needs z, label, C (labels, rows, n) and d (labels, rows)")
    if len(logits) != 2 or logits[1] != matrix[2]:
        raise ShapeMistake(
            f"the claim speaks of {matrix[2]} outputs, the network's output has shape {logits}",
            "claim on a network whose output is a vector of that length",
        )
    return ((logits[0], matrix[1]),)


def forward(site: Site, z: Any, label: Any, matrix: Any, offset: Any) -> Any:
    """C[label] z + d[label].  Shapes: z (batch, n), label (batch,); gives (batch, rows)."""
    return apply_rows(site.shapes[2], z, label, matrix, offset)


def interval(site: Site, z: Interval, label: Any, matrix: Any, offset: Any) -> Interval:
    """Centre C mu + d, radius |C| r (Eq. 6), for the rows of each example's label.

    One term more than n is counted: it covers the rounding of C's own entries.
    Source: Gowal et al. 2019, Eq. 8 (without elision).
    """
    table = site.shapes[2]
    assert table is not None
    return z.affine(
        lambda v: apply_rows(table, v, label, matrix, offset),
        lambda v: apply_rows(table, v, label, matrix.abs(), None),
        terms=table[2] + 2,
    )


def apply_rows(table: Shape | None, z: Any, label: Any, matrix: Any, offset: Any) -> Any:
    """C[label] z + d[label] with `table` = (labels, rows, n), the shape of C.

    One table row: one product. Few: all rows of all labels as one product, then the rows of each
    example's label are picked. Many: a C per example.
    """
    import torch

    assert table is not None
    labels, rows, inputs = table
    if labels == 1:
        return torch.nn.functional.linear(z, matrix[0], None if offset is None else offset[0])
    if labels * rows > MANY_ROWS:
        picked = (matrix[label] * z.unsqueeze(1)).sum(2)
        return picked if offset is None else picked + offset[label]
    flat = None if offset is None else offset.reshape(labels * rows)
    every = torch.nn.functional.linear(z, matrix.reshape(labels * rows, inputs), flat)
    return pick_rows(table, every, label)


def pick_rows(table: Shape, every: Any, label: Any) -> Any:
    """Of the rows of all labels, (batch, labels * rows), those of each example's label."""
    import torch

    labels, rows, _ = table
    grouped = every.reshape(-1, labels, rows)
    return torch.take_along_dim(grouped, label.reshape(-1, 1, 1), dim=1).reshape(-1, rows)


def milp(_: Site, z: LinearForm, label: Any, matrix: Any, offset: Any) -> LinearForm:
    """The affine form C[label] z + d[label] of one example; `label` is a constant."""
    weight, bias = rows_of_label(label, matrix, offset)
    return affine_rows(z, weight, bias)


def transpose(
    site: Site, rows: Any, _: Any, label: Any, matrix: Any, offset: Any
) -> tuple[Any, ...]:
    """Rows times the C of each example's label."""
    table = site.shapes[2]
    own = matrix if table is None or table[0] == 1 else matrix[label]
    return rows @ own, None, None, None


def rows_of_label(label: Any, matrix: Any, offset: Any) -> tuple[Any, Any]:
    """C (rows, n) and d (rows,) of one label, as float64 arrays."""
    import numpy as np

    index = 0 if len(matrix) == 1 else int(np.asarray(label).reshape(-1)[0])
    return np.asarray(matrix[index], dtype=np.float64), np.asarray(offset[index], np.float64)


def affine_rows(z: LinearForm, weight: Any, bias: Any) -> LinearForm:
    """The form weight z + bias with dense `weight` (rows, n)."""
    from scipy.sparse import csr_array

    return z.affine(csr_array(weight), bias, (1, weight.shape[0]))


_PAIR = [[[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]], [[1.0, -1.0, 0.0], [0.0, -1.0, 2.5]]]

OPERATOR = Operator(
    op="ibpc.ClaimRows",
    versions=(1,),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 3), [1], _PAIR, [[0.1, 0.2], [-0.3, 0.0]])),
        Example(((1, 3), [0], [[[0.5, -1.0, 2.0]]], [[0.25]])),
    ),
    source="Gowal et al. 2019, Eq. 2 and 8",
    affine=True,
)
