"""What may be written at a place: names in scope, words of the vocabulary, settings, options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ibpc.editor.hover import kinds_of, slot_text
from ibpc.editor.names import bindings, declaration_of
from ibpc.editor.places import place_at
from ibpc.language import BUILTIN_UNITS, CALLABLE, CONSTANT_WORDS, OUTCOMES, SETTINGS
from ibpc.syntax import DECLARATION_WORDS, tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibpc.editor.places import Place
    from ibpc.editor.session import Session
    from ibpc.language import Module, Slot, Vocabulary

# Kinds of the Language Server Protocol 3.17, CompletionItemKind.
_FUNCTION, _FIELD, _VARIABLE, _CLASS, _MODULE, _PROPERTY = 3, 5, 6, 7, 9, 10
_UNIT, _VALUE, _ENUM, _KEYWORD = 11, 12, 13, 14
_KINDS: dict[type, int] = {
    tree.Param: _VARIABLE,
    tree.Const: _VARIABLE,
    tree.Unit: _UNIT,
    tree.TypeDecl: _CLASS,
    tree.Record: _CLASS,
    tree.Enum: _ENUM,
    tree.Data: _VARIABLE,
}
_OF_SETTING = {
    "optimiser": ("optimisers",),
    "bound": ("bounds",),
    "loss": ("losses",),
    "init": ("initialisers",),
    "attack": ("attacks",),
    "average": ("averages",),
    "source": ("sources",),
    "augment": ("augmentations",),
}
"""The kinds of words that a setting's value is made of, as the vocabulary calls them."""


class Completion(NamedTuple):
    """One word that may be written: its kind, what it is in a few words, and its documentation."""

    word: str
    kind: int
    detail: str = ""
    doc: str = ""
    insert: str = ""


def completions(session: Session, path: str, line: int, column: int) -> list[Completion]:
    """All that may be written at a line and column (from 0), each once."""
    lines = session.lines(path)
    if line >= len(lines):
        return []
    offset = sum(len(one) + 1 for one in lines[:line]) + min(column, len(lines[line]))
    place = place_at(session.text(path), offset)
    analysis = session.known(path)
    main = None if analysis is None else analysis.main
    found = _completions(place, session.vocabulary, main, lines[line][:column])
    return list({one.word: one for one in found}.values())


def _completions(
    place: Place, words: Vocabulary, main: Module | None, before: str
) -> Iterator[Completion]:
    if "#" in before or before.count('"') % 2:
        return
    if place.last == ".":
        yield from _members(place, main)
    elif not place.block and not place.line:
        yield from (Completion(one, _KEYWORD, "declaration") for one in DECLARATION_WORDS)
    elif place.last in {":", "->"} and place.line[0] not in {"forall", "exists"}:
        yield from _types(main)
    elif place.last[:1].isdigit() and place.block != "net":
        yield from (Completion(one, _UNIT, "unit") for one in BUILTIN_UNITS)
        yield from _top(main, (tree.Unit,))
    elif place.call and (slots := _slots_of(place.call, words)):
        yield from _in_call(place, slots, words)
        yield from _names(place, main)
    elif place.block == "net":
        yield from _in_net(place, words)
    elif place.block in SETTINGS and not place.line:
        yield from (
            Completion(one, _PROPERTY, "setting", "", f"{one} = ") for one in SETTINGS[place.block]
        )
        if place.block == "verify":
            yield Completion("report", _KEYWORD, "a figure and its cascade")
    else:
        yield from _values(place, words, main)


def _values(place: Place, words: Vocabulary, main: Module | None) -> Iterator[Completion]:
    """What stands for a value: stages in a cascade, a setting's words, names."""
    if place.last in {"by", "then"}:
        yield from _entries(words.stages.values(), "stage")
        return
    if place.last == "else":
        yield from (Completion(one, _VALUE, "outcome") for one in OUTCOMES)
        return
    setting = place.line[0] if place.line else ""
    for kind in _OF_SETTING.get(setting, ()) if place.block in SETTINGS else ():
        yield from _entries(getattr(words, kind).values(), setting)
    if place.declaration[0] in {"spec", "set"}:
        yield from _entries(words.sets.values(), "set")
    if setting == "loss" or place.declaration[0] == "spec":
        yield from (Completion(one, _FUNCTION, "word", "", f"{one}(") for one in CALLABLE)
    yield from _names(place, main)


