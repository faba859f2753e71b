"""BatchNormalization: each channel shifted and scaled by its statistics; the `batch_norm` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import operand, varies
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand (batch, chan, ...); the four statistics have one entry per channel."""
    found = operand(site, 0)
    if len(found) < 2:
        raise ShapeMistake(f"BatchNormalization needs channels on axis 1, found shape {found}")
    for position in range(1, 5):
        if operand(site, position) != (found[1],):
            raise ShapeMistake(
                f"BatchNormalization of {found[1]} channels with operand {position} of shape "
                f"{site.shapes[position]}"
            )
    return (found,)


def forward(site: Site, x: Any, scale: Any, bias: Any, mean: Any, var: Any) -> Any:
    """Scale (x - mean) / sqrt(var + epsilon) + bias, with the running statistics."""
    import torch

    epsilon = site.attribute("epsilon", 1e-5)
    return torch.nn.functional.batch_norm(x, mean, var, scale, bias, False, 0.0, epsilon)


def interval(site: Site, x: Interval, scale: Any, bias: Any, mean: Any, var: Any) -> Interval:
    """The box mu' = s (mu - mean) + bias, r' = |s| r with s = scale / sqrt(var + epsilon).

    Step by step, so that each step covers its own rounding, that of s included.
    Source: Gowal et al. 2019, Eq. 6 with W = diag(s).
    """
    _check(site)
    factor = scale / (var + site.attribute("epsilon", 1e-5)).sqrt()
    factor, shift, start = (_along(site, v) for v in (factor, bias, mean))
    scaled = (x - start).affine(lambda v: v * factor, lambda v: v * factor.abs(), terms=4)
    found: Interval = scaled + shift
    return found


def joint(site: Site, clean: Sequence[Any], boxes: Sequence[Any]) -> tuple[Any, Interval]:
    """Both passes of training, with the mean and the (biased) variance of the clean pass.

    The gradient flows through the statistics in both passes. The running statistics are updated
    in place as PyTorch does, momentum in ONNX's sense (the share that stays) and the unbiased
    variance. Source: Ioffe and Szegedy 2015, arXiv:1502.03167, Algorithm 1; the box differs in
    that its own statistics are never taken.
    """
    _check(site)
    x, scale, bias, running_mean, running_var = clean
    statistics = domains.batch_statistics(
        x, running_mean, running_var, float(site.attribute("momentum", 0.9))
    )
    mean, var = statistics[0], statistics[1]
    factor = scale / (var + site.attribute("epsilon", 1e-5)).sqrt()
    shift = _along(site, bias - mean * factor)
    factor = _along(site, factor)
    box = boxes[0].affine(lambda v: v * factor + shift, lambda v: v * factor.abs(), terms=6)
    return x * factor + shift, box


def milp(site: Site, x: LinearForm, scale: Any, bias: Any, mean: Any, var: Any) -> LinearForm:
    """The affine form, scaled and shifted channel by channel."""
    import numpy as np

    _check(site)
    factors = np.asarray(scale, np.float64)
    factors = factors / np.sqrt(np.asarray(var, np.float64) + site.attribute("epsilon", 1e-5))
    shift = np.asarray(bias, np.float64) - np.asarray(mean, np.float64) * factors
    each = len(x.bias) // len(factors)
    return x.scaled(np.repeat(factors, each), np.repeat(shift, each))


def transpose(
    site: Site, rows: Any, _: Any, scale: Any, bias: Any, mean: Any, var: Any
) -> tuple[Any, ...]:
    """Rows times scale / sqrt(var + epsilon)."""
    _check(site)
    factor = scale / (var + site.attribute("epsilon", 1e-5)).sqrt()
    return rows * _along(site, factor), None, None, None, None


def _check(site: Site) -> None:
    """Only constants shift and scale."""
    if any(varies(site, position) for position in range(1, 5)):
        raise Unsupported(
            "BatchNormalization with statistics that depend on the input is not supported; "
            "export the model in evaluation mode"
        )


def _along(site: Site, v: Any) -> Any:
    """One number per channel, ready to broadcast against (batch, chan, ...)."""
    return v.reshape(-1, *(1,) * (len(operand(site, 0)) - 2))


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`batch_norm`: starts as the identity."""
    if not in_shape:
        raise LayerMistake("batch_norm needs channels, its input is a single number")
    size = in_shape[:1]
    weights = (
        Weight("scale", size, "ones"),
        Weight("bias", size, "zeros"),
        Weight("mean", size, "zeros", trainable=False),
        Weight("var", size, "ones", trainable=False),
    )
    attributes = {name: float(arguments[name]) for name in ("epsilon", "momentum")}
    return (Template("BatchNormalization", attributes, weights),)


_STATISTICS = (pattern(3, offset=1.5), pattern(3), pattern(3), pattern(3, offset=2.0))

OPERATOR = Operator(
    op="BatchNormalization",
    versions=(7, 9, 14, 15),
    shape=shape,
    forward=forward,
    interval=interval,
    joint=joint,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 3, 2, 2), *_STATISTICS)),
        Example(((1, 3), *_STATISTICS), {"epsilon": 0.1, "momentum": 0.5}),
        Example(((1, 3, 4), [-1.0, 0.5, -2.0], *_STATISTICS[1:])),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, BatchNormalization-15",
    trainable=(1, 2),
    affine=True,
    layers=(
        Layer(
            "batch_norm",
            (
                Slot("epsilon", "real", default=1e-5, low=0, doc="added to the variance"),
                Slot("momentum", "real", default=0.9, low=0, high=1, doc="share that stays"),
            ),
            build,
            "batch normalisation; in training by the statistics of the clean examples",
        ),
    ),
)
