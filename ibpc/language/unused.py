"""Warns of declarations that nothing uses, in files that have something to run.

A file without a plan is a library: what it declares is there for those that import it. What is
imported may be there for the command line: `-p` sets it.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from ibpc.errors import Span
from ibpc.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibpc.language.mistakes import Collector
    from ibpc.language.modules import Module

# Targets of their own, networks that are there to be tried, or of use beyond the file.
_EXEMPT = (
    tree.Import,
    tree.FromImport,
    tree.Net,
    tree.NetReference,
    tree.Train,
    tree.Verify,
    tree.Run,
    tree.Sweep,
)


def warn_of_unused(module: Module, sink: Collector) -> None:
    """Keep a warning for each name of the file that no other declaration mentions (W0101)."""
    if not module.plans:
        return
    mentioned: dict[str, set[int]] = {}
    for place, declaration in enumerate(module.file.declarations):
        for word in _mentions(declaration):
            mentioned.setdefault(word, set()).add(place)
    for place, declaration in enumerate(module.file.declarations):
        for name, stand_ins in _declared(declaration):
            used = set[int]().union(*(mentioned.get(one, set()) for one in stand_ins))
            if not used - {place}:
                problem = f"`{name.text}` is declared and never used"
                sink.warn("W0101", problem, name.span, "nothing needs it", "remove it, or use it")


def _declared(declaration: tree.Declaration) -> Iterator[tuple[tree.Name, list[str]]]:
    """The names that a declaration makes, each with the words that count as its use."""
    if isinstance(declaration, tree.Enum):
        labels = [member.text for member in declaration.members]
        yield declaration.name, [declaration.name.text, *labels]
    elif not isinstance(declaration, _EXEMPT):
        yield declaration.name, [declaration.name.text]


def _mentions(declaration: tree.Declaration) -> Iterator[str]:
    """All names in a declaration but its own, repeated ones repeated."""
    if isinstance(declaration, tree.FromImport):
        return
    waiting: list[Any] = [
        getattr(declaration, one.name) for one in fields(declaration) if one.name != "name"
    ]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Name):
            yield node.text
        elif isinstance(node, tuple):
            waiting.extend(node)
        elif is_dataclass(node) and not isinstance(node, Span | type):
            waiting.extend(getattr(node, one.name) for one in fields(node))
