"""The syntax tree of a `.ibp` file: declarations and what stands in them; nothing is resolved yet.

Expressions, types and the contents of blocks stand in files of their own and are offered here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibpc.syntax.blocks import (
    Defaults,
    Hold,
    Kernel,
    Layer,
    LayerItem,
    Ramp,
    Residual,
    Schedule,
    Setting,
)
from ibpc.syntax.expressions import (
    Argument,
    ArrowType,
    Binary,
    Binder,
    Call,
    Comparison,
    Expr,
    Image,
    Index,
    Listing,
    Member,
    Name,
    NamedType,
    Number,
    Quantifier,
    Range,
    Text,
    Tuple,
    TupleType,
    Type,
    Unary,
)

if TYPE_CHECKING:
    from ibpc.errors import Span

__all__ = [
    "Argument",
    "ArrowType",
    "Axis",
    "Binary",
    "Binder",
    "Call",
    "Comparison",
    "Const",
    "Data",
    "Declaration",
    "Defaults",
    "Enum",
    "Expr",
    "File",
    "FromImport",
    "Hold",
    "Image",
    "Import",
    "Index",
    "Kernel",
    "Layer",
    "LayerItem",
    "Let",
    "Listing",
    "Member",
    "Name",
    "NamedType",
    "Net",
    "NetReference",
    "Number",
    "Param",
    "Parameter",
    "Quantifier",
    "Ramp",
    "Range",
    "Record",
    "RecordField",
    "Report",
    "Residual",
    "Run",
    "Schedule",
    "SetDecl",
    "Setting",
    "Spec",
    "Sweep",
    "Text",
    "Train",
    "Tuple",
    "TupleType",
    "Type",
    "TypeDecl",
    "Unary",
    "Unit",
    "Verify",
]


# --- declarations ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    """`import "file" as alias`."""

    path: Text
    alias: Name
    span: Span


@dataclass(frozen=True, slots=True)
class FromImport:
    """`from "file" import a, b`."""

    path: Text
    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    """`param name: type = default in range`."""

    name: Name
    type: Type
    default: Expr | None
    range: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Const:
    """`const name: type = value`."""

    name: Name
    type: Type | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Unit:
    """`unit name = factor`; a base unit has none."""

    name: Name
    factor: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class TypeDecl:
    """`type Name = type in [lo .. hi]`."""

    name: Name
    type: Type
    domain: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Enum:
    """`enum Name { a, b, c }`."""

    name: Name
    members: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RecordField:
    """`name: type in [lo .. hi]`."""

    name: Name
    type: Type
    domain: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Record:
    """`record Name { fields }`."""

    name: Name
    fields: tuple[RecordField, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Data:
    """`data name: (x: X, y: Y) { settings }`."""

    name: Name
    type: Type
    settings: tuple[Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Net:
    """`net name: A -> B { layers }`."""

    name: Name
    type: Type
    layers: tuple[LayerItem, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class NetReference:
    """`net name: A -> B = onnx("file") { input = ..., output = ... }`."""

    name: Name
    type: Type
    source: Expr
    settings: tuple[Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a set, spec, train or verify: `name: type = default`."""

    name: Name
    type: Type
    default: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class SetDecl:
    """`set name[generics](parameters) = expr`."""

    name: Name
    generics: tuple[Name, ...]
    parameters: tuple[Parameter, ...]
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = value` in a spec."""

    name: Name
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Spec:
    """`spec name[generics](parameters) { lets and claims }`; several claims are a conjunction."""

    name: Name
    generics: tuple[Name, ...]
    parameters: tuple[Parameter, ...]
    statements: tuple[Let | Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Train:
    """`train name(parameters) { settings }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    settings: tuple[Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Report:
    """`report name = by stage then stage ... else word`."""

    name: Name
    stages: tuple[Expr, ...]
    otherwise: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Verify:
    """`verify name(parameters) { settings and reports }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    settings: tuple[Setting, ...]
    reports: tuple[Report, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Run:
    """`run name { call per line }`."""

    name: Name
    calls: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Axis:
    """`name in values` or `name in [lo .. hi] by step` of a sweep."""

    name: Name
    values: Expr
    step: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Sweep:
    """`sweep name { axes  run call, call }`."""

    name: Name
    axes: tuple[Axis, ...]
    calls: tuple[Expr, ...]
    span: Span


Declaration = (
    Import
    | FromImport
    | Param
    | Const
    | Unit
    | TypeDecl
    | Enum
    | Record
    | Data
    | Net
    | NetReference
    | SetDecl
    | Spec
    | Train
    | Verify
    | Run
    | Sweep
)


@dataclass(frozen=True, slots=True)
class File:
    """One parsed file: its path, edition, declarations in order, and doc strings by name."""

    path: str
    edition: int
    declarations: tuple[Declaration, ...]
    docs: dict[str, str]
