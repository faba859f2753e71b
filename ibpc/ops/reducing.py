"""Sums and means over axes: what ReduceSum and ReduceMean share.

Source: ONNX operator specification, ReduceSum-13, ReduceMean-13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import counted, known, operand, varies
from ibpc.ops.record import Unsupported

if TYPE_CHECKING:
    from ibpc.domains import LinearForm
    from ibpc.ops.record import Shape, Site


def axes(site: Site) -> tuple[int, ...]:
    """The axes that are summed over, from an operand or the attribute; all where none is named."""
    rank = len(operand(site, 0))
    named = known(site, 1)
    if named is None:
        named = site.attribute("axes")
    if not named:
        return () if site.attribute("noop_with_empty_axes", 0) else tuple(range(rank))
    return tuple(sorted({counted(int(axis), rank, site.op) for axis in named}))


def shape(site: Site) -> tuple[Shape, ...]:
    """Extent 1 in the place of each axis; without `keepdims` no axis."""
    summed, keep = axes(site), site.attribute("keepdims", 1)
    if varies(site, 0) and 0 in summed:
        raise Unsupported(
            f"{site.op} over axis 0 mixes the examples of a batch; keep axis 0 as it is"
        )
    found = enumerate(operand(site, 0))
    out = ((axis, 1 if axis in summed else extent) for axis, extent in found)
    return (tuple(extent for axis, extent in out if keep or axis not in summed),)


def count(site: Site) -> int:
    """How many entries one output sums."""
    found, total = operand(site, 0), 1
    for axis in axes(site):
        total *= found[axis]
    return total


def total(site: Site, x: Any) -> Any:
    """The sum over the axes."""
    summed = axes(site)
    return x.sum(summed, keepdim=bool(site.attribute("keepdims", 1))) if summed else x


def total_form(site: Site, x: LinearForm, share: float) -> LinearForm:
    """The sums times `share`, as one sparse matrix."""
    import numpy as np
    from scipy.sparse import csr_array

    found, summed = operand(site, 0), axes(site)
    outputs = len(x.bias) // count(site)
    kept = tuple(1 if axis in summed else extent for axis, extent in enumerate(found))
    rows = np.broadcast_to(np.arange(outputs).reshape(kept), found).reshape(-1)
    entries = (np.full(len(rows), share), (rows, np.arange(len(rows))))
    return x.affine(csr_array(entries, shape=(outputs, len(rows))), 0.0, site.out_shapes[0])


def repeated_rows(site: Site, rows: Any) -> Any:
    """Rows over the sums as rows over the operand: the same for all that is summed.

    Shapes: rows (batch, spec, *out dims) -> (batch, spec, *operand dims).
    """
    found, summed = operand(site, 0), axes(site)
    kept = [1 if axis in summed else extent for axis, extent in enumerate(found)]
    return rows.reshape(*rows.shape[:2], *kept[1:]).expand(*rows.shape[:2], *found[1:])
