"""Expressions and types of the syntax tree: frozen records with spans.

Names are strings here; what they mean is found in `ibpc.language`. Numbers are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from ibpc.errors import Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier with its place."""

    text: str
    span: Span


# --- expressions -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A literal such as `0.1`, `2k` or `8 level`: exact value, unit or None, spelling."""

    value: Fraction
    unit: Name | None
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string (a path)."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is None for a positional one."""

    name: Name | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; in claims also the application of a network."""

    function: Expr
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`base[items]`."""

    base: Expr
    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """`base.name`."""

    base: Expr
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-operand` or `not operand`; `operator` is "-" or "not"."""

    operator: str
    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`, operator one of + - * / @ ^ and or =>."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chain `first op e1 op e2 ...` (e.g. `-tau <= a <= tau`)."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Binder:
    """`name in value` (kind "in"), `name != value` ("other") or `name = value` ("bind")."""

    kind: str
    name: Name
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`forall binders: body` or `exists binders: body`."""

    kind: str
    binders: tuple[Binder, ...]
    body: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Listing:
    """`[a, b, c]`."""

    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`[low .. high]`."""

    low: Expr
    high: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Tuple:
    """`(a, b)`; a single parenthesised expression is that expression itself."""

    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Image:
    """`{ body for binders }`: the set of values of `body`."""

    body: Expr
    binders: tuple[Binder, ...]
    span: Span


Expr = (
    Name
    | Number
    | Text
    | Call
    | Index
    | Member
    | Unary
    | Binary
    | Comparison
    | Quantifier
    | Listing
    | Range
    | Tuple
    | Image
)


# --- types -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamedType:
    """`real[1, 28, 28]`, `index[10]`, `real[Digit]`, `Image`, `ft`; `dims` may be empty."""

    name: Name
    dims: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class TupleType:
    """`(x: Image, y: Digit)`."""

    fields: tuple[tuple[Name, Type], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ArrowType:
    """`A -> B`, the type of a network."""

    source: Type
    target: Type
    span: Span


Type = NamedType | TupleType | ArrowType
