"""Claims over several networks or tensors: the product that they speak of, and its columns.

A column is an entry of a claim's vector: outputs of applications, then entries of tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ibpc.language.mistakes import wrong
from ibpc.language.program import Fit, InputSet, TensorType
from ibpc.language.values import Applied, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from ibpc.errors import Span
    from ibpc.language.formulas import Clause, Formula
    from ibpc.language.program import Net
    from ibpc.language.statements import Statement
    from ibpc.language.values import Network, SetValue, Tensor, TensorVariable
    from ibpc.syntax import tree

Interval = tuple["Fraction", "Fraction"]

Place = tuple[int, int]
"""(tensor, index): one entry of a quantified tensor."""


@dataclass(frozen=True, slots=True)
class Application:
    """One of a product's networks, by number, on some entries of the product's flat input.

    `entries` is None where it reads the whole input as it is.
    """

    network: int
    entries: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Product:
    """What a claim over several networks or tensors speaks of, as one network.

    Its input is the claim's tensor, or all entries of its tensors behind each other, those that
    the claim makes equal once; its output the flat outputs of the applications behind each other.
    """

    name: str
    networks: tuple[Fit | Net, ...]
    applications: tuple[Application, ...]
    input: TensorType
    output: TensorType
    span: Span


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a claim: `size` outputs, then `inputs` entries of its tensors.

    `first` is where each application's outputs begin; `places[point][index]` the input that an
    entry of a tensor is.
    """

    applied: Mapping[Applied, Network]
    first: Mapping[Applied, int]
    places: tuple[tuple[int, ...], ...]
    size: int
    inputs: int
    set: InputSet
    points: tuple[SetValue, ...]

    def column(self, entry: Entry) -> int:
        """The column of an entry whose index is known."""
        assert isinstance(entry.index, int)
        if isinstance(entry.of, Applied):
            return self.first[entry.of] + entry.index
        return self.size + self.places[entry.of][entry.index]

    def names(self, tensors: Sequence[TensorVariable]) -> tuple[tuple[str, str], ...]:
        """For each input its name (`rho`, `x[3]`, `u.rho`) and the name of its unit."""
        kinds = tuple((tensor.name, tensor.type) for tensor in tensors)
        return _names(self.places, kinds, self.inputs)

    def product(self, declaration: tree.Spec) -> Product | None:
        """The networks as one, None where there is one network on one tensor."""
        if len(self.applied) == len(self.points) == 1:
            return None
        networks: list[Network] = []
        applications = []
        for key, network in self.applied.items():
            if network not in networks:
                networks.append(network)
            entries = None if len(self.points) == 1 else self.places[key.point]
            applications.append(Application(networks.index(network), entries))
        subjects = tuple(one.fit if one.fit is not None else one.net for one in networks)
        known = tuple(one for one in subjects if one is not None)
        kind = self.points[0].type.type if len(self.points) == 1 else TensorType((self.inputs,))
        nets = [one.net if isinstance(one, Fit) else one for one in known]
        name = "_".join(nets[one.network].name for one in applications)
        output = TensorType((self.size,))
        return Product(name, known, tuple(applications), kind, output, declaration.name.span)


@lru_cache(maxsize=64)
def _names(
    places: tuple[tuple[int, ...], ...], kinds: tuple[tuple[str, Tensor], ...], inputs: int
) -> tuple[tuple[str, str], ...]:
    """As `Layout.names`; kept, since a sweep states one claim many times."""
    found: dict[int, tuple[str, str]] = {}
    for point, (tensor, kind) in enumerate(kinds):
        fields = kind.fields
        for index, place in enumerate(places[point]):
            name = fields[index] if fields else f"{tensor}[{index}]"
            name = f"{tensor}.{name}" if fields and len(kinds) > 1 else name
            found.setdefault(place, (name, kind.unit(index).name))
    return tuple(found[place] for place in range(inputs))


def layout_of(
    statement: Statement, applied: Mapping[Applied, Network], formulas: tuple[Formula, ...]
) -> Layout:
    """The columns of a claim over a statement's tensors.

    Raises: TypeMistake E0412 where several tensors have sets that are no boxes; E0306 where
    entries that the claim makes equal have no value in common.
    """
    first, size = {}, 0
    for key, network in applied.items():
        first[key] = size
        size += network.arrow.target.type.entries
    points = statement.points
    if len(points) == 1:
        count = points[0].type.type.entries
        places = (tuple(range(count)),)
        return Layout(applied, first, places, size, count, points[0].set, points)
    sides = [_sides(point, statement) for point in points]
    same = _made_equal(formulas[0]) if len(formulas) == 1 else {}
    numbers: dict[Place, int] = {}
    found: list[tuple[int, ...]] = []
    boxes: list[Interval] = []
    for point, own in enumerate(sides):
        row = []
        for index, side in enumerate(own):
            root = _root(same, (point, index))
            if root not in numbers:
                numbers[root] = len(boxes)
                boxes.append(side)
            place = numbers[root]
            boxes[place] = _common(boxes[place], side, statement)
            row.append(place)
        found.append(tuple(row))
    lower, upper = (tuple(box[end] for box in boxes) for end in (0, 1))
    given = InputSet("box", lower=lower, upper=upper)
    return Layout(applied, first, tuple(found), size, len(boxes), given, points)


def _sides(point: SetValue, statement: Statement) -> list[Interval]:
    """The bounds of one tensor's entries, in the units of its fields."""
    given, kind = point.set, point.type.type
    if given.kind == "box":
        return list(zip(given.lower, given.upper, strict=True))
    if given.kind == "domain" and kind.domain is not None:
        return list(kind.domain) * (kind.entries if len(kind.domain) == 1 else 1)
    fix = "quantify over boxes or over types with a domain, or over one tensor only"
    problem = "several tensors range over boxes that the spec itself gives"
    raise wrong("E0412", problem, statement.at.span, f"a set of kind `{given.kind}`", fix)


def _common(one: Interval, other: Interval, statement: Statement) -> Interval:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    if low > high:
        problem = "tensors that this claim makes agree have no value in common"
        raise wrong("E0306", problem, statement.at.span, "holds for no input")
    return low, high


# --- entries that the claim makes equal ------------------------------------------------------


def _made_equal(formula: Formula) -> dict[Place, Place]:
    """Entries of tensors that are equal wherever the claim says anything, each with another one.

    Every clause holds by itself where two such entries differ: it has both p < q and q < p.
    """
    if isinstance(formula, bool):
        return {}
    shared = set.intersection(*(_differing(clause) for clause in formula))
    parents: dict[Place, Place] = {}
    for one, other in sorted(shared):
        low, high = sorted((_root(parents, one), _root(parents, other)))
        if low != high:
            parents[high] = low
    return parents


def _differing(clause: Clause) -> set[tuple[Place, Place]]:
    """The pairs of input entries (p, q) for which a clause has both p < q and q < p."""
    less = set[tuple[Place, Place]]()
    for atom in clause:
        if not atom.strict or atom.constant or len(atom.terms) != 2:
            continue
        (first, up), (second, down) = atom.terms
        if up != -down or isinstance(first.of, Applied) or isinstance(second.of, Applied):
            continue
        assert isinstance(first.index, int)
        assert isinstance(second.index, int)
        p, q = (first.of, first.index), (second.of, second.index)
        less.add((p, q) if up > 0 else (q, p))
    return {(p, q) for p, q in less if (q, p) in less and p < q}


def _root(parents: Mapping[Place, Place], one: Place) -> Place:
    while one in parents:
        one = parents[one]
    return one
