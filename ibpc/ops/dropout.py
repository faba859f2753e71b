"""Dropout: in training some entries become 0 and the rest grow; the language's `dropout` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import known, operand
from ibpc.ops.record import Example, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any, *__: Any) -> Any:
    """The operand: nothing is dropped when a network is evaluated."""
    return x


def interval(_: Site, x: Interval, *__: Any) -> Interval:
    """The same box."""
    return x


def joint(site: Site, clean: Sequence[Any], boxes: Sequence[Any]) -> tuple[Any, Interval]:
    """Both passes of training lose the same entries; the others are divided by 1 - ratio.

    The mask comes from PyTorch's global generator. Source: Srivastava et al. 2014, "Dropout",
    JMLR 15, section 4 (inverted form, as ONNX and PyTorch have it).
    """
    import torch

    given = known(site, 1)
    ratio = float(given[0] if given else site.attribute("ratio", 0.5))
    if not ratio:
        return clean[0], boxes[0]
    mask = torch.nn.functional.dropout(torch.ones_like(clean[0]), ratio)
    return clean[0] * mask, boxes[0].affine(lambda v: v * mask, lambda v: v * mask, terms=1)


def milp(_: Site, x: LinearForm, *__: Any) -> LinearForm:
    """The same form."""
    return x


def transpose(site: Site, rows: Any, *_: Any) -> tuple[Any, ...]:
    """The same rows."""
    return (rows, *(None for _ in site.shapes[1:]))


def build(arguments: Mapping[str, Any], _: Shape, __: Shape) -> tuple[Template, ...]:
    """`dropout rate = 0.5`."""
    rate = arguments["rate"]
    if not 0 <= rate < 1:
        raise LayerMistake(f"a dropout rate of {rate} keeps nothing", "use less than 1", "rate")
    return (Template("Dropout", {}, (Weight("ratio", (), "values", (rate,)),)),)


OPERATOR = Operator(
    op="Dropout",
    versions=(7, 10, 12, 13, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    joint=joint,
    milp=milp,
    transpose=transpose,
    examples=(Example(((1, 2, 3),)), Example(((1, 5), 0.25))),
    source="ONNX operator specification, Dropout-13; Srivastava et al. 2014, section 4",
    affine=True,
    layers=(
        Layer(
            "dropout",
            (Slot("rate", "real", default=0.5, low=0, high=1, doc="share of entries dropped"),),
            build,
            "drops entries in training, the same ones in both passes",
        ),
    ),
)
