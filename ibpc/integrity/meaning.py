"""What changed in meaning between two checked programs: nothing where only text did.

Values are compared in canonical form, so layout, comments, order, file names and the way in which a
number is written do not count. What is found under another name with the same content is a
renaming: it is told, and is no change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ibpc.errors import IbpcError
from ibpc.integrity.differences import ABSENT, Change, differences, with_names, words
from ibpc.language import DeclaredNet, Fit, OnnxNet, Product, VerifyTask, canonical, identity
from ibpc.syntax import parse_file, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ibpc.language import LayerLine, Net, Program, Target

Blocks = Mapping[str, "tree.SetDecl | tree.Spec | tree.Train | tree.Verify"]


@dataclass(frozen=True)
class Section:
    """One thing with what changed of it: `net small`, `train fit(small)`, `verify table small`."""

    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Comparison:
    """All that changed, and what is only called otherwise now, as (kind, old name, new name)."""

    sections: tuple[Section, ...]
    renamed: tuple[tuple[str, str, str], ...]


def compare(old: Program, new: Program) -> Comparison:
    """What changed from one program to the other: params, nets, data, training, claims, plans."""
    renamed: list[tuple[str, str, str]] = []
    found: list[Section] = []
    before, after = ({one.name: one.value for one in each.params} for each in (old, new))
    for name, mine, other in _paired("param", before, after, renamed):
        found.append(Section(f"param {name}", tuple(_values(mine, other))))
    for name, mine, other in _paired("net", old.nets, new.nets, renamed):
        found.append(Section(f"net {name}", tuple(_nets(mine, other))))
    for name, mine, other in _paired("data", old.data, new.data, renamed):
        found.append(Section(f"data {name}", tuple(_values(mine, other))))
    names = _Names({(kind, once): now for kind, once, now in renamed})
    for name, mine, other in _paired("target", old.targets, new.targets, renamed):
        found += _targets(name, mine, other, names)
    found += _unused(old, new)
    sections = dict.fromkeys(section for section in found if section.changes)
    return Comparison(tuple(sections), tuple(renamed))


def _paired(
    kind: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    renamed: list[tuple[str, str, str]],
) -> Iterator[tuple[str, Any, Any]]:
    """Things of the same name; of the others, those of the same content are renamed ones."""
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    for name in list(gone):
        same = [other for other in come if _same(old[name], new[other])]
        if same:
            renamed.append((kind, name, same[0]))
            gone.remove(name)
            come.remove(same[0])
    for name in dict.fromkeys([*old, *new]):
        if (name in old and name in new) or name in gone or name in come:
            yield name, old.get(name), new.get(name)


def _same(old: Any, new: Any) -> bool:
    return identity(getattr(old, "tasks", old)) == identity(getattr(new, "tasks", new))


def _values(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """Two canonical values, field by field; one that is absent as a whole."""
    mine, other = (None if one is None else json.loads(canonical(one)) for one in (old, new))
    if mine is None or other is None:
        yield Change(path, *(ABSENT if one is None else words(one) for one in (mine, other)))
        return
    yield from differences(mine, other, path)


# --- networks --------------------------------------------------------------------------------


def _nets(old: Net | None, new: Net | None) -> Iterator[Change]:
    if isinstance(old, DeclaredNet) and isinstance(new, DeclaredNet):
        yield from _values(old.input, new.input, "input")
        yield from _layers(old.lines, new.lines)
        yield from _values(old.parameters, new.parameters, "parameters")
        return
    if isinstance(old, OnnxNet) and isinstance(new, OnnxNet):
        yield from _references(old, new)
        return
    yield Change("", _net_words(old), _net_words(new))


def _net_words(net: Net | None) -> str:
    if net is None:
        return ABSENT
    if isinstance(net, OnnxNet):
        return f"an ONNX file, sha256 {net.sha256[:12] or 'unknown'}"
    return f"{len(net.lines)} layers, {net.parameters:,} parameters"


def _layers(old: Sequence[LayerLine], new: Sequence[LayerLine]) -> Iterator[Change]:
    """Layers as the spec writes them, aligned like lines of text."""
    from difflib import SequenceMatcher

    left, right = ([_layer(one) for one in side] for side in (old, new))
    for kind, i, i_end, j, j_end in SequenceMatcher(None, left, right, False).get_opcodes():
        if kind == "equal":
            continue
        pairs = zip_longest(left[i:i_end], right[j:j_end], fillvalue=ABSENT)
        for number, (mine, other) in enumerate(pairs):
            place = i + number + 1 if mine != ABSENT else j + number + 1
            yield Change(f"layer {place}", mine, other)


def _layer(line: LayerLine) -> str:
    return " ".join(f"{line.text} {line.details}".replace("|", " ").split())


def _references(old: OnnxNet, new: OnnxNet) -> Iterator[Change]:
    """Networks by reference: maps and types, and of other bytes whether they compute the same."""
    yield from _values(replace(old, sha256=""), replace(new, sha256=""))
    if old.sha256 == new.sha256:
        return
    from ibpc.graph import fingerprint, model_bytes

    try:
        mine, other = (fingerprint(model_bytes(net.path), net.path) for net in (old, new))
    except IbpcError:  # absent, or no network: then the bytes are all that can be told
        yield Change("sha256", old.sha256[:12] or "no file", new.sha256[:12] or "no file")
        return
    if mine.graph != other.graph:
        yield Change("graph", mine.graph[:12], other.graph[:12])
    if mine.weights != other.weights:
        yield Change("weights", mine.weights[:12], other.weights[:12])


# --- plans -----------------------------------------------------------------------------------


class _Names:
    """Nets and data stand in plans by name; old names are read as what they are called now."""

    def __init__(self, now: Mapping[tuple[str, str], str]) -> None:
        self._now = now

    def of(self, kind: str, name: str) -> str:
        """The present name."""
        return self._now.get((kind, name), name)


def _targets(name: str, old: Target | None, new: Target | None, names: _Names) -> Iterator[Section]:
    """The tasks of a target, matched by title, else in their order."""
    if old is None or new is None:
        counts = [ABSENT if one is None else f"{len(one.tasks)} tasks" for one in (old, new)]
        yield Section(f"target {name}", (Change("", *counts),))
        return
    mine = {_title(task, names): task for task in old.tasks}
    other = {_title(task, _Names({})): task for task in new.tasks}
    left = [title for title in mine if title not in other]
    added = [title for title in other if title not in mine]
    pairs = [(title, mine[title], other[title]) for title in mine if title in other]
    both = list(zip(left, added, strict=False))
    pairs += [(now, mine[before], other[now]) for before, now in both]
    for title in left[len(both) :]:
        yield Section(f"target {name}", (Change(title, "run", ABSENT),))
    for title in added[len(both) :]:
        yield Section(f"target {name}", (Change(title, ABSENT, "run"),))
    for title, before, now in pairs:
        yield from _tasks(title, before, now, names)


def _title(task: VerifyTask | Fit, names: _Names) -> str:
    """The task as it is called, with present names."""
    if isinstance(task, Fit):
        return f"train {task.recipe}({names.of('net', task.net.name)})"
    net = task.network.net.name if isinstance(task.network, Fit) else task.network.name
    words_ = [names.of("net", word) if word == net else word for word in task.title.split(" ")]
    return f"verify {' '.join(words_)}"


def _tasks(
    title: str, old: VerifyTask | Fit, new: VerifyTask | Fit, names: _Names
) -> Iterator[Section]:
    for before, now in zip(_fits(old), _fits(new), strict=False):
        head = f"train {now.recipe}({now.net.name})"
        changes = differences(_plain(before, names), _plain(now, _Names({})))
        yield Section(head, tuple(_with_names(change, now) for change in changes))
    if isinstance(old, VerifyTask) and isinstance(new, VerifyTask):
        mine, other = _plain(old, names), _plain(new, _Names({}))
        yield Section(title, tuple(differences(mine, other)))
    elif isinstance(old, VerifyTask) or isinstance(new, VerifyTask):
        yield Section(title, (Change("", "trains", "trains and verifies"),))


def _with_names(change: Change, fit: Fit) -> Change:
    texts = (change.path, change.old, change.new)
    path, old, new = (with_names(text, fit) for text in texts)
    return Change(path.removeprefix("curves."), old, new)


def _fits(task: VerifyTask | Fit) -> list[Fit]:
    """The recipes whose networks a task speaks of."""
    network = task if isinstance(task, Fit) else task.network
    parts = network.networks if isinstance(network, Product) else (network,)
    return [one for one in parts if isinstance(one, Fit)]


def _plain(value: Any, names: _Names) -> Any:
    """A plan's canonical form, in which nets, data sets and recipes stand by name."""
    plain = json.loads(canonical(value))
    if isinstance(value, Fit):
        plain["net"] = names.of("net", value.net.name)
        plain["data"]["dataset"] = names.of("data", value.data.dataset.name)
        return plain
    assert isinstance(value, VerifyTask)
    trained = isinstance(value.network, Fit)
    net = value.network.net if isinstance(value.network, Fit) else value.network
    plain["network"] = f"{'trained ' if trained else ''}{names.of('net', net.name)}"
    if value.data is not None:
        plain["data"]["dataset"] = names.of("data", value.data.dataset.name)
    plain["reports"] = {one["name"]: one for one in plain["reports"]}
    return plain


