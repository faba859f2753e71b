"""`ibpc.load`: a spec file as objects that show themselves, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpc.cli import full_vocabulary
from ibpc.language import DeclaredNet, Fit, check_file, describe_net
from ibpc.syntax import parse_file, tree

if TYPE_CHECKING:
    import os

    from ibpc.language import Net, Program, Target


def load(path: str | os.PathLike[str], **params: Any) -> Spec:
    """A checked spec file; `params` set its params, as `-p name=value` does.

    Numbers are taken exactly: 0.1 is one tenth, and `Fraction(8, 255)` is what it says. A text is
    an expression of the language: `eps="8/255"`.

    Raises: IbpcError with all mistakes of the file, each with its place and its fix.
    """
    given = {name: _written(value) for name, value in params.items()}
    return Spec(check_file(str(path), full_vocabulary(), given))


@dataclass(frozen=True, eq=False)
class Shown:
    """Something with a text; a notebook shows the text as it is."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


@dataclass(frozen=True, eq=False, repr=False)
class NetView(Shown):
    """A network of a spec: its table of layers, or the file that it comes from."""

    net: Net

    @property
    def parameters(self) -> int | None:
        """How many; None for a network by reference."""
        return self.net.parameters if isinstance(self.net, DeclaredNet) else None


@dataclass(frozen=True, eq=False, repr=False)
class Block(Shown):
    """A set or a claim as the spec writes it, with its name and its doc string."""

    name: str
    doc: str


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Shown):
    """A `run` or `sweep`: what it trains and verifies, one line each."""

    target: Target


class Listed(Mapping[str, Any]):
    """Named things, shown one below the other."""

    def __init__(self, things: Mapping[str, Shown]) -> None:
        self._things = dict(things)

    def __getitem__(self, name: str) -> Any:
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self._things.values())) or "none"

    def _repr_html_(self) -> str:
        rows = (
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{thing._repr_html_()}</td></tr>"
            for name, thing in self._things.items()
        )
        return f"<table>{''.join(rows)}</table>"


class Spec:
    """A checked spec: `nets`, `data`, `sets`, `claims`, `plans`, by name, and `params`.

    `program` is what the checker gives, for those who want more than these views.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.params = {one.name: one.value for one in program.params}
        self.nets = Listed({name: _net(name, net) for name, net in program.nets.items()})
        self.data = Listed({name: Shown(_data(name, one)) for name, one in program.data.items()})
        blocks = _blocks(program)
        self.sets = Listed({one.name: one for kind, one in blocks if kind == "set"})
        self.claims = Listed({one.name: one for kind, one in blocks if kind == "spec"})
        plans = program.targets.items()
        self.plans = Listed({name: Plan(_plan(target), target) for name, target in plans})

    @property
    def path(self) -> str:
        """The file that was loaded."""
        return self.program.path

    def __repr__(self) -> str:
        lines = [f"spec {self.path}"]
        for name in ("nets", "data", "sets", "claims", "plans"):
            found = ", ".join(getattr(self, name)) or "none"
            lines.append(f"  {name:<7} {found}")
        values = ", ".join(f"{name} = {_number(value)}" for name, value in self.params.items())
        return "\n".join([*lines, f"  params  {values or 'none'}"])

    def _repr_html_(self) -> str:
        parts = (
            f"<details><summary>{name}: {escape(', '.join(getattr(self, name)) or 'none')}"
            f"</summary>{getattr(self, name)._repr_html_()}</details>"
            for name in ("nets", "data", "sets", "claims", "plans")
        )
        return f"<b>{escape(self.path)}</b>{''.join(parts)}"


def _net(name: str, net: Net) -> NetView:
    if isinstance(net, DeclaredNet):
        return NetView(describe_net(net), net)
    shapes = " -> ".join(str(list(one.shape)) for one in (net.input, net.output))
    return NetView(f"net {name}: real{shapes}, from {net.path}", net)


def _data(name: str, one: Any) -> str:
    given = ", ".join(str(value) for value in one.source.arguments.values())
    sizes = ", ".join(f"{part} {getattr(one, part) or 'all'}" for part in ("train", "test"))
    shape = ", ".join(map(str, one.x.shape))
    return f"data {name}: real[{shape}], {one.y.size} labels, {one.source.word}({given}), {sizes}"


def _blocks(program: Program) -> list[tuple[str, Block]]:
    """Sets and specs of the file and of what it imports, those of the file itself first."""
    found: dict[str, tuple[str, Block]] = {}
    for path in program.files:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        for one in parse_file(path).declarations:
            if isinstance(one, tree.SetDecl | tree.Spec):
                kind = "set" if isinstance(one, tree.SetDecl) else "spec"
                name = one.name.text
                text = "\n".join(lines[one.span.line - 1 : one.span.end_line]).rstrip()
                block = Block(text, name, program.docs.get(name, ""))
                found.setdefault(name, (kind, block))
    return list(found.values())


def _plan(target: Target) -> str:
    lines = [f"{target.name}:"]
    for task in target.tasks:
        if isinstance(task, Fit):
            lines.append(f"  train {task.recipe}({task.net.name})")
        else:
            lines.append(f"  verify {task.title}: {task.claim.text}")
            for report in task.reports:
                stages = " then ".join(stage.word for stage in report.stages)
                lines.append(f"    {report.name}: {stages}, else {report.otherwise}")
    return "\n".join(lines)


def _written(value: Any) -> str:
    """A param's value as an expression of the language."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _number(value: Any) -> str:
    if not isinstance(value, Fraction):
        return str(value)
    decimal = f"{float(value):g}"
    return decimal if Fraction(decimal) == value else str(value)
