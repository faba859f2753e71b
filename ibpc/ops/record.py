"""What an operator is: one record in one file, with all its facets.

A facet is an ordinary function over the operands. PyTorch facets (`forward`, `interval`, `joint`)
are written in plain PyTorch and run on tensors and on `torch.fx.Proxy`s alike: called with
proxies, they record straight-line code (that is how `ibpc.bounds` lowers a graph). So they may
branch on what `Site` says, never on the values of operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ibpc.language import Layer

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """What is known of one node before anything runs: the static facts that facets may branch on.

    `shapes[i]`: shape of operand i, batch axis (extent 1) included; None for an absent operand.
    `values[i]`: operand i as a numpy array where it is a constant, else None (at `ibpc check`,
    a tuple of numbers for the few constants that a layer fixes).
    `out_shapes`: filled in after shape inference.
    """

    name: str
    op: str
    attributes: Mapping[str, Any]
    shapes: tuple[Shape | None, ...]
    values: tuple[Any, ...] = ()
    out_shapes: tuple[Shape, ...] = ()

    def attribute(self, name: str, default: Any = None) -> Any:
        """The attribute's value, or the default where the node does not set it."""
        return self.attributes.get(name, default)

    def varies(self, position: int) -> bool:
        """Whether operand `position` is present and not a constant."""
        return self.shapes[position] is not None and self.values[position] is None


class ShapeMistake(Exception):
    """Operands do not fit together; the caller adds the place."""

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.problem, self.fix = problem, fix


class Unsupported(Exception):
    """A facet that is missing, with the reason and what to do instead; the user reads it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands where a facet would: `milp=Missing("why, and what to do instead")`."""

    why: str


@dataclass(frozen=True, slots=True)
class Example:
    """A node to test an operator on: shapes of the variable operands, constants, attributes.

    `operands`: for each operand a Shape (variable, batch axis 1 first), an array-like (constant),
    or None (absent). `low`, `high`: where sampled inputs lie.
    """

    operands: tuple[Any, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    low: float = -2.0
    high: float = 2.0


Facet = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """All that ibpc knows of one operator.

    shape(site) -> tuple of output shapes; raises ShapeMistake. Imports nothing heavy.
    forward(site, *operands) -> value: operands are tensors (constants too), None where absent.
    interval(site, *operands) -> Interval: variable operands are `Interval`s, others tensors.
    joint(site, clean, boxes) -> (value, Interval): only for operators whose training forms of the
        two passes depend on each other (BatchNormalization, Dropout); None elsewhere.
        clean, boxes: sequences of operands of the two passes.
    milp(site, *operands) -> LinearForm: variable operands are `ibpc.domains.LinearForm`s, others
        numpy arrays.
    transpose(site, rows, *operands) -> rows over each operand (None for constants): the linear
        part, applied backward, for CROWN. rows (batch, spec, *out dims), result (batch, spec, *in
        dims); None for variable operands. Where an affine operator has none, autograd stands in.
    relax(site, *operands, knobs=None) -> `ibpc.domains.Relaxation`: linear bounds over the boxes
        (variable operands are `Interval`s), for CROWN; `knobs` (knobs, batch, spec, *dims) in
        [0, 1] choose among them. Where there is none, the interval rule's box stands in.
    sparse: positions of constant matrices that the facets for torch also take in sparse CSR format.
    trainable: operand positions that hold parameters, where they are float constants.
    affine: linear in its variable operands once the others are fixed.
    linear: for other operators, positions of operands in each of which the operator is linear
        where no other one varies (both factors of a product, the dividend of a quotient).
    layers: the keywords of the language that this file brings.
    """

    op: str
    versions: tuple[int, ...]
    shape: Facet
    forward: Facet
    interval: Facet | Missing
    milp: Facet | Missing
    examples: tuple[Example, ...]
    source: str
    joint: Facet | None = None
    transpose: Facet | None = None
    relax: Facet | None = None
    sparse: tuple[int, ...] = ()
    trainable: tuple[int, ...] = ()
    affine: bool = False
    linear: tuple[int, ...] = ()
    layers: tuple[Layer, ...] = ()
