"""ibpc.ArgmaxRows: the argmax claim over many classes, v_k = z_k - z_label for k != label.

The same rows as `ibpc.ClaimRows` would have, classes ascending, but without a table of
K (K - 1) K numbers. Source: Gowal et al. 2019, Eq. 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.domains import Interval
from ibpc.ops.record import Example, Operator, ShapeMistake

if TYPE_CHECKING:
    from ibpc.domains import LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, K) -> (batch, K - 1)."""
    logits = site.shapes[0]
    if logits is None or len(logits) != 2 or logits[1] < 2:
        raise ShapeMistake(f"an argmax claim needs a vector of classes, found {logits}")
    return ((logits[0], logits[1] - 1),)


def forward(site: Site, z: Any, label: Any) -> Any:
    """z_k - z_label for k != label.  Shapes: z (batch, K), label (batch,)."""
    own = own_class(z, label)
    return drop_own(site.out_shapes[0], z - own, label)


def interval(site: Site, z: Interval, label: Any) -> Interval:
    """[lower_k - upper_label, upper_k - lower_label].

    Source: Gowal et al. 2019, Eq. 8 and the sentence after it.
    """
    radius = z.radius + own_class(z.radius, label)
    center = z.center - own_class(z.center, label)
    if z.roundoff:
        radius = (radius + center.abs() * (2 * z.roundoff)) * (1 + 4 * z.roundoff)
    return Interval.from_center(
        drop_own(site.out_shapes[0], center, label),
        drop_own(site.out_shapes[0], radius, label),
        z.roundoff,
    )


def own_class(z: Any, label: Any) -> Any:
    """z_label of each example.  Shapes: z (batch, K) -> (batch, 1)."""
    import torch

    return torch.take_along_dim(z, label.reshape(-1, 1), dim=1)


def drop_own(out_shape: Shape, rows: Any, label: Any) -> Any:
    """All rows but the label's own.  Shapes: rows (batch, K) -> (batch, K - 1)."""
    import torch

    index = torch.arange(out_shape[1], device=rows.device)
    return torch.take_along_dim(rows, index + (index >= label.reshape(-1, 1)), dim=1)


def argmax_rows(classes: int, label: Any) -> Any:
    """The rows e_k - e_label, k != label, as a sparse matrix (K - 1, K)."""
    import numpy as np
    from scipy.sparse import csr_array

    own = int(np.asarray(label).reshape(-1)[0])
    others, rows = np.delete(np.arange(classes), own), np.arange(classes - 1)
    entries = np.concatenate([np.ones(classes - 1), -np.ones(classes - 1)])
    columns = np.concatenate([others, np.full(classes - 1, own)])
    return csr_array(
        (entries, (np.concatenate([rows, rows]), columns)), shape=(classes - 1, classes)
    )


def milp(_: Site, z: LinearForm, label: Any) -> LinearForm:
    """The affine forms z_k - z_label of one example; `label` is a constant."""
    classes = z.shape[1]
    return z.affine(argmax_rows(classes, label), 0.0, (1, classes - 1))


def transpose(site: Site, rows: Any, _: Any, label: Any) -> tuple[Any, ...]:
    """Row k goes to class k, less all of them to the label's own."""
    import torch

    others = torch.arange(site.out_shapes[0][1], device=rows.device)
    own = label.reshape(-1, 1, 1)
    place = others + (others >= own)
    batch = max(rows.shape[0], own.shape[0])
    rows = rows.expand(batch, -1, -1)
    found = torch.zeros(*rows.shape[:2], rows.shape[2] + 1, dtype=rows.dtype, device=rows.device)
    found = found.scatter(2, place.expand(batch, rows.shape[1], -1), rows)
    place = own.expand(batch, rows.shape[1], 1)
    return found.scatter(2, place, -rows.sum(2, keepdim=True)), None


OPERATOR = Operator(
    op="ibpc.ArgmaxRows",
    versions=(1,),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(Example(((1, 5), [2])), Example(((1, 5), [0]))),
    source="Gowal et al. 2019, Eq. 3 and 8",
    affine=True,
)
