"""The words that the checker knows, as records handed to it from above.

Layers, sets, losses, attacks, stages, optimisers, data sources and augmentations are plain
identifiers in the grammar. What they are called, what arguments they take and what they build is
said by records in the rooms that implement them; `ibpc.cli` gathers these into a `Vocabulary`.
Nothing here imports torch, onnx or mip, so that `ibpc check` stays light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ibpc.language.program import InputSet

Shape = tuple[int, ...]

REQUIRED: Any = object()
"""Default of an argument that has none."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument of an entry.

    `kind` is one of: int, real, bool, word (an identifier out of `choices`), integers (a list),
    reals (a list of numbers), kernel (`4x4+2`), padding (`valid`, `same` or an int), text, time
    (seconds), predicate (a boolean expression over f, x, y, kept as syntax), network (the block's
    own, given as the default).
    """

    name: str
    kind: str
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    doc: str = ""
    positional: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A word with its arguments: `pgd(steps = 200, restarts = 10)`, `adam`, `flip(horizontal)`."""

    word: str
    slots: tuple[Slot, ...]
    doc: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class StageEntry(Entry):
    """A stage of a cascade. `role` orders them: a useless order of stages is a warning.

    Roles: observe (forward), refute (attacks; can never prove), bound (incomplete; can prove),
    exact (complete), relax (fallback bound after an exact stage). `needs`: the lowering of the
    claim's input set that the stage works with (`hull`, `maximum`, `projection`, `milp`), "" where
    it looks at the datum alone.
    """

    role: str = "bound"
    needs: str = ""


class LayerMistake(Exception):
    """A layer does not fit: `problem`, `fix`, and the name of the argument to point at, if any."""

    def __init__(self, problem: str, fix: str = "", argument: str = "") -> None:
        super().__init__(problem)
        self.problem, self.fix, self.argument = problem, fix, argument


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that a layer brings: its role in names, shape, and how it starts.

    `init` names an initialiser: "weight" (the recipe's choice: orthogonal by default), "zeros",
    "ones", or "values" with the exact numbers in `values` (flat, row-major; ints for shapes).
    `trainable` is False for statistics that are no parameters (BatchNorm's mean and variance).
    """

    role: str
    shape: Shape
    init: str
    values: tuple[Any, ...] = ()
    dtype: str = "float32"
    trainable: bool = True


@dataclass(frozen=True, slots=True)
class Template:
    """One ONNX node that a layer asks for: operands are the running value, then the weights."""

    op: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[Weight, ...] = ()


Build = Callable[[Mapping[str, Any], Shape, Shape], tuple[Template, ...]]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer keyword.

    `build(arguments, in_shape, out_shape)` gives the ONNX nodes, in order; shapes are without the
    batch axis; `out_shape` is the network's declared output (only `out` looks at it). It raises
    `LayerMistake`. `takes_count`/`takes_kernel` tell what the paper's notation
    (`conv 16 4x4+2`) means: arguments "count" (int) and "kernel" ((height, width), stride).
    `activates`: followed by the block's default activation; `activation`: its units count as
    hidden units (Table 1), and `act = word` may name it.
    """

    word: str
    slots: tuple[Slot, ...]
    build: Build
    doc: str
    takes_count: str = ""
    takes_kernel: bool = False
    activates: bool = False
    activation: bool = False


Infer = Callable[[str, Mapping[str, Any], tuple[Shape, ...], tuple[Any, ...]], Shape]
"""`infer(op, attributes, operand_shapes, operand_values)`: the shape rule of an operator, batch
axis (extent 1) included; operand_values[i] is a tuple of numbers where known, else None."""


Lacks = Callable[[InputSet, str], str]
"""`lacks(set, lowering)`: why the set has no such lowering; "" where it has one."""


Cannot = Callable[[str, str], str]
"""`cannot(op, needs)`: why a stage with such needs cannot work on an operator; "" where it can."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words, by kind; handed down by `ibpc.cli`."""

    layers: Mapping[str, Layer]
    infer: Infer
    sets: Mapping[str, Entry]
    losses: Mapping[str, Entry]
    bounds: Mapping[str, Entry]
    optimisers: Mapping[str, Entry]
    initialisers: Mapping[str, Entry]
    stages: Mapping[str, StageEntry]
    sources: Mapping[str, Entry]
    builtin_data: Mapping[str, Shape]
    augmentations: Mapping[str, Entry]
    attacks: Mapping[str, Entry] = field(default_factory=dict)
    averages: Mapping[str, Entry] = field(default_factory=dict)
    logs: Mapping[str, Entry] = field(default_factory=dict)
    lacks: Lacks = lambda *_: ""
    cannot: Cannot = lambda *_: ""
