"""Sigmoid: 1 / (1 + exp(-x)), and the language's `sigmoid` layer."""

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
    """1 / (1 + exp(-x))."""
    import torch

    return torch.sigmoid(x)


def interval(_: Site, x: Interval) -> Interval:
    """Its values at the bounds, within [0, 1].

    Error: libraries vouch for few ulps (their vector forms for 1 to 4); 16 units of roundoff,
    8 ulps, leave room, and a test compares with mpmath.
    Source: Gowal et al. 2019, Eq. 7.
    """
    import torch

    return x.monotone(torch.sigmoid, error=16, limits=(0.0, 1.0))


def relax(_: Site, x: Interval, knobs: Any = None) -> Lines:
    """Tangents and chords, see `ibpc.domains.bent_lines`.

    f' = f (1 - f), so f' = s where f = (1 + sqrt(1 - 4 s)) / 2, at x = log(f^2 / s).
    """
    import torch

    def slope(v: Any) -> Any:
        return torch.sigmoid(v) * torch.sigmoid(-v)

    def where(s: Any) -> Any:
        value = (1 + (1 - 4 * s).clamp(min=0).sqrt()) / 2
        return (2 * value.log() - s.log()).clamp(min=0)

    return domains.bent_lines(x, domains.Bend(torch.sigmoid, slope, where), knobs)


def build(_: Mapping[str, Any], __: Shape, ___: Shape) -> tuple[Template, ...]:
    """`sigmoid`."""
    return (Template("Sigmoid"),)


OPERATOR = Operator(
    op="Sigmoid",
    versions=(1, 6, 13),
    shape=shape,
    forward=forward,
    interval=interval,
    relax=relax,
    milp=Missing(
        "Sigmoid is curved and a mixed-integer linear program is not; verify this network with ibp "
        "or crown, or train it with relu"
    ),
    examples=(Example(((1, 6),)), Example(((1, 2, 3, 3),), low=-9.0, high=9.0)),
    source="Gowal et al. 2019, Eq. 7",
    layers=(Layer("sigmoid", (), build, "1 / (1 + exp(-x))", activation=True),),
)
