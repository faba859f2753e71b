"""Types: from what is written to shape, domain, labels and units; and when two of them agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from ibpc.language.evaluate import as_interval, as_whole, evaluate
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import IndexType, TensorType
from ibpc.language.quantities import NO_UNIT, Unit
from ibpc.language.spelling import domain_text, type_text
from ibpc.language.values import (
    Arrow,
    Finite,
    Interval,
    Pair,
    Scalar,
    Tensor,
    TypeValue,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.scopes import Scope
    from ibpc.language.values import Checked

ENTRIES = 10**9
"""The most entries that one tensor may have."""

SCALARS = {"real": Scalar("real"), "int": Scalar("int", whole=True)}


def resolve(written: tree.Type, scope: Scope) -> Checked:
    """The type that is written.

    Raises: NameMistake E0105, E0111; TypeMistake E0201, E0208.
    """
    if isinstance(written, tree.ArrowType):
        source = tensor(written.source, scope)
        return Arrow(source, tensor(written.target, scope))
    if isinstance(written, tree.TupleType):
        fields = tuple((name.text, resolve(part, scope)) for name, part in written.fields)
        return Pair(fields)
    if written.name.text == "index":
        return _index(written, scope)
    if written.name.text in SCALARS:
        return _real(written, scope) if written.dims else SCALARS[written.name.text]
    return _named(written, scope)


def tensor(written: tree.Type, scope: Scope) -> Tensor:
    """A tensor type; raises TypeMistake E0201 where something else is written."""
    checked = resolve(written, scope)
    if not isinstance(checked, Tensor):
        problem = f"a tensor type was expected, found `{type_text(checked)}`"
        fix = "networks go from tensors to tensors: `real[1, 28, 28] -> real[10]`"
        raise wrong("E0201", problem, written.span, "not a tensor", fix)
    return checked


def _index(written: tree.NamedType, scope: Scope) -> Finite:
    if len(written.dims) != 1:
        fix = "write `index[10]`"
        raise wrong("E0201", "`index` takes one size", written.span, "how many?", fix)
    size = as_whole(evaluate(written.dims[0], scope), written.dims[0].span, low=1, high=10**6)
    return Finite(IndexType(size))


def _real(written: tree.NamedType, scope: Scope) -> Tensor:
    if written.name.text != "real":
        fix = "tensors are `real[...]`"
        raise wrong("E0201", f"`{written.name.text}` has no shape", written.span, fix=fix)
    shape: list[int] = []
    labels: tuple[str, ...] | None = None
    for dim in written.dims:
        value = evaluate(dim, scope)
        if isinstance(value, TypeValue):
            axis = scope.index_type(value, dim.span)
            if len(written.dims) > 1:
                fix = "a labelled tensor has one axis: `real[Digit]`"
                raise wrong(
                    "E0201", "a label axis stands alone", dim.span, "one of several axes", fix
                )
            shape.append(axis.size)
            labels = axis.labels
        else:
            shape.append(as_whole(value, dim.span, low=1, high=ENTRIES))
    if prod(shape) > ENTRIES:
        raise wrong("E0208", "this tensor is too large", written.span, f"{prod(shape)} entries")
    return Tensor(TensorType(tuple(shape), None, labels))


def _named(written: tree.NamedType, scope: Scope) -> Checked:
    name = written.name
    found = scope.find(name.text)
    if found is None:
        unit = scope.world.unit(scope.module, name)
        if unit is not None and not written.dims:
            return Scalar(name.text, False, unit.dimension, unit.factor)
        known = {*SCALARS, "index", *scope.types, *scope.module.names()}
        fix = suggestion(name.text, known, many=0)
        raise wrong("E0105", f"unknown type `{name.text}`", name.span, "not a type", fix)
    if not isinstance(found, TypeValue):
        label = f"this is {kind_of(found)}"
        raise wrong("E0111", f"`{name.text}` is not a type", name.span, label)
    if written.dims:
        fix = f"write `{name.text}` alone, or `real[...]`"
        raise wrong("E0201", f"`{name.text}` takes no dimensions", written.span, fix=fix)
    return found.type


# --- declarations ----------------------------------------------------------------------------


def declare_type(declaration: tree.TypeDecl, scope: Scope) -> TypeValue:
    """`type Image = real[1, 28, 28] in [0 .. 1]`."""
    name = declaration.name.text
    checked = resolve(declaration.type, scope)
    if isinstance(checked, Tensor | Finite):
        checked = replace(checked, name=name)
    if declaration.domain is None:
        return TypeValue(checked)
    if isinstance(checked, Scalar):
        domain = domain_of(declaration.domain, scope, _unit_of(checked))
        return TypeValue(replace(checked, name=name, domain=domain))
    if not isinstance(checked, Tensor) or checked.fields:
        label = "only real types have one"
        raise wrong("E0201", f"`{name}` cannot have a domain", declaration.domain.span, label)
    domain = domain_of(declaration.domain, scope, NO_UNIT)
    return TypeValue(replace(checked, type=replace(checked.type, domain=(domain,))))


def declare_enum(declaration: tree.Enum) -> TypeValue:
    """`enum Sign { neg, pos }`; raises NameMistake E0103 for a label that stands twice."""
    labels = tuple(member.text for member in declaration.members)
    for position, member in enumerate(declaration.members):
        if member.text in labels[:position]:
            label = "already a label of this enum"
            raise wrong("E0103", f"label `{member.text}` stands twice", member.span, label)
    return TypeValue(Finite(IndexType(len(labels), labels), declaration.name.text))


def declare_record(declaration: tree.Record, scope: Scope) -> TypeValue:
    """A record, flattened to `real[n]` in order of declaration, with a domain for each entry.

    An entry is in the unit of its field, so `theta: deg` means that the network reads degrees.
    """
    names: list[str] = []
    units: list[Unit] = []
    domains: list[tuple[Fraction, Fraction] | None] = []
    for field in declaration.fields:
        if field.name.text in names:
            problem = f"field `{field.name.text}` stands twice"
            raise wrong("E0103", problem, field.name.span, "already a field of this record")
        names.append(field.name.text)
        checked = resolve(field.type, scope)
        if not isinstance(checked, Scalar):
            fix = "a field is `real`, or a unit"
            raise wrong("E0201", "a field is a single number", field.type.span, fix=fix)
        unit = _unit_of(checked)
        units.append(unit)
        written = field.domain
        domain = checked.domain if written is None else domain_of(written, scope, unit)
        domains.append(domain)
    known = tuple(domain for domain in domains if domain is not None)
    if known and len(known) != len(domains):
        missing = declaration.fields[domains.index(None)]
        fix = f"give `{missing.name.text}` one: `in [low .. high]`"
        label = "has none"
        problem = "either all fields of a record have a range, or none"
        raise wrong("E0201", problem, missing.span, label, fix)
    type_ = TensorType((len(names),), known or None, tuple(names))
    return TypeValue(Tensor(type_, declaration.name.text, tuple(units), tuple(names)))


def domain_of(written: tree.Expr, scope: Scope, unit: Unit) -> tuple[Fraction, Fraction]:
    """`in [lo .. hi]`, in the given unit; plain numbers are taken to be in it already."""
    interval = as_interval(evaluate(written, scope), written.span)
    return in_unit(interval, unit, written.span, adopt=True)


def in_unit(
    interval: Interval, unit: Unit, at: Span, adopt: bool = False
) -> tuple[Fraction, Fraction]:
    """The ends of an interval counted in `unit`.

    Raises: UnitMistake E0310.
    """
    ends = []
    for end in (interval.low, interval.high):
        if end.dimension == unit.dimension and (end.dimension or not adopt):
            ends.append(end.value / unit.factor)
        elif adopt and not end.dimension:
            ends.append(end.value)
        else:
            wrong_unit(unit, end.dimension, at)
    return ends[0], ends[1]


def wrong_unit(unit: Unit, found: tuple[tuple[str, int], ...], at: Span) -> None:
    """Raise UnitMistake E0310."""
    from ibpc.language.quantities import named, spelled

    wanted = f"`{unit.name}`" if unit.dimension else "a plain number"
    what = f"`{spelled(found)}`" if found else "a plain number"
    label = f"this is {named(found)}"
    fix = f"write the unit behind the number: `1 {unit.name}`" if unit.dimension else ""
    raise wrong("E0310", f"expected {wanted}, found {what}", at, label, fix)


def _unit_of(scalar: Scalar) -> Unit:
    return Unit(scalar.name, scalar.factor, scalar.dimension)


# --- agreement -------------------------------------------------------------------------------


def agree(wanted: Checked, found: Checked) -> bool:
    """Whether a value of type `found` may stand where `wanted` is asked for; names do not count."""
    if isinstance(wanted, Tensor) and isinstance(found, Tensor):
        same = [unit.dimension for unit in wanted.units] == [u.dimension for u in found.units]
        return wanted.type == found.type and same
    if isinstance(wanted, Finite) and isinstance(found, Finite):
        return wanted.type == found.type
    if isinstance(wanted, Arrow) and isinstance(found, Arrow):
        return agree(wanted.source, found.source) and agree(wanted.target, found.target)
    if isinstance(wanted, Scalar) and isinstance(found, Scalar):
        return wanted.dimension == found.dimension
    return False


def require_agreement(wanted: Checked, found: Checked, at: Span, what: str) -> None:
    """Raise TypeMistake E0205 where two types differ, saying in what."""
    if agree(wanted, found):
        return
    problem = f"{what} must be `{type_text(wanted)}`, found `{type_text(found)}`"
    raise wrong("E0205", problem, at, _difference(wanted, found))


def _difference(wanted: Checked, found: Checked) -> str:
    if isinstance(wanted, Arrow) and isinstance(found, Arrow):
        if not agree(wanted.source, found.source):
            return "inputs: " + _difference(wanted.source, found.source)
        return "outputs: " + _difference(wanted.target, found.target)
    if isinstance(wanted, Tensor) and isinstance(found, Tensor):
        if wanted.type.shape != found.type.shape:
            return f"shape {list(found.type.shape)} is not {list(wanted.type.shape)}"
        if wanted.type.labels != found.type.labels:
            return "their axes have different labels"
        if wanted.type.domain != found.type.domain:
            ours, theirs = domain_text(found.type), domain_text(wanted.type)
            return f"domain `{ours.strip() or 'none'}` is not `{theirs.strip() or 'none'}`"
        return "their units differ"
    return "another type"


def unify(
    pattern: tree.Type, found: Checked, generics: dict[str, Checked | None], scope: Scope, at: Span
) -> Checked:
    """Match an argument's type with a parameter's, and fill in the generic names.

    `generics` maps each generic name to its type, or None while it is unknown; it is updated.
    Gives the parameter's type. Raises TypeMistake E0205.
    """
    if isinstance(pattern, tree.ArrowType) and isinstance(found, Arrow):
        source = unify(pattern.source, found.source, generics, scope, at)
        target = unify(pattern.target, found.target, generics, scope, at)
        assert isinstance(source, Tensor)
        assert isinstance(target, Tensor)
        return Arrow(source, target)
    if isinstance(pattern, tree.NamedType):
        _fill(pattern, found, generics)
    known = {name: one for name, one in generics.items() if one is not None}
    wanted = resolve(pattern, scope.with_types(known))
    require_agreement(wanted, found, at, "this")
    return wanted


def _fill(pattern: tree.NamedType, found: Checked, generics: dict[str, Checked | None]) -> None:
    name = pattern.name.text
    if name in generics and generics[name] is None and not pattern.dims:
        generics[name] = found
        return
    if name != "real" or len(pattern.dims) != 1 or not isinstance(found, Tensor):
        return
    axis = pattern.dims[0]
    if not isinstance(axis, tree.Name) or len(found.type.shape) != 1:
        return
    if axis.text in generics and generics[axis.text] is None:
        generics[axis.text] = Finite(IndexType(found.type.shape[0], found.type.labels))
