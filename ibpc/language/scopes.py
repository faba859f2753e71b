"""What a name means at a place: local names first, then those of the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ibpc.errors import Related
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.program import IndexType
from ibpc.language.quantities import PI, Quantity
from ibpc.language.values import Finite, Label, Truth, TypeValue, kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.errors import Span
    from ibpc.language.modules import Module
    from ibpc.language.values import Checked, Tensor, Value
    from ibpc.language.world import World

CONSTANTS: Mapping[str, Value] = {"pi": Quantity(PI), "true": Truth(True), "false": Truth(False)}


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that hold inside one expression of one file.

    `inside` is the network's input type, where a set is written: a box by fields lies in it.
    """

    world: World
    module: Module
    names: Mapping[str, Value] = field(default_factory=dict)
    types: Mapping[str, Checked] = field(default_factory=dict)
    places: Mapping[str, Span] = field(default_factory=dict)
    inside: Tensor | None = None

    def bind(self, name: tree.Name, value: Value) -> Scope:
        """The scope with one more name.

        Raises: NameMistake E0103 where the name hides another one (a param may be hidden: a
        recipe's parameter is often named like the param that is its default).
        """
        at = self.places.get(name.text)
        declared = self.module.declared.get(name.text)
        if at is None and declared is not None and not isinstance(declared, tree.Param):
            at = declared.name.span
        if at is not None:
            problem = f"`{name.text}` hides another `{name.text}`"
            related = (Related(at, "this one"),)
            fix = "rename one: a name means one thing"
            raise wrong("E0103", problem, name.span, "declared again here", fix, related)
        return replace(
            self,
            names={**self.names, name.text: value},
            places={**self.places, name.text: name.span},
        )

    def with_types(self, types: Mapping[str, Checked]) -> Scope:
        """The scope in which generic names stand for types."""
        return replace(self, types={**self.types, **types})

    def top(self) -> Scope:
        """The scope of the same file without any local names."""
        return Scope(self.world, self.module)

    def find(self, name: str) -> Value | None:
        """What the name means, or None; labels are looked up by `value`."""
        if name in self.names:
            return self.names[name]
        if name in self.types:
            return TypeValue(self.types[name])
        found = self.world.find(self.module, name)
        return CONSTANTS.get(name) if found is None else found

    def value(self, name: tree.Name) -> Value:
        """What the name means.

        Raises: NameMistake E0101 with the closest name in scope; E0103 for a label of two enums.
        """
        found = self.find(name.text)
        if found is None:
            found = self.label(name)
        if found is None:
            fix = suggestion(name.text, self.visible(), many=0)
            raise wrong(
                "E0101", f"unknown name `{name.text}`", name.span, "means nothing here", fix
            )
        return found

    def label(self, name: tree.Name) -> Label | None:
        """The enum label of this name: this file's enums first, then those of imported files."""
        own = self.world.enums_with(self.module, name.text)
        if len(set(own)) > 1:
            problem = f"`{name.text}` is a label of two enums"
            fix = "use it only as an index, `z[label]`, where the axis tells which is meant"
            raise wrong("E0103", problem, name.span, "ambiguous", fix)
        return Label(own[0].labels.index(name.text), own[0]) if own and own[0].labels else None

    def visible(self) -> set[str]:
        """All names that could have been meant."""
        labels = set(self.module.labels)
        return {*self.names, *self.types, *self.module.names(), *CONSTANTS, *labels}

    def index_type(self, value: Value, at: Span) -> IndexType:
        """The finite type that a value belongs to, or is.

        Raises: NameMistake E0111.
        """
        if isinstance(value, TypeValue) and isinstance(value.type, Finite):
            return value.type.type
        kind = getattr(value, "type", None)
        if isinstance(kind, IndexType):
            return kind
        fix = "name an index type or a label, or write `forall k in Digit: k != 3 => ...`"
        raise wrong(
            "E0111", f"cannot count through {kind_of(value)}", at, "not a finite index", fix
        )
