"""Tanh: (exp(x) - exp(-x)) / (exp(x) + exp(-x)), and the language's `tanh` layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.language import Layer, Template
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Missing, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, Lines
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """That of the operand."""
    return (operand(site, 0),)


def forward(_: Site, x: Any) -> Any:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    import torch

    return torch.tanh(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds, within [-1, 1].

    Error: libraries vouch for few ulps (their vector forms for 1 to 4); 16 units of roundoff,
    8 ulps, leave room, and a test compares with mpmath.
    Source: Gowal et al. 2019, Eq. 7.
    """
    import torch

    return x.monotone(torch.tanh, error=16, limits=(-1.0, 1.0))


def relax(_: Site, x: Interval, knobs: Any = None) -> Lines:
    """Tangents and chords, see `ibpc.domains.bent_lines`.

    f' = 1 - f^2, so f' = s where f = sqrt(1 - s), at x = log((1 + f)^2 / s) / 2.
    """
    import torch

    def slope(v: Any) -> Any:
        return 1 - torch.tanh(v).square()

    def where(s: Any) -> Any:
        value = (1 - s).clamp(min=0).sqrt()
        return (torch.log1p(value) - s.log() / 2).clamp(min=0)

    return domains.bent_lines(x, domains.Bend(torch.tanh, slope, where), knobs)


def build(_: Mapping[str, Any], __: Shape, ___: Shape) -> tuple[Template, ...]:
    """`tanh`."""
    return (Template("Tanh"),)


OPERATOR = Operator(
    op="Tanh",
    versions=(1, 6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=Missing(
        "Tanh is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown, or train it with relu"
    ),
    examples=(Example(((1, 6),)), Example(((1, 2, 3, 3),), low=-9.0, high=9.0)),
    source="Gowal et al. 2019, Eq. 7",
    layers=(Layer("tanh", (), build, "(exp(x) - exp(-x)) / (exp(x) + exp(-x))", activation=True),),
)
