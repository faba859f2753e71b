"""One layer's text: its keyword, its count, kernel and options, the defaults that hold for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language.evaluate import as_whole, in_range
from ibpc.language.invocations import convert
from ibpc.language.mistakes import suggestion, wrong
from ibpc.language.quantities import Quantity
from ibpc.language.spelling import expression_text
from ibpc.language.vocabulary import REQUIRED
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.language.scopes import Scope
    from ibpc.language.vocabulary import Layer, Slot, Template

COUNT = 10**7
"""The most outputs that a layer's count may ask for."""

EXTENT = 10**4
"""The largest kernel side and stride."""

ACT = "act"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults that hold at a place: option name -> its expression."""

    defaults: Mapping[str, tree.Argument] = field(default_factory=dict)

    def with_defaults(self, named: tuple[tree.Argument, ...], scope: Scope) -> Settings:
        """These defaults and more; a name that no layer has is a mistake (E0107)."""
        layers = scope.world.vocabulary.layers
        known = {slot.name for layer in layers.values() for slot in layer.slots} | {ACT}
        merged = dict(self.defaults)
        new = set[str]()
        for argument in named:
            assert argument.name is not None
            name = argument.name.text
            if name in new:
                raise wrong("E0114", f"`{name}` is given twice", argument.span, "again here")
            new.add(name)
            if name not in known:
                fix = suggestion(name, known)
                problem = f"no layer has an option `{name}`"
                raise wrong("E0107", problem, argument.name.span, "unknown option", fix)
            if name == ACT:
                _activation(argument, scope)
            merged[name] = argument
        return Settings(merged)

    def activation(self, layer: Layer, item: tree.Layer, scope: Scope) -> Layer | None:
        """The activation that follows a layer: its own `act`, or the block's, or none."""
        own = [a for a in item.named if a.name is not None and a.name.text == ACT]
        if len(own) > 1:
            raise wrong("E0114", f"`{ACT}` is given twice", own[1].span, "again here")
        if not layer.activates:
            if own:
                problem = f"`{layer.word}` has no activation"
                fix = "write the activation as a layer of its own"
                raise wrong("E0107", problem, own[0].span, "not an option of it", fix)
            return None
        argument = own[0] if own else self.defaults.get(ACT)
        return None if argument is None else _activation(argument, scope)


def _activation(argument: tree.Argument, scope: Scope) -> Layer | None:
    """The layer that `act = word` names, or None for `act = none`."""
    layers = scope.world.vocabulary.layers
    words = {word for word, layer in layers.items() if layer.activation and _plain(layer)}
    value = argument.value
    text = value.text if isinstance(value, tree.Name) else ""
    if text == NONE:
        return None
    if text not in words:
        fix = suggestion(text, words | {NONE})
        problem = f"unknown activation `{expression_text(value)}`"
        raise wrong("E0106", problem, value.span, "not an activation", fix)
    return layers[text]


def _plain(layer: Layer) -> bool:
    return all(slot.default is not REQUIRED for slot in layer.slots)


def layer_of(item: tree.Layer, scope: Scope) -> Layer:
    """The record of a layer's keyword; raises NameMistake E0102."""
    layers = scope.world.vocabulary.layers
    layer = layers.get(item.keyword.text)
    if layer is None:
        fix = suggestion(item.keyword.text, {*layers, "residual", "default"}, many=0)
        problem = f"unknown layer `{item.keyword.text}`"
        raise wrong("E0102", problem, item.keyword.span, "not a layer", fix)
    return layer


def arguments_of(
    layer: Layer, item: tree.Layer, settings: Settings, scope: Scope
) -> dict[str, Any]:
    """The value of every slot: as written, or the block's default, or the record's.

    Raises: NameMistake E0107 (option), E0114 (twice); TypeMistake E0202 (count, kernel, missing).
    """
    slots = {slot.name: slot for slot in layer.slots}
    given: dict[str, Any] = {}
    _positional(layer, slots, item, given)
    for argument in item.named:
        assert argument.name is not None
        name = argument.name.text
        if name == ACT:
            continue
        if name not in slots:
            fix = suggestion(name, {*slots, ACT} if layer.activates else set(slots))
            problem = f"`{layer.word}` has no option `{name}`"
            raise wrong("E0107", problem, argument.name.span, "unknown option", fix)
        if name in given:
            raise wrong("E0114", f"`{name}` is given twice", argument.span, "again here")
        given[name] = convert(slots[name], argument.value, scope)
    for name, slot in slots.items():
        if name not in given:
            given[name] = _default(layer, slot, item, settings, scope)
    return given


