"""A checked program: every name resolved, every shape known, every number exact.

This is what the engines read. It is finite and static, so that its canonical text
(`ibpc.language.canonical`) has a sha256 which is its identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.errors import Diagnostic, Span
    from ibpc.language.products import Product
    from ibpc.language.vocabulary import Template


# --- types -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TensorType:
    """`real[shape] in [low .. high]`; `labels` name the entries of the only axis, if it has any.

    `domain` holds one interval for all entries, or one for each (records), or None.
    """

    shape: tuple[int, ...]
    domain: tuple[tuple[Fraction, Fraction], ...] | None = None
    labels: tuple[str, ...] | None = None

    @property
    def entries(self) -> int:
        """How many numbers the tensor holds."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class IndexType:
    """`index[10]` or an enum."""

    size: int
    labels: tuple[str, ...] | None = None


# --- networks --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """One ONNX node of a declared network, with its place in the text.

    `name` is unique in the net (`conv1`, `conv1_relu`); `inputs` are value names ("x" is the
    network's input; a node's value has the node's name); `template` brings attributes and weights.
    `out_shape` is without the batch axis. `hidden` is the number of activation units.
    """

    name: str
    inputs: tuple[str, ...]
    template: Template
    out_shape: tuple[int, ...]
    span: Span
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One line of the table that `ibpc check` prints: `conv 16 4x4+2  valid relu 16x13x13 272`."""

    text: str
    details: str
    out_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class DeclaredNet:
    """A network whose layers stand in the spec; `signature`: its type as `ibpc check` prints it."""

    name: str
    input: TensorType
    output: TensorType
    nodes: tuple[PlannedNode, ...]
    lines: tuple[LayerLine, ...]
    hidden: int
    parameters: int
    span: Span
    signature: str = ""


@dataclass(frozen=True, slots=True)
class AffineMap:
    """`value * scale + offset`, element-wise over the flat tensor (or one entry for all)."""

    scale: tuple[Fraction, ...]
    offset: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class OnnxNet:
    """A network by reference; `path` is as resolved from the spec's folder, sha256 of its bytes.

    `sha256` is "" where the file is absent (a warning for check, an error for whoever needs it).
    """

    name: str
    input: TensorType
    output: TensorType
    path: str
    sha256: str
    input_map: AffineMap | None
    output_map: AffineMap | None
    span: Span


Net = DeclaredNet | OnnxNet


# --- data ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Invocation:
    """A resolved word with its arguments: an attack, stage, optimiser, source, augmentation."""

    word: str
    arguments: Mapping[str, Any]
    span: Span


@dataclass(frozen=True, slots=True)
class Dataset:
    """A declared data set; `train`/`test` are sizes or None for all that the source has."""

    name: str
    x: TensorType
    y: IndexType
    source: Invocation
    train: int | None
    test: int | None
    augment: tuple[Invocation, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Split:
    """`mnist.test`; `part` is "train", "test" or "all".

    `first` keeps the first n, `only` the one example of `mnist.test[247]`, counted from 0.
    """

    dataset: Dataset
    part: str
    first: int | None = None
    only: int | None = None


# --- claims ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Symbol:
    """A number that is known only later: `factor` times a schedule of the recipe, by name."""

    name: str
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class InputSet:
    """The set that the tensor quantifier ranges over, cut with the input type's domain.

    kind "ball": around the datum x, radius `eps` (exact, or the Symbol of a schedule), in the
    infinity norm; "ball_2", "ball_1": in the other norms. kind "box": `lower`/`upper`, exact and
    flat. kind "domain": the whole type. kind "pixels": x - eps * lower to x + eps * upper, one
    number for all entries or one each. Other kinds say in their record what `options` (name, value)
    and `parts` hold.
    """

    kind: str
    eps: Fraction | Symbol | None = None
    lower: tuple[Fraction, ...] = ()
    upper: tuple[Fraction, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    parts: tuple[InputSet, ...] = ()

    def option(self, name: str) -> Any:
        """The value of an option; None where it is not given."""
        return dict(self.options).get(name)

    @property
    def schedule(self) -> Symbol | None:
        """The schedule that the radius of the set, or of one of its parts, is a multiple of."""
        if isinstance(self.eps, Symbol):
            return self.eps
        return next((part.schedule for part in self.parts if part.schedule), None)


@dataclass(frozen=True, slots=True)
class Row:
    """One atom `sum coefficient * z[index] + constant <= 0` (or `< 0` where strict).

    In a claim that reads its input, indices from the claim's `size` on are entries of the input.
    """

    coefficients: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """`forall x in set: C[y] z + d[y] <= 0`, a conjunction of rows for each label y (Eq. 2, 3).

    `rows[y]` are the rows when the datum's label is y; a claim that does not look at the label has
    one entry. `argmax` says that the rows are exactly z[k] - z[y] <= 0 for all k != y (Eq. 3), in
    which case `rows` is empty and `size` the number of classes (large tables stay implicit).
    `size` is the length of z. `text` is the claim as written in the spec.

    Where the claim is no conjunction, `clauses[y]` groups the rows of label y: of every group at
    least one row holds. It is empty where each row stands for itself.
    `inputs`: how many entries of the flat input the rows may read behind z; 0 where they read none.
    `exists`: the spec says `exists x in set: ...`, and this is its negation, so that a witness
    against the rows is what was claimed to exist.
    """

    name: str
    set: InputSet
    size: int
    rows: tuple[tuple[Row, ...], ...]
    argmax: bool
    strict: bool
    text: str
    span: Span
    clauses: tuple[tuple[tuple[int, ...], ...], ...] = ()
    inputs: int = 0
    exists: bool = False

    def clauses_of(self, label: int) -> tuple[tuple[int, ...], ...]:
        """The numbers of the rows of each clause, for one label."""
        if self.clauses:
            return self.clauses[label if len(self.clauses) > 1 else 0]
        if self.argmax:
            return tuple((row,) for row in range(self.size - 1))
        return tuple((row,) for row in range(len(self.rows[label if len(self.rows) > 1 else 0])))


# --- plans -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """Holds `value` until step `until` (None: for ever), or ramps to it, reaching it at `until`.

    `shape` is hold, linear, cosine or smooth.
    """

    shape: str
    value: float
    until: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A schedule of the training step t; breakpoints in steps, strictly increasing."""

    segments: tuple[Segment, ...]
    unit: str = "steps"


@dataclass(frozen=True, slots=True)
class LossTerm:
    """A leaf of a loss: `xent(f(x), y)` is word xent over "logits".

    Over "worst" it is a loss on the worst-case logits (Eq. 10), over "violation" one on the rows'
    upper bounds, over "attacked" one on the logits at the attack's point, over "inner" one on the
    bounds of hidden units, over "weights" one on the network's matrices.
    """

    word: str
    over: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LossExpr:
    """`operator` is + - * /, "number" (value), "schedule" (name) or "term" (term)."""

    operator: str
    operands: tuple[LossExpr, ...] = ()
    value: Fraction | None = None
    name: str = ""
    term: LossTerm | None = None


@dataclass(frozen=True, slots=True)
class BoundPart:
    """One method of `beta * crown + (1 - beta) * ibp`, with its weight (numbers, schedules)."""

    weight: LossExpr
    method: Invocation


@dataclass(frozen=True, slots=True)
class Fit:
    """`fit(net)`: the network that a recipe trains, as a value.

    Batch-size counts examples; exactly one of `steps` and `epochs` is given. `curves` has "lr",
    and every schedule that the claim, the loss or the bound names ("eps", "kappa", "beta").
    `bound`: the methods whose upper bounds are mixed; their weights sum to 1. `attack`: what finds
    the points of `attacked(spec)`, None where nothing asks for them. `clip_gradient`: the largest
    norm of the gradient, None for any. `average`: how weights are averaged, None for not at all.
    `logs`: what is written down on the way.
    """

    recipe: str
    net: Net
    data: Split
    claim: Claim | None
    bound: tuple[BoundPart, ...]
    loss: LossExpr
    optimiser: Invocation
    initialiser: Invocation
    batch: int
    steps: int | None
    epochs: int | None
    seed: int
    curves: Mapping[str, Curve]
    attack: Invocation | None
    clip_gradient: float | None
    average: Invocation | None
    logs: tuple[Invocation, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Report:
    """One figure: the cascade that decides each example, and what an undecided one counts as.

    `otherwise` is "unknown" or "attackable".
    """

    name: str
    stages: tuple[Invocation, ...]
    otherwise: str
    span: Span


@dataclass(frozen=True, slots=True)
class VerifyTask:
    """One verify block applied to one network: `table4(fit(small), eps)`.

    `title` distinguishes tasks of a sweep (`table4 small eps_train=0.2 eps=0.1`).
    """

    name: str
    title: str
    network: Fit | Net | Product
    data: Split | None
    claim: Claim
    reports: tuple[Report, ...]
    bindings: Mapping[str, Any]
    span: Span


@dataclass(frozen=True, slots=True)
class Target:
    """What `ibpc run FILE NAME` does: tasks in order (a bare `fit(net)` trains and stops)."""

    name: str
    tasks: tuple[VerifyTask | Fit, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ParamValue:
    """A `param` with the value that holds in this run, and whether the command line set it."""

    name: str
    value: Any
    overridden: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A checked file with everything that it imports."""

    path: str
    nets: Mapping[str, Net]
    data: Mapping[str, Dataset]
    targets: Mapping[str, Target]
    params: tuple[ParamValue, ...]
    files: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()
    docs: Mapping[str, str] = field(default_factory=dict)
