"""GlobalAveragePool: the mean of every channel, and the `global_avg_pool` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Template
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator, ShapeMistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, chan, *spatial) -> (batch, chan, 1, ..., 1)."""
    found = operand(site, 0)
    if len(found) < 3:
        raise ShapeMistake(f"GlobalAveragePool needs spatial axes, found shape {found}")
    return ((*found[:2], *(1,) * (len(found) - 2)),)


def forward(site: Site, x: Any) -> Any:
    """The mean over all spatial axes."""
    return x.mean(tuple(range(2, len(operand(site, 0)))), keepdim=True)


def interval(site: Site, x: Interval) -> Interval:
    """The box mu' = mean of mu, r' = mean of r.  Source: Gowal et al. 2019, Eq. 6."""
    terms = prod(operand(site, 0)[2:])
    return x.affine(lambda v: forward(site, v), lambda v: forward(site, v), terms)


def milp(site: Site, x: LinearForm) -> LinearForm:
    """The affine form, averaged."""
    import numpy as np
    from scipy.sparse import csr_array, eye_array, kron

    cells = prod(operand(site, 0)[2:])
    row = csr_array(np.full((1, cells), 1 / cells))
    return x.affine(kron(eye_array(x.shape[1]), row, format="csr"), 0.0, site.out_shapes[0])


def build(_: Mapping[str, Any], in_shape: Shape, __: Shape) -> tuple[Template, ...]:
    """`global_avg_pool`."""
    if len(in_shape) < 2:
        raise LayerMistake(
            f"global_avg_pool needs an input (channels, ...), this one has shape {in_shape}",
            "put it above the first `fc` or `flatten`",
        )
    return (Template("GlobalAveragePool"),)


OPERATOR = Operator(
    op="GlobalAveragePool",
    versions=(1, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(Example(((1, 3, 2, 4),)), Example(((1, 2, 5),))),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, GlobalAveragePool-1",
    affine=True,
    layers=(Layer("global_avg_pool", (), build, "the mean of every channel"),),
)
