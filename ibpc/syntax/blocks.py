"""What stands in the blocks of declarations: settings, schedules and layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.syntax.expressions import Argument, Expr, Name, Number


@dataclass(frozen=True, slots=True)
class Hold:
    """`value until step`; `until` is None in the last segment."""

    value: Expr
    until: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Ramp:
    """`shape to value at step`, shape one of linear, cosine, smooth."""

    shape: Name
    value: Expr
    at: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Schedule:
    """`seg, seg, ...`."""

    segments: tuple[Hold | Ramp, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Setting:
    """`name = value`, or `name(t) = schedule`."""

    name: Name
    value: Expr | Schedule
    span: Span


@dataclass(frozen=True, slots=True)
class Kernel:
    """`4x4+2`: height, width, stride (1 where absent)."""

    height: int
    width: int
    stride: int
    span: Span


@dataclass(frozen=True, slots=True)
class Layer:
    """`[label:] keyword [count] [kernel] name=value ...` (commas between are optional)."""

    label: Name | None
    keyword: Name
    count: Number | None
    kernel: Kernel | None
    named: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Defaults:
    """`default name = value, ...` for the layers below it in the same block."""

    named: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Residual:
    """`residual { body } else { shortcut }`; an absent shortcut is the identity."""

    body: tuple[LayerItem, ...]
    shortcut: tuple[LayerItem, ...] | None
    span: Span


LayerItem = Layer | Defaults | Residual
