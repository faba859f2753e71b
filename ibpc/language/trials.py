"""Blocks that no plan runs are checked too: with sample arguments in the place of real ones.

Samples are of the declared types; what depends on their values (ranges, sizes) is not reported.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.errors import Span
from ibpc.language import recipes, sets, specs, verify
from ibpc.language import tensor_types as types
from ibpc.language.binding import Bound
from ibpc.language.evaluate import evaluate
from ibpc.language.mistakes import wrong
from ibpc.language.program import DeclaredNet, IndexType, TensorType
from ibpc.language.quantities import Quantity
from ibpc.language.scopes import Scope
from ibpc.language.values import (
    Arrow,
    Datum,
    DatumLabel,
    Definition,
    Finite,
    Many,
    Network,
    Scalar,
    Tensor,
    kind_of,
)
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.errors import Diagnostic
    from ibpc.language.modules import Declared, Module
    from ibpc.language.values import Checked, Value
    from ibpc.language.world import World

OF_VALUES = frozenset({"E0302", "E0303", "E0304", "E0305", "E0306", "E0308"})
"""Mistakes that the values of samples may cause."""

OF_SIZES = frozenset({"E0204", "E0205", "E0207", "E0208", "E0209", "E0211"})
"""Mistakes that the sizes of sample types may cause, where types are generic."""

OF_COUNTS = frozenset({"E0207"})
"""Mistakes that sample counts may cause: `window(i, j, h, w)` of no pixels."""

MASK = 10**5
"""The most entries of a tensor that a sample mask is written out for."""

POINT = TensorType((2,), ((Fraction(0), Fraction(1)),))
CLASSES = IndexType(12)


def check_alone(declaration: Declared, module: Module, world: World) -> None:
    """Check a block that nothing runs; its mistakes go into the world's collector."""
    if not isinstance(declaration, tree.SetDecl | tree.Spec | tree.Train | tree.Verify):
        return
    key = (module.path, declaration.name.text)
    if key in world.called or key in world.tried:
        return
    ignored, at = _of_samples(declaration), declaration.name.span
    sink = world.sink
    told: list[Diagnostic] = []
    with sink.ignoring(ignored), sink.gathering(at):
        definition = Definition(declaration, module)
        for datum in _data(definition, world):
            with sink.aside() as found, sink.gathering(at) as failures:
                _try(definition, world, datum)
            if not any(one.severity == "error" for one in found):
                told = found
                if not failures.any:
                    world.tried.add(key)
                break
            told = told or found
    sink.add(*told)


def _of_samples(
    declaration: tree.SetDecl | tree.Spec | tree.Train | tree.Verify,
) -> frozenset[str]:
    """What cannot be reported, because a sample may be to blame."""
    sizes = OF_SIZES if getattr(declaration, "generics", ()) else frozenset[str]()
    sampled = {
        one.type.name.text
        for one in declaration.parameters
        if isinstance(one.type, tree.NamedType) and one.default is None
    }
    counts = OF_COUNTS if "int" in sampled else frozenset[str]()
    return sizes | counts | (OF_VALUES if sampled else frozenset[str]())


def _outer(definition: Definition, world: World) -> Scope:
    """The scope of a block, its generic names standing for sample types."""
    declaration = definition.declaration
    generics = tuple(name.text for name in getattr(declaration, "generics", ()))
    scope = Scope(world, definition.module)
    return scope.with_types(_sample_types(generics, declaration))


def _data(definition: Definition, world: World) -> list[str]:
    """The parameters any of which may be the datum, so that other tensors are masks; "" for none.

    Of `set pixels(x0: Image, m: Image, eps: real)` nothing but its use tells which is which.
    """
    scope, found = _outer(definition, world), list[str]()
    for parameter in definition.declaration.parameters:
        checked = types.resolve(parameter.type, scope)
        if isinstance(checked, Tensor) and parameter.default is None:
            found.append(parameter.name.text)
    return found or [""]


def _try(definition: Definition, world: World, datum: str) -> None:
    declaration = definition.declaration
    scope = _outer(definition, world)
    outer, values = scope, dict[str, "Value"]()
    for parameter in declaration.parameters:
        checked = types.resolve(parameter.type, scope)
        value = _sample(parameter, checked, outer, datum)
        values[parameter.name.text] = value
        scope = scope.bind(parameter.name, value)
    if isinstance(declaration, tree.Spec):
        specs.elaborate(definition, scope, declaration.name)
    elif isinstance(declaration, tree.Train):
        recipes.elaborate(definition, scope, values, declaration.name)
    elif isinstance(declaration, tree.Verify):
        verify.elaborate(definition, Bound(scope, values, ()), declaration.name)
    else:
        _try_set(definition, scope)


def _try_set(definition: Definition, scope: Scope) -> None:
    """A set by itself: where it needs to know what it lies in, only a spec can tell."""
    declaration = definition.declaration
    assert isinstance(declaration, tree.SetDecl)
    by_corners = isinstance(declaration.value, tree.Call) and not any(
        isinstance(value, Datum) for value in scope.names.values()
    )
    if by_corners:
        return
    with scope.world.entering(definition, declaration.name.span):
        sets.set_of(declaration.value, None, scope)


def _sample_types(
    generics: tuple[str, ...],
    declaration: tree.SetDecl | tree.Spec | tree.Train | tree.Verify,
) -> dict[str, Checked]:
    """A type for each generic name: an index where it stands as an axis, else a tensor."""
    found: dict[str, Checked] = {}
    for name in generics:
        axis = any(_is_axis(name, parameter.type) for parameter in declaration.parameters)
        found[name] = Finite(CLASSES, name) if axis else Tensor(POINT, name)
    return found


def _is_axis(name: str, written: tree.Type) -> bool:
    if isinstance(written, tree.ArrowType):
        return _is_axis(name, written.source) or _is_axis(name, written.target)
    if isinstance(written, tree.NamedType):
        return any(isinstance(dim, tree.Name) and dim.text == name for dim in written.dims)
    return False


def _sample(parameter: tree.Parameter, checked: Checked, scope: Scope, datum: str) -> Value:
    name = parameter.name.text
    if parameter.default is not None:
        return evaluate(parameter.default, scope)
    if isinstance(checked, Arrow):
        return Network(name, checked, _sample_net(name, checked, parameter.span))
    if isinstance(checked, Tensor):
        if name == datum or checked.type.entries > MASK:
            return Datum(name, checked)
        return Many((Quantity(Fraction(1)),) * checked.type.entries)
    if isinstance(checked, Finite):
        return DatumLabel(name, checked.type)
    if isinstance(checked, Scalar):
        value = Fraction(0) if checked.whole else Fraction(1, 8)
        return Quantity(value * checked.factor, checked.dimension)
    raise wrong("E0201", "a parameter cannot be a pair", parameter.type.span, kind_of(checked))


def _sample_net(name: str, arrow: Arrow, at: Span) -> DeclaredNet:
    return DeclaredNet(name, arrow.source.type, arrow.target.type, (), (), 0, 0, at)
