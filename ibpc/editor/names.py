"""What a word in a file stands for: where it is declared, and in which of the files."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ibpc.editor.places import owner_of, place_at, quoted_at, word_at
from ibpc.errors import Span
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.editor.places import Place
    from ibpc.editor.session import Session
    from ibpc.language import Analysis, Module


class Meaning(NamedTuple):
    """A word, the place around it, and its declaration.

    `node` is a declaration, parameter, binder, `let`, label, layer or setting; None where the word
    is of the vocabulary or means nothing. `module` is the file of the node.
    """

    word: str
    place: Place
    span: Span | None = None
    node: Any = None
    module: Module | None = None


def meaning_at(session: Session, path: str, line: int, column: int) -> Meaning | None:
    """What stands at a line and column, both from 0; None where no word does."""
    lines = session.lines(path)
    if line >= len(lines):
        return None
    text = lines[line]
    word, start, _ = word_at(text, column)
    offset = sum(len(one) + 1 for one in lines[:line]) + start + len(word)
    place = place_at(session.text(path), offset)
    analysis = session.known(path)
    if analysis is None or analysis.main is None:
        return Meaning(word, place) if word else None
    quoted = quoted_at(text, column)
    if quoted:
        return _file(quoted, analysis, place)
    if not word:
        return None
    return _named(word, owner_of(text, start), place, analysis, line + 1)


def _file(quoted: str, analysis: Analysis, place: Place) -> Meaning | None:
    """An imported file: its first line."""
    main = analysis.main
    assert main is not None
    path = os.path.normpath(os.path.join(os.path.dirname(main.path), quoted))
    if not os.path.exists(path):
        return None
    return Meaning(quoted, place, Span(path, 1, 1, 1, 1))


def _named(word: str, owner: str, place: Place, analysis: Analysis, line: int) -> Meaning:
    main = analysis.main
    assert main is not None
    if owner:
        imported = main.aliases.get(owner)
        return (
            Meaning(word, place) if imported is None else _declared(word, place, imported, analysis)
        )
    local = _local(word, place, main, line)
    if local is not None:
        return Meaning(word, place, local[0].span, local[1], main)
    if word in main.aliases:
        return _alias(word, place, main)
    return _declared(word, place, main, analysis)


def _alias(word: str, place: Place, main: Module) -> Meaning:
    for one in main.file.declarations:
        if isinstance(one, tree.Import) and one.alias.text == word:
            return Meaning(word, place, one.alias.span, one, main)
    return Meaning(word, place)


def _declared(word: str, place: Place, module: Module, analysis: Analysis) -> Meaning:
    origin = analysis.world.origin(module, word)
    if origin is not None:
        node = origin[0].declared[origin[1]]
        return Meaning(word, place, node.name.span, node, origin[0])
    for other in (module, *analysis.world.modules):
        for enum in other.labels.get(word, ()):
            found = other.declared.get(enum)
            if isinstance(found, tree.Enum):
                span = next(one.span for one in found.members if one.text == word)
                return Meaning(word, place, span, found, other)
        if word in other.plans:
            return Meaning(word, place, other.plans[word].name.span, other.plans[word], other)
    return Meaning(word, place)


def declaration_of(place: Place, module: Module) -> Any:
    """The declaration around a place, as the last check that parsed has it."""
    _, name = place.declaration
    return module.declared.get(name) or module.plans.get(name)


def _local(word: str, place: Place, module: Module, line: int) -> tuple[tree.Name, Any] | None:
    """The binding of a word inside of its declaration: the last one above, else the first."""
    found = [one for one in bindings(declaration_of(place, module)) if one[0].text == word]
    above = [one for one in found if one[0].span.line <= line]
    return above[-1] if above else found[0] if found else None


def bindings(node: Any) -> Iterator[tuple[tree.Name, Any]]:
    """The names that a declaration binds inside of itself, each with what binds it."""
    if isinstance(node, tuple):
        for item in node:
            yield from bindings(item)
        return
    if not is_dataclass(node) or isinstance(node, Span):
        return
    name = _bound(node)
    if name is not None:
        yield name, node
    for generic in getattr(node, "generics", ()):
        yield generic, node
    for one in fields(node):
        yield from bindings(getattr(node, one.name))


def _bound(node: Any) -> tree.Name | None:
    """The name that a node gives to something."""
    if isinstance(node, tree.Layer):
        return node.label
    if isinstance(node, tree.Setting):
        return node.name if isinstance(node.value, tree.Schedule) else None
    binders = tree.Parameter | tree.Binder | tree.Let | tree.RecordField
    return node.name if isinstance(node, binders) else None
