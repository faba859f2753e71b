"""Gemm: Y = alpha A' B' + beta C, and the language's `fc` and `out` layers.

Here A is variable (batch, n), B and C are constants: a fully connected layer W x + b.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import operand, varies
from ibpc.ops.broadcasting import joined
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, n) x (n, m) -> (batch, m), after the transpositions that the attributes ask for."""
    left, right = operand(site, 0), operand(site, 1)
    if len(left) != 2 or len(right) != 2:
        raise ShapeMistake(f"Gemm needs two matrices, found {left} and {right}")
    rows, inner = left[::-1] if site.attribute("transA", 0) else left
    wanted, columns = right[::-1] if site.attribute("transB", 0) else right
    if inner != wanted:
        raise ShapeMistake(f"Gemm multiplies {inner} entries with a matrix for {wanted}")
    bias = site.shapes[2] if len(site.shapes) > 2 else None
    if bias is not None and joined((rows, columns), bias, "Gemm") != (rows, columns):
        raise ShapeMistake(f"Gemm adds a bias of shape {bias} to {columns} entries")
    return ((rows, columns),)


def forward(site: Site, a: Any, b: Any, c: Any = None) -> Any:
    """W a + b as one `linear` (alpha and beta are folded into the constants)."""
    import torch

    weight, bias = _weight(site, b), _bias(site, c)
    return torch.nn.functional.linear(a, weight, bias)


def interval(site: Site, a: Interval, b: Any, c: Any = None) -> Interval:
    """The box mu' = W mu + b, r' = |W| r.  Source: Gowal et al. 2019, Eq. 6."""
    import torch

    weight, bias = _weight(site, b), _bias(site, c)
    return a.affine(
        lambda v: torch.nn.functional.linear(v, weight, bias),
        lambda v: torch.nn.functional.linear(v, weight.abs()),
        terms=operand(site, 0)[1] + 1,
    )


def milp(site: Site, a: LinearForm, b: Any, c: Any = None) -> LinearForm:
    """The affine form W u + b."""
    import numpy as np
    from scipy.sparse import csr_array

    weight = np.asarray(_weight(site, np.asarray(b, dtype=np.float64)))
    shift = 0.0 if c is None else np.asarray(c, np.float64) * site.attribute("beta", 1.0)
    shift = np.broadcast_to(shift, (1, weight.shape[0])).reshape(-1)
    return a.affine(csr_array(weight), shift, (1, weight.shape[0]))


def transpose(site: Site, rows: Any, _: Any, b: Any, *__: Any) -> tuple[Any, ...]:
    """Rows times W."""
    # Sparse matrices are multiplied with matrices only.
    found = rows.flatten(0, 1) @ _weight(site, b)
    return (found.unflatten(0, rows.shape[:2]), *(None for _ in site.shapes[1:]))


def _weight(site: Site, b: Any) -> Any:
    """W of shape (m, n), alpha included."""
    if varies(site, 1) or varies(site, 2):
        raise Unsupported(
            "Gemm is affine in its first operand only; ibpc needs constant second and third ones"
        )
    if site.attribute("transA", 0):
        raise Unsupported("Gemm with transA mixes the examples of a batch; transpose the weights")
    weight = b if site.attribute("transB", 0) else b.T
    alpha = site.attribute("alpha", 1.0)
    return weight if alpha == 1.0 else weight * alpha


def _bias(site: Site, c: Any) -> Any:
    """The bias, beta included, one number per output."""
    if c is None:
        return None
    columns = site.out_shapes[0][1]
    if site.shapes[2] != (columns,):
        c = c.reshape(-1).expand(columns)
    beta = site.attribute("beta", 1.0)
    return c if beta == 1.0 else c * beta


def build_fc(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`fc n`: flattens where its input is not flat."""
    return _dense(in_shape, arguments["count"], bias=arguments["bias"])


def build_out(arguments: Mapping[str, Any], in_shape: Shape, out: Shape) -> tuple[Template, ...]:
    """`out`: a fully connected layer to the network's declared output."""
    if len(out) != 1:
        raise LayerMistake(f"`out` gives a vector, the network's output has shape {out}")
    return _dense(in_shape, out[0], bias=arguments["bias"])


def _dense(in_shape: Shape, count: int, bias: bool) -> tuple[Template, ...]:
    inputs = prod(in_shape)
    weights = [Weight("weight", (count, inputs), "weight")]
    if bias:
        weights.append(Weight("bias", (count,), "zeros"))
    flatten = () if len(in_shape) == 1 else (Template("Flatten", {"axis": 1}),)
    return (*flatten, Template("Gemm", {"transB": 1}, tuple(weights)))


_BIAS = Slot("bias", "bool", default=True, doc="whether the layer adds a bias")

OPERATOR = Operator(
    op="Gemm",
    versions=(7, 9, 11, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 5), [[0.3, -1.2, 0.7, 0.1, -0.4]] * 3, [0.1, -0.2, 0.3]), {"transB": 1}),
        Example(((1, 2), [[0.3, -1.2, 0.7], [1.0, 2.0, -3.0]]), {"alpha": 0.5}),
        Example(((1, 3), pattern(3, 2), [[0.5]]), {"beta": -2.0}),
        Example(((1, 3), pattern(2, 3), [[0.5, 0.25]]), {"transB": 1, "alpha": -1.5}),
    ),
    source="Gowal et al. 2019, Eq. 6",
    sparse=(1,),
    trainable=(1, 2),
    affine=True,
    layers=(
        Layer(
            "fc",
            (Slot("count", "int", low=1, doc="outputs"), _BIAS),
            build_fc,
            "fully connected layer (FC n in Table 1)",
            takes_count="count",
            activates=True,
        ),
        Layer("out", (_BIAS,), build_out, "the last fully connected layer, to the logits"),
    ),
)