def _in_net(place: Place, words: Vocabulary) -> Iterator[Completion]:
    """Layers at a line's start; behind a layer its options; behind `act =` the activations."""
    if not place.line:
        yield from _entries(words.layers.values(), "layer")
        yield Completion("default", _KEYWORD, "options for the layers below")
        yield Completion("residual", _KEYWORD, "a block whose input is added to its output")
        return
    keyword = next((one for one in place.line if one in words.layers), "")
    slots = {s.name: s for s in words.layers[keyword].slots} if keyword else {}
    if not keyword:
        slots = {s.name: s for layer in words.layers.values() for s in layer.slots}
    if place.last == "=":
        option = place.line[-2] if len(place.line) > 1 else ""
        if option == "act":
            acts = (one for one in words.layers.values() if one.activation)
            yield from (Completion(one.word, _VALUE, "activation", one.doc) for one in acts)
        elif option in slots:
            yield from _choices(slots[option], words)
        return
    if not keyword or words.layers[keyword].activates:
        yield Completion("act", _PROPERTY, "the activation behind it", "", "act = ")
    yield from _options(slots.values())


def _in_call(place: Place, slots: Iterable[Slot], words: Vocabulary) -> Iterator[Completion]:
    by_name = {slot.name: slot for slot in slots}
    if place.last == "=":
        option = place.line[-2] if len(place.line) > 1 else ""
        yield from _choices(by_name[option], words) if option in by_name else ()
        return
    for slot in by_name.values():
        if slot.positional:
            yield from _choices(slot, words)
    yield from _options(slot for slot in by_name.values() if not slot.positional)


def _choices(slot: Slot, words: Vocabulary) -> Iterator[Completion]:
    values = slot.choices or {"padding": ("same", "valid"), "bool": ("true", "false")}.get(
        slot.kind, ()
    )
    if slot.name == "name":
        values = (*values, *words.builtin_data)
    yield from (Completion(one, _VALUE, slot.name, slot.doc) for one in dict.fromkeys(values))


def _options(slots: Iterable[Slot]) -> Iterator[Completion]:
    for slot in slots:
        if slot.name not in {"count", "kernel"}:
            yield Completion(slot.name, _PROPERTY, slot_text(slot), slot.doc, f"{slot.name} = ")


def _slots_of(word: str, words: Vocabulary) -> tuple[Slot, ...]:
    for kind in kinds_of(words):
        if word in kind:
            slots: tuple[Slot, ...] = kind[word].slots
            return slots
    return ()


def _entries(entries: Iterable[Any], detail: str) -> Iterator[Completion]:
    for entry in entries:
        yield Completion(entry.word, _FUNCTION, detail, entry.doc)


# --- names -----------------------------------------------------------------------------------


def _names(place: Place, main: Module | None) -> Iterator[Completion]:
    """All names in scope: those bound around the place, those of the file, constants."""
    if main is None:
        return
    around = declaration_of(place, main)
    if around is not None:
        yield from (Completion(name.text, _VARIABLE, "local") for name, _ in bindings(around))
    yield from _top(main, None)
    yield from (Completion(one, _VALUE, "constant") for one in CONSTANT_WORDS)


def _top(main: Module | None, kinds: tuple[type, ...] | None) -> Iterator[Completion]:
    """Names of the file, of some kinds or of all."""
    if main is None:
        return
    for name, node in main.declared.items():
        if kinds is None or isinstance(node, kinds):
            doc = main.file.docs.get(name, "")
            yield Completion(
                name, _KINDS.get(type(node), _FUNCTION), type(node).__name__.lower(), doc
            )
    for name, (origin, written) in main.borrowed.items():
        there = origin.declared.get(written.text) if origin is not None else None
        if kinds is None or isinstance(there, kinds):
            yield Completion(name, _KINDS.get(type(there), _FUNCTION), "imported")
    if kinds is None:
        yield from (Completion(name, _MODULE, "imported file") for name in main.aliases)


def _types(main: Module | None) -> Iterator[Completion]:
    yield from (Completion(one, _CLASS, "type") for one in ("real", "int", "index"))
    yield from _top(main, (tree.TypeDecl, tree.Enum, tree.Record, tree.Unit))


def _members(place: Place, main: Module | None) -> Iterator[Completion]:
    """Behind a dot: an imported file's names, the parts of a data set, the fields of a record."""
    owner = place.line[-2] if len(place.line) > 1 else ""
    if main is None:
        return
    if owner in main.aliases:
        yield from _top(main.aliases[owner], None)
        return
    borrowed = main.borrowed.get(owner)
    node = main.declared.get(owner)
    if node is None and borrowed is not None and borrowed[0] is not None:
        node = borrowed[0].declared.get(borrowed[1].text)
    if isinstance(node, tree.Data):
        yield from (Completion(one, _FIELD, "a part of the data") for one in ("train", "test"))
    else:
        records = (one for one in main.declared.values() if isinstance(one, tree.Record))
        yield from (
            Completion(f.name.text, _FIELD, "a field") for one in records for f in one.fields
        )
