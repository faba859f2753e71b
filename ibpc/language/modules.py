"""The files of a program: what each declares and imports, with cycles and absences located."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, FileMistake, IbpcError, Related
from ibpc.language.mistakes import diagnostic
from ibpc.syntax import parse_file, parse_text, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.errors import Span
    from ibpc.language.mistakes import Collector

Declared = (
    tree.Param
    | tree.Const
    | tree.Unit
    | tree.TypeDecl
    | tree.Enum
    | tree.Record
    | tree.Data
    | tree.Net
    | tree.NetReference
    | tree.SetDecl
    | tree.Spec
    | tree.Train
    | tree.Verify
)


@dataclass(eq=False, slots=True)
class Module:
    """One file: declarations by name, imported names, aliases of imported files, its plans.

    `borrowed[name]` is (module, name there); a name imported from a file that could not be read
    has the module None. `imported` holds those that could be read. Compared by identity.
    """

    path: str
    file: tree.File
    declared: dict[str, Declared] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    borrowed: dict[str, tuple[Module | None, tree.Name]] = field(default_factory=dict)
    aliases: dict[str, Module | None] = field(default_factory=dict)
    plans: dict[str, tree.Run | tree.Sweep] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    imported: list[Module] = field(default_factory=list)

    def names(self) -> set[str]:
        """All names that mean something at the top of this file."""
        return {*self.declared, *self.borrowed, *self.aliases}

    def needed(self) -> list[Module]:
        """All files that this one imports, in the order in which they are read; last itself."""
        found: list[Module] = []
        self._need(found)
        return found

    def _need(self, found: list[Module]) -> None:
        for one in self.imported:
            if one not in found:
                one._need(found)
        found.append(self)


class Loader:
    """Reads a file and, through its imports, all others; each once.

    `texts` holds the texts of files that an editor has not saved yet, by their real paths;
    `modules` those that have been read before.
    """

    def __init__(
        self,
        sink: Collector,
        texts: Mapping[str, str] = MappingProxyType({}),
        modules: Mapping[str, Module | None] = MappingProxyType({}),
    ) -> None:
        self.sink = sink
        self.texts = texts
        self.modules = dict(modules)
        self._open: list[str] = []

    def load(self, path: str, at: Span | None = None) -> Module | None:
        """The module of `path`, or None where it cannot be read (which is then reported)."""
        key = real_path(path)
        if key in self._open:
            self._report_cycle(path, at)
            return None
        if key in self.modules:
            return self.modules[key]
        self._open.append(key)
        module: Module | None = None
        try:
            module = self._read(path, at)
        except IbpcError as mistake:
            self.sink.add(*mistake.diagnostics)
        finally:
            self._open.pop()
        self.modules[key] = module
        return module

    def _read(self, path: str, at: Span | None) -> Module:
        try:
            text = self.texts.get(real_path(path))
            file = parse_file(path) if text is None else parse_text(text, path)
        except FileMistake as mistake:
            if at is None:
                raise
            fix = "paths are relative to the file that imports"
            located = [_located(one, at, fix) for one in mistake.diagnostics]
            raise FileMistake(*located) from None
        module = Module(path, file)
        for declaration in file.declarations:
            self._enter(module, declaration)
        return module

    def _enter(self, module: Module, declaration: tree.Declaration) -> None:
        if isinstance(declaration, tree.Import):
            imported = self._imported(module, declaration.path)
            if self._claim(module, declaration.alias):
                module.aliases[declaration.alias.text] = imported
            return
        if isinstance(declaration, tree.FromImport):
            imported = self._imported(module, declaration.path)
            for name in declaration.names:
                if self._claim(module, name):
                    module.borrowed[name.text] = (imported, name)
            return
        if isinstance(declaration, tree.Run | tree.Sweep):
            self._enter_plan(module, declaration)
            return
        if not self._claim(module, declaration.name):
            return
        module.declared[declaration.name.text] = declaration
        if isinstance(declaration, tree.Enum):
            for member in declaration.members:
                module.labels.setdefault(member.text, []).append(declaration.name.text)

    def _enter_plan(self, module: Module, plan: tree.Run | tree.Sweep) -> None:
        """Targets have a space of names of their own, so that `run table4` may run `table4`."""
        before = module.plans.get(plan.name.text)
        if before is not None:
            self._twice(plan.name, before.name.span)
            return
        module.plans[plan.name.text] = plan

    def _claim(self, module: Module, name: tree.Name) -> bool:
        before = module.places.get(name.text)
        if before is not None:
            self._twice(name, before)
            return False
        module.places[name.text] = name.span
        return True

    def _twice(self, name: tree.Name, before: Span) -> None:
        related = (Related(before, "declared here first"),)
        problem = f"`{name.text}` is declared twice"
        fix = "rename one of them"
        self.sink.add(diagnostic("E0103", problem, name.span, "again here", fix, related))

    def _imported(self, module: Module, path: tree.Text) -> Module | None:
        found = self.load(beside(module.path, path.value), path.span)
        if found is not None:
            module.imported.append(found)
        return found

    def _report_cycle(self, path: str, at: Span | None) -> None:
        start = self._open.index(real_path(path))
        circle = [os.path.basename(part) for part in self._open[start:]]
        chain = " -> ".join([*circle, circle[0]])
        fix = "move what both files need into a third one"
        problem = "files import each other in a circle"
        self.sink.add(diagnostic("E0510", problem, at, chain, fix))


def real_path(path: str) -> str:
    """The one path of a file, whatever it is called; what can be no path stays as it is."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # ValueError: a NUL inside
        return path


def beside(path: str, name: str) -> str:
    """The path `name` as meant in the file at `path`."""
    return os.path.normpath(os.path.join(os.path.dirname(path), name))


def _located(one: Diagnostic, at: Span, fix: str) -> Diagnostic:
    """The diagnostic of an unreadable file, pointing at the line that asks for it."""
    if one.at is not None:
        return one
    return replace(one, at=at, label="imported here", fix=one.fix or fix)
