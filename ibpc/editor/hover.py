"""What an editor shows when a word is pointed at: documentation, value, shapes, units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.editor.names import declaration_of, meaning_at
from ibpc.language import BUILTIN_UNITS, REQUIRED, Entry, Layer, Network, told
from ibpc.syntax import tree

if TYPE_CHECKING:
    from ibpc.editor.names import Meaning
    from ibpc.editor.session import Session
    from ibpc.language import Analysis, Slot, Vocabulary


def hover(session: Session, path: str, line: int, column: int) -> str | None:
    """Markdown for the word at a line and column (from 0), or None."""
    meaning = meaning_at(session, path, line, column)
    analysis = session.known(path)
    if meaning is None or analysis is None:
        return None
    if meaning.node is not None:
        return _of_declaration(session, meaning, analysis)
    entry = entry_of(session.vocabulary, meaning)
    if entry is not None:
        return "\n\n".join(filter(None, [_entry(entry), _shape(meaning, analysis, line + 1)]))
    unit = BUILTIN_UNITS.get(meaning.word)
    if unit is not None and meaning.place.last[:1].isdigit():
        return f"```ibp\nunit {unit.name}\n```\nbuilt in"
    return None


def _of_declaration(session: Session, meaning: Meaning, analysis: Analysis) -> str:
    node, module = meaning.node, meaning.module
    assert module is not None
    span = node.span
    head = session.lines(module.path)[span.line - 1].strip() if span.line else ""
    parts = [f"```ibp\n{head.removesuffix('{').strip()}\n```"]
    name = getattr(node, "name", None)
    if name is not None and module.declared.get(name.text) is node:
        doc = module.file.docs.get(name.text, "")
        value = told(analysis.world, module, name.text)
        parts += [doc] if doc else []
        parts += [f"```\n{value}\n```"] if value and value != "a block" else []
    return "\n\n".join(parts)


def entry_of(vocabulary: Vocabulary, meaning: Meaning) -> Entry | Layer | None:
    """The record of a word of the vocabulary, by the place where it stands."""
    word, block = meaning.word, meaning.place.block
    if block == "net":
        layer = vocabulary.layers.get(word)
        return layer if layer is not None and not meaning.place.call else None
    found: list[Entry] = [kind[word] for kind in kinds_of(vocabulary) if word in kind]
    return found[0] if found else None


def kinds_of(vocabulary: Vocabulary) -> tuple[Any, ...]:
    """All mappings of words but the layers."""
    return (
        vocabulary.stages,
        vocabulary.sets,
        vocabulary.losses,
        vocabulary.bounds,
        vocabulary.optimisers,
        vocabulary.initialisers,
        vocabulary.sources,
        vocabulary.augmentations,
        vocabulary.attacks,
        vocabulary.averages,
    )


def _entry(entry: Entry | Layer) -> str:
    """A record: its word, what it is, its arguments with their defaults."""
    lines = [f"**{entry.word}**: {entry.doc}"]
    lines += [f"- `{slot_text(slot)}` {slot.doc}".rstrip() for slot in entry.slots]
    source = getattr(entry, "source", "")
    return "\n".join(lines) + (f"\n\n*{source}*" if source else "")


def slot_text(slot: Slot) -> str:
    """`steps = 200`, or the name alone where there is no default."""
    if slot.default is REQUIRED:
        return slot.name
    default = slot.default
    if isinstance(default, bool):
        default = "true" if default else "false"
    return f"{slot.name} = {'automatic' if default is None else default}"


def _shape(meaning: Meaning, analysis: Analysis, line: int) -> str:
    """The output shape and parameters of a layer's line, as the last check has them."""
    main = analysis.main
    if main is None or meaning.place.block != "net":
        return ""
    declared = declaration_of(meaning.place, main)
    if not isinstance(declared, tree.Net):
        return ""
    value = analysis.world.value_of(main, declared.name.text)
    if not isinstance(value, Network) or value.net is None:
        return ""
    nodes = [node for node in getattr(value.net, "nodes", ()) if node.span.line == line]
    if not nodes:
        return ""
    shape = "x".join(map(str, nodes[-1].out_shape))
    count = sum(_size(weight) for node in nodes for weight in node.template.weights)
    return f"output {shape}, {count:,} weights"


def _size(weight: Any) -> int:
    size = 1
    for extent in weight.shape:
        size *= extent
    return size
