"""What people are told of a name: its value, shapes and units, as editors show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import IbpcError
from ibpc.language import data, recipes, verify
from ibpc.language.blocks import CLAIM_WORDS
from ibpc.language.losses import OVER
from ibpc.language.mistakes import Poisoned
from ibpc.language.program import DeclaredNet
from ibpc.language.quantities import Quantity, number_text, spelled
from ibpc.language.scopes import CONSTANTS
from ibpc.language.spelling import domain_text, index_text, type_text
from ibpc.language.table import describe_net
from ibpc.language.values import DataValue, Finite, Network, Scalar, Tensor, TypeValue, kind_of
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language.modules import Module
    from ibpc.language.values import Checked, Value
    from ibpc.language.world import World

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "data": data.SETTINGS,
    "train": (*recipes.PLAIN_SETTINGS, *recipes.CURVES),
    "verify": verify.SETTINGS,
}
"""The settings of each kind of block, by its keyword."""

OUTCOMES = verify.OTHERWISE
"""What may stand behind the `else` of a cascade."""

CALLABLE = (*CLAIM_WORDS, *OVER)
"""Words that are called in claims and losses, beside those of the vocabulary."""

CONSTANT_WORDS = tuple(CONSTANTS)
"""`pi`, `true` and `false`."""


def told(world: World, module: Module, name: str) -> str:
    """A name's value as text: a number, a type with its units, a network's table; or nothing."""
    declaration = module.declared.get(name)
    if isinstance(declaration, tree.Unit):
        return _unit(world, module, declaration)
    value = world.value_of(module, name)
    return "" if value is None else _value(value)


def _unit(world: World, module: Module, declaration: tree.Unit) -> str:
    try:
        unit = world.unit(module, declaration.name)
    except (IbpcError, Poisoned):
        return ""
    if unit is None or declaration.factor is None:
        return "a base unit"
    return f"1 {unit.name} = {Quantity(unit.factor, unit.dimension)}"


def _value(value: Value) -> str:
    if isinstance(value, Quantity):
        return str(value)
    if isinstance(value, TypeValue):
        return _type(value.type)
    if isinstance(value, Network):
        if isinstance(value.net, DeclaredNet):
            return describe_net(value.net)
        return f"{type_text(value.arrow)}" + (f"\nfrom {value.net.path}" if value.net else "")
    if isinstance(value, DataValue):
        return f"{type_text(value.pair)}"
    return kind_of(value)


def _type(checked: Checked) -> str:
    if isinstance(checked, Tensor):
        text = type_text(checked) + domain_text(checked.type)
        if not checked.fields:
            return text
        return "\n".join([text, *(_field(checked, place) for place in range(len(checked.fields)))])
    if isinstance(checked, Finite):
        return index_text(checked.type)
    if isinstance(checked, Scalar):
        unit = spelled(checked.dimension)
        return checked.name + (f", in {unit}" if unit and unit != checked.name else "")
    return type_text(checked)


def _field(record: Tensor, place: int) -> str:
    """One entry of a record: its unit and range, in base units."""
    text = f"  {record.fields[place]}"
    unit = spelled(record.unit(place).dimension)
    text += f": {unit}" if unit else ""
    domain = record.type.domain
    if domain is not None:
        low, high = domain[place if len(domain) > 1 else 0]
        text += f" in [{number_text(low)} .. {number_text(high)}]"
    return text
