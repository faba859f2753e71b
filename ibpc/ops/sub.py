"""Sub: the difference of two values, or of a value and a constant; and the `normalise` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import varies
from ibpc.ops.broadcasting import gathered, shape, spread, spread_constant, spread_form
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def forward(_: Site, left: Any, right: Any) -> Any:
    """Left - right."""
    return left - right


def interval(site: Site, left: Any, right: Any) -> Interval:
    """The box mu' = mu_l - mu_r, r' = r_l + r_r.

    Source: Gowal et al. 2019, Eq. 6 with W = (I, -I).
    """
    if varies(site, 0) and varies(site, 1):
        return spread(site, 0, left) - spread(site, 1, right)
    first, second = (
        (spread(site, 0, left), right) if varies(site, 0) else (-spread(site, 1, right), -left)
    )
    shifted: Interval = first - second
    return shifted


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows for the left operand, negated for the right one."""
    return (
        gathered(site, 0, rows) if varies(site, 0) else None,
        gathered(site, 1, -rows) if varies(site, 1) else None,
    )


def milp(site: Site, left: Any, right: Any) -> LinearForm:
    """The difference of the affine forms."""
    if varies(site, 0) and varies(site, 1):
        return spread_form(site, 0, left).minus(spread_form(site, 1, right))
    if varies(site, 0):
        return spread_form(site, 0, left).scaled(1.0, -spread_constant(site, right))
    return spread_form(site, 1, right).scaled(-1.0, spread_constant(site, left))


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`normalise mean=[...] std=[...]`: (x - mean) / std.

    One number for each channel of a (chan, ...) input or for each entry of a vector, or one for
    all.
    """
    if any(number <= 0 for number in arguments["std"]):
        raise LayerMistake("a standard deviation must be positive", argument="std")
    weights = {}
    for name in ("mean", "std"):
        given, extent = tuple(arguments[name]), in_shape[0]
        if len(given) not in (1, extent):
            raise LayerMistake(
                f"{len(given)} numbers for an input of shape {in_shape}",
                f"give {extent}, one for each entry of the first axis, or a single one",
                name,
            )
        ones = (1,) * (len(in_shape) - 1)
        weights[name] = Weight(name, (len(given), *ones), "values", given)
    return (Template("Sub", {}, (weights["mean"],)), Template("Div", {}, (weights["std"],)))


OPERATOR = Operator(
    op="Sub",
    versions=(7, 13, 14),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 5), (1, 5))),
        Example(((1, 2, 3), pattern(2, 1))),
        Example((pattern(1, 2, 3), (1, 2, 1))),
        Example(((1, 4), 0.75)),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, Sub-14",
    affine=True,
    layers=(
        Layer(
            "normalise",
            (
                Slot("mean", "reals", doc="what is subtracted, one number per channel"),
                Slot("std", "reals", doc="what is divided by, one number per channel"),
            ),
            build,
            "(x - mean) / std, channel by channel",
        ),
    ),
)