def _default(layer: Layer, slot: Slot, item: tree.Layer, settings: Settings, scope: Scope) -> Any:
    if slot.name in settings.defaults:
        return convert(slot, settings.defaults[slot.name].value, scope)
    if slot.default is REQUIRED:
        if slot.name == layer.takes_count:
            fix = f"write `{layer.word} 16{' 3x3+1' if layer.takes_kernel else ''}`"
        elif slot.kind == "kernel":
            lead = f"{layer.word} {item.count.text}" if item.count else layer.word
            fix = f"write `{lead} 3x3+1`: height x width + stride"
        elif slot.kind == "padding":
            fix = f"write `{slot.name} = valid` or `{slot.name} = same`, here or after `default`"
        else:
            fix = f"write `{slot.name} = ...`: {slot.doc}"
        problem = f"`{layer.word}` needs `{slot.name}`"
        raise wrong("E0202", problem, item.span, f"no {slot.name} given", fix)
    return slot.default


def _positional(
    layer: Layer, slots: Mapping[str, Slot], item: tree.Layer, given: dict[str, Any]
) -> None:
    """The paper's notation: `conv 16 4x4+2`."""
    if item.count is not None:
        if not layer.takes_count:
            raise wrong("E0202", f"`{layer.word}` takes no number", item.count.span, "remove this")
        if item.count.unit is not None:
            raise wrong("E0202", "a count has no unit", item.count.span)
        count = as_whole(Quantity(item.count.value), item.count.span, low=1)
        if count > COUNT:
            label = f"at most {COUNT} outputs"
            raise wrong("E0208", "this layer is too large", item.count.span, label)
        slot = slots.get(layer.takes_count)
        if slot is not None:
            in_range(Fraction(count), item.count.span, slot.low, slot.high)
        given[layer.takes_count] = count
    if item.kernel is not None:
        if not layer.takes_kernel:
            raise wrong("E0202", f"`{layer.word}` takes no kernel", item.kernel.span, "remove this")
        _check_kernel(item.kernel)
        given["kernel"] = ((item.kernel.height, item.kernel.width), item.kernel.stride)


def _check_kernel(kernel: tree.Kernel) -> None:
    numbers = (kernel.height, kernel.width, kernel.stride)
    if min(numbers) < 1:
        raise wrong("E0304", "kernel and stride must be at least 1", kernel.span, "holds a 0")
    if max(numbers) > EXTENT:
        raise wrong("E0208", "this kernel is too large", kernel.span, f"at most {EXTENT}")


def weights_of(template: Template, trainable: bool = True) -> int:
    """How many numbers a node's weights hold: the parameters alone, or all of them."""
    kept = [w for w in template.weights if not trainable or (w.init != "values" and w.trainable)]
    return sum(prod(weight.shape) for weight in kept)


def described(
    item: tree.Layer, layer: Layer, arguments: Mapping[str, Any], act: Layer | None
) -> tuple[str, str]:
    """The layer as written (`conv 16 4x4+2`), and `padding|activation` for the table."""
    parts = [f"{item.label.text}: {layer.word}" if item.label else layer.word]
    if item.count is not None:
        parts.append(item.count.text)
    if item.kernel is not None:
        kernel = item.kernel
        parts.append(f"{kernel.height}x{kernel.width}+{kernel.stride}")
    paddings = [slot.name for slot in layer.slots if slot.kind == "padding"]
    for argument in item.named:
        name = argument.name.text if argument.name else ""
        if name not in {ACT, *paddings}:
            parts.append(f"{name}={expression_text(argument.value)}")
    padding = " ".join(str(arguments[name]) for name in paddings)
    return " ".join(parts), f"{padding}|{act.word if act else ''}"
