"""All files of a program and the value of every declaration in them, each worked out once.

A world is a program under fixed params. A sweep over a param asks for the world in which that
param has another value: same files, values worked out anew.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ibpc.errors import IbpcError, Related
from ibpc.language import blocks, places, set_images
from ibpc.language.mistakes import Poisoned, suggestion, too_deep, wrong
from ibpc.language.program import IndexType
from ibpc.language.quantities import BUILTIN_UNITS, Unit
from ibpc.language.scopes import Scope
from ibpc.language.values import Definition, Finite, ModuleValue, TensorVariable, TypeValue
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.errors import Span
    from ibpc.language.mistakes import Collector
    from ibpc.language.modules import Declared, Module
    from ibpc.language.values import Outputs, Value
    from ibpc.language.vocabulary import Vocabulary

ParamKey = tuple[str, str]
"""A param: the path of its file and its name."""


@dataclass(eq=False)
class World:
    """A program under fixed params.

    `overrides` maps params to values given from outside: by the command line or a sweep.
    `called` gathers the blocks that some plan runs; the others are checked on their own, and are
    then `tried`. Where not `thorough`, sweeps are worked out in part: see `plans.sweep_target`.
    """

    vocabulary: Vocabulary
    modules: tuple[Module, ...]
    sink: Collector
    overrides: dict[ParamKey, Value] = field(default_factory=dict)
    called: set[ParamKey] = field(default_factory=set)
    tried: set[ParamKey] = field(default_factory=set)
    thorough: bool = True
    sweeping: bool = False
    cache: dict[Any, Any] = field(default_factory=dict)
    _values: dict[ParamKey, Value | None] = field(default_factory=dict)
    _units: dict[ParamKey, Unit | None] = field(default_factory=dict)
    _open: set[ParamKey] = field(default_factory=set)
    _worlds: dict[Any, World] = field(default_factory=dict)

    def under(self, overrides: dict[ParamKey, Value]) -> World:
        """The same program with these params set as well."""
        if not overrides:
            return self
        key = tuple(sorted((name, repr(value)) for name, value in overrides.items()))
        if key not in self._worlds:
            merged = {**self.overrides, **overrides}
            self._worlds[key] = World(
                self.vocabulary,
                self.modules,
                self.sink,
                merged,
                self.called,
                thorough=self.thorough,
            )
        return self._worlds[key]

    def of(self, modules: tuple[Module, ...], sink: Collector) -> World:
        """The world of other files, some of which are the same: those are not worked out again.

        Only a world without mistakes passes on what it knows: what is poisoned tells why but once.
        """
        assert not self.sink.errors, "what went wrong here would be passed over there"
        found = World(self.vocabulary, modules, sink, tried=self.tried, thorough=self.thorough)
        found.cache, found._values, found._units = self.cache, self._values, self._units
        return found

    # --- values ------------------------------------------------------------------------------

    def find(self, module: Module, name: str) -> Value | None:
        """What a name means at the top of a file, or None."""
        if name in module.declared:
            return self._value(module, name)
        if name in module.borrowed:
            origin, written = module.borrowed[name]
            return self._borrowed(origin, written)
        if name in module.aliases:
            aliased = module.aliases[name]
            if aliased is None:
                raise Poisoned
            return ModuleValue(aliased)
        return None

    def value_of(self, module: Module, name: str) -> Value | None:
        """What a name means, or None: also where working it out went wrong."""
        try:
            return self.find(module, name)
        except (IbpcError, Poisoned):
            return None

    def member(self, module: Module, name: tree.Name) -> Value:
        """`alias.name`; raises NameMistake E0108."""
        found = self.find(module, name.text) if name.text in module.names() else None
        if found is None:
            raise self._absent(module, name)
        return found

    def origin(self, module: Module, name: str) -> tuple[Module, str] | None:
        """The file that declares what `name` means in `module`, through chains of imports."""
        for _ in range(len(self.modules) + 1):
            if name in module.declared:
                return module, name
            if name not in module.borrowed:
                return None
            origin, written = module.borrowed[name]
            if origin is None:
                return None
            module, name = origin, written.text
        return None

    def _borrowed(self, origin: Module | None, written: tree.Name) -> Value | None:
        if origin is None:
            raise Poisoned
        if written.text not in origin.names():
            key = (origin.path, f"{written.text} {written.span}")
            if key not in self._values:
                self._values[key] = None
                self.sink.add(*self._absent(origin, written).diagnostics)
            raise Poisoned
        if isinstance(origin.declared.get(written.text), tree.Unit):
            return None
        return self.find(origin, written.text)

    def _absent(self, module: Module, name: tree.Name) -> IbpcError:
        fix = suggestion(name.text, module.names())
        problem = f"`{module.path}` declares no `{name.text}`"
        return wrong("E0108", problem, name.span, "not declared there", fix)

    def _value(self, module: Module, name: str) -> Value | None:
        """The value of a declaration, or None for a unit (which is no value but in arithmetic)."""
        key = (module.path, name)
        declaration = module.declared[name]
        if isinstance(declaration, tree.Unit):
            return None
        if key in self._open:
            fix = "break the circle"
            at = declaration.name.span
            raise wrong(
                "E0112", f"`{name}` refers to itself", at, "directly, or by way of others", fix
            )
        if key in self._values:
            value = self._values[key]
            if value is None:
                raise Poisoned
            return value
        self._open.add(key)
        self._values[key] = value = None
        try:
            value = blocks.build(declaration, Scope(self, module))
        except IbpcError as mistake:
            self.sink.add(*mistake.diagnostics)
            raise Poisoned from None
        except RecursionError:
            self.sink.add(too_deep(declaration.name.span))
            raise Poisoned from None
        finally:
            self._open.discard(key)
            self._values[key] = value
        return value

    # --- units -------------------------------------------------------------------------------

    def unit(self, module: Module, name: tree.Name) -> Unit | None:
        """The unit of this name; raises NameMistake E0112 where it is defined by itself."""
        origin = self.origin(module, name.text)
        if origin is None:
            return BUILTIN_UNITS.get(name.text)
        declaration = origin[0].declared[origin[1]]
        if not isinstance(declaration, tree.Unit):
            return None
        key = (origin[0].path, declaration.name.text)
        if key in self._open:
            at = declaration.name.span
            raise wrong("E0112", f"unit `{name.text}` refers to itself", at, fix="break the circle")
        if key in self._units:
            unit = self._units[key]
            if unit is None:
                raise Poisoned
            return unit
        return self._new_unit(key, declaration, origin[0])

    def _new_unit(self, key: ParamKey, declaration: tree.Unit, module: Module) -> Unit:
        self._open.add(key)
        self._units[key] = None
        try:
            unit = blocks.build_unit(declaration, Scope(self, module))
        except IbpcError as mistake:
            self.sink.add(*mistake.diagnostics)
            raise Poisoned from None
        finally:
            self._open.discard(key)
        self._units[key] = unit
        return unit

    def unit_names(self, module: Module) -> set[str]:
        """The units that may stand behind a number in this file."""
        names = {name for name, one in module.declared.items() if isinstance(one, tree.Unit)}
        for name in module.borrowed:
            origin = self.origin(module, name)
            if origin and isinstance(origin[0].declared[origin[1]], tree.Unit):
                names.add(name)
        return names | set(BUILTIN_UNITS)

    # --- labels and calls --------------------------------------------------------------------

    def enums_with(self, module: Module, label: str) -> list[IndexType]:
        """The index types that have this label: of this file, or else of all the others."""
        own = self._enums(module, label)
        if own:
            return own
        found: list[IndexType] = []
        for other in self.modules:
            if other is not module:
                found += [one for one in self._enums(other, label) if one not in found]
        return found

    def _enums(self, module: Module, label: str) -> list[IndexType]:
        types = []
        for enum in module.labels.get(label, ()):
            if not isinstance(module.declared.get(enum), tree.Enum):
                continue
            value = self._value(module, enum)
            if isinstance(value, TypeValue) and isinstance(value.type, Finite):
                types.append(value.type.type)
        return types

    def call(self, expr: tree.Call, scope: Scope) -> Value:
        """The value of a call."""
        return blocks.call(expr, scope)

    def entry_of(
        self, base: Outputs | TensorVariable, expr: tree.Index | tree.Member, scope: Scope
    ) -> Value:
        """`z[k]`, `x[0, 3]` or `s.rho` in a claim."""
        if isinstance(expr, tree.Index):
            return places.indexed(base, expr, scope)
        assert isinstance(base, TensorVariable)
        return places.member(base, expr)

    def image(self, expr: tree.Image, scope: Scope) -> Value:
        """The value of `{ e for a in I }`."""
        return set_images.image(expr, scope)

    def definitions(self) -> Iterator[tuple[Module, Declared]]:
        """All declarations of all files, in order."""
        for module in self.modules:
            for declaration in module.declared.values():
                yield module, declaration

    @contextmanager
    def entering(self, definition: Definition, at: Span) -> Iterator[None]:
        """Work out a block's body; raises NameMistake E0112 where it calls itself."""
        name = definition.declaration.name.text
        key = (definition.module.path, name)
        if key in self._open:
            fix = "blocks cannot be recursive"
            raise wrong(
                "E0112", f"`{name}` refers to itself", at, "this call comes from its body", fix
            )
        self._open.add(key)
        self.called.add(key)
        try:
            yield
        except IbpcError as mistake:
            raise _called_from(at, mistake) from None
        finally:
            self._open.discard(key)

    @contextmanager
    def within_sweep(self) -> Iterator[None]:
        """Work out one point of a sweep, which explores: odd values are no reason to warn."""
        before, self.sweeping = self.sweeping, True
        try:
            yield
        finally:
            self.sweeping = before


def _called_from(at: Span, mistake: IbpcError) -> IbpcError:
    """The mistake, with the call that brought the number to blame, where it lies elsewhere."""
    told = [
        replace(one, related=(*one.related, Related(at, "with the values of this call")))
        if one.code.startswith("E03") and one.at is not None and one.at.path != at.path
        else one
        for one in mistake.diagnostics
    ]
    return type(mistake)(*told)