# --- blocks that no target reaches -----------------------------------------------------------


def _unused(old: Program, new: Program) -> Iterator[Section]:
    """Blocks that no target of either program applies: their trees are all there is to compare."""
    mine, other = _blocks(old), _blocks(new)
    applied = _applied(old, mine) | _applied(new, other)
    for name in dict.fromkeys([*mine, *other]):
        if name in applied or _shape(mine.get(name)) == _shape(other.get(name)):
            continue
        block = mine.get(name) or other[name]
        kind = type(block).__name__.removesuffix("Decl").lower()
        texts = [_shown(one) for one in (mine.get(name), other.get(name))]
        yield Section(f"{kind} {name}", (Change("", *texts),))


def _shown(block: Any) -> str:
    return ABSENT if block is None else f"as on line {block.name.span.line}"


def _blocks(program: Program) -> Blocks:
    """Sets, specs, recipes and verify blocks of the main file, by name."""
    kinds = (tree.SetDecl, tree.Spec, tree.Train, tree.Verify)
    found = parse_file(program.path).declarations
    return {one.name.text: one for one in found if isinstance(one, kinds)}


def _applied(program: Program, blocks: Blocks) -> set[str]:
    """The blocks whose meaning stands in a target, and those that they mention."""
    reached: set[str] = set()
    for target in program.targets.values():
        for task in target.tasks:
            if isinstance(task, VerifyTask):
                reached |= {task.name, task.claim.name}
            for fit in _fits(task):
                reached |= {fit.recipe, fit.claim.name if fit.claim is not None else ""}
    waiting = [name for name in reached if name in blocks]
    while waiting:
        for name in _mentioned(blocks[waiting.pop()]):
            if name in blocks and name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached


def _mentioned(node: Any) -> Iterator[str]:
    """Every name in a tree."""
    if isinstance(node, tree.Name):
        yield node.text
    elif isinstance(node, tuple):
        for one in node:
            yield from _mentioned(one)
    elif is_dataclass(node):
        for one in fields(node):
            yield from _mentioned(getattr(node, one.name))


def _shape(node: Any) -> Any:
    """A tree without places."""
    if isinstance(node, tuple):
        return tuple(_shape(one) for one in node)
    if is_dataclass(node) and not isinstance(node, type):
        kept = (one.name for one in fields(node) if one.name != "span")
        return (type(node).__name__, *(_shape(getattr(node, name)) for name in kept))
    return node
