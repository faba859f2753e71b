"""What an expression of the language can be, once evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ibpc.language.program import Dataset, IndexType, Split, Symbol, TensorType
from ibpc.language.quantities import NO_UNIT, PLAIN, Dimension, Quantity, Unit

if TYPE_CHECKING:
    from ibpc.errors import Span
    from ibpc.language.modules import Module
    from ibpc.language.products import Product
    from ibpc.language.program import Claim, Fit, InputSet, Net
    from ibpc.syntax import tree


Numbers = tuple[Fraction, ...]


# --- types -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scalar:
    """`real`, `int` or a unit; `factor` converts the named unit to base units."""

    name: str
    whole: bool = False
    dimension: Dimension = PLAIN
    factor: Fraction = Fraction(1)
    domain: tuple[Fraction, Fraction] | None = None


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor type with what is erased later: its name, units (one, or one each), fields."""

    type: TensorType
    name: str = ""
    units: tuple[Unit, ...] = (NO_UNIT,)
    fields: tuple[str, ...] = ()

    def unit(self, position: int) -> Unit:
        """The unit of one entry."""
        return self.units[position if len(self.units) > 1 else 0]


@dataclass(frozen=True, slots=True)
class Finite:
    """`index[10]` or an enum, with its name."""

    type: IndexType
    name: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A network's type."""

    source: Tensor
    target: Tensor


@dataclass(frozen=True, slots=True)
class Pair:
    """`(x: Image, y: Digit)`."""

    fields: tuple[tuple[str, Checked], ...]


Checked = Scalar | Tensor | Finite | Arrow | Pair


# --- values ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class String:
    """A quoted text."""

    value: str


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type where a value stands: `forall s in Encounter`."""

    type: Checked


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """An imported file under its alias."""

    module: Module


@dataclass(frozen=True, slots=True)
class Many:
    """`[a, b, c]`."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """`[low .. high]`."""

    low: Quantity
    high: Quantity


@dataclass(frozen=True, slots=True)
class Label:
    """One element of a finite index type."""

    index: int
    type: IndexType


@dataclass(frozen=True, slots=True)
class Datum:
    """The example's input, known when the plan runs."""

    name: str
    type: Tensor


@dataclass(frozen=True, slots=True)
class SetVariable:
    """The a of `{ a * x0 + b for a in [0.8 .. 1.2], ... }`."""

    name: str
    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Blend:
    """`sum over keys: key * (gain * x0 + shift)`: a map of a datum x0, entry by entry.

    A key is a variable of the set, a schedule, or None for 1. Gains and shifts are one number for
    all entries, or one each. `datum` is None where none has come in yet. `limits`: the interval
    that the whole is clipped to.
    """

    datum: Datum | None
    terms: tuple[tuple[SetVariable | Symbol | None, Numbers, Numbers], ...]
    limits: tuple[Fraction, Fraction] | None = None


@dataclass(frozen=True, slots=True)
class DatumLabel:
    """The example's label, known when the plan runs."""

    name: str
    type: IndexType


@dataclass(frozen=True, slots=True)
class Opaque:
    """An index of which only the name is known."""

    name: str
    type: IndexType


@dataclass(frozen=True, slots=True)
class TensorVariable:
    """The x of `forall x in SET`; `point` numbers the quantified tensors of a statement."""

    name: str
    type: Tensor
    point: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """A network as a value: declared, by reference, or trained by a recipe.

    `net` is None for the parameter of a block that is checked without being run.
    """

    name: str
    arrow: Arrow
    net: Net | None
    fit: Fit | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A network, by the name that the spec has for it, on one of the quantified tensors."""

    function: str
    point: int


@dataclass(frozen=True, slots=True)
class Outputs:
    """`f(x)`: the network's output on a quantified tensor; `at` is where it is applied."""

    network: Network
    applied: Applied
    type: Tensor
    text: str
    at: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """One number that a claim speaks of: an entry of an application's output, or of an input.

    `of` is the application, or the number of the quantified tensor; the index may be known later.
    """

    of: Applied | int
    index: int | DatumLabel | Opaque


@dataclass(frozen=True, slots=True)
class Linear:
    """`sum coefficient * entry + constant`, in base units of `dimension`.

    `source` is where its first entry comes from, for messages: the text `f(x)` and its place.
    """

    terms: tuple[tuple[Entry, Fraction], ...]
    constant: Fraction
    text: str
    dimension: Dimension = PLAIN
    source: tuple[str, Span] | None = None


@dataclass(frozen=True, slots=True)
class Affine:
    """`x * scale + offset`, entry by entry (one number for all, or one each)."""

    scale: tuple[Fraction, ...]
    offset: tuple[Fraction, ...]
    size: int


@dataclass(frozen=True, slots=True)
class SetValue:
    """An input set and the type that it lies in."""

    set: InputSet
    type: Tensor


@dataclass(frozen=True, slots=True)
class Definition:
    """A set, spec, train or verify block by name, to be called."""

    declaration: tree.SetDecl | tree.Spec | tree.Train | tree.Verify
    module: Module


@dataclass(frozen=True, slots=True)
class ClaimValue:
    """A spec with its arguments.

    `networks` are those it applies; `product` says how, unless it is one network on one tensor.
    `inputs` has a name and the name of a unit for each entry of the flat input.
    """

    claim: Claim
    networks: tuple[Network, ...]
    product: Product | None = None
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DataValue:
    """A data set, or a split of it, with its point type."""

    split: Split
    pair: Pair


Value = (
    Quantity
    | Truth
    | String
    | TypeValue
    | ModuleValue
    | Many
    | Interval
    | Label
    | Datum
    | SetVariable
    | Blend
    | DatumLabel
    | Opaque
    | TensorVariable
    | Network
    | Outputs
    | Linear
    | Affine
    | SetValue
    | Definition
    | ClaimValue
    | DataValue
    | Symbol
)

KINDS: dict[type, str] = {
    Quantity: "a number",
    Truth: "true or false",
    String: "a text",
    TypeValue: "a type",
    ModuleValue: "an imported file",
    Many: "a list",
    Interval: "an interval",
    Label: "a label",
    Datum: "a datum's input",
    SetVariable: "a variable of a set",
    Blend: "an expression in a datum's input",
    DatumLabel: "a datum's label",
    Opaque: "an index",
    TensorVariable: "a quantified tensor",
    Network: "a network",
    Outputs: "a network's output",
    Linear: "an expression in the network's output or input",
    Affine: "an expression in the network's input or output",
    SetValue: "a set",
    Definition: "a block",
    ClaimValue: "a claim",
    DataValue: "data",
    Symbol: "a schedule",
    Dataset: "data",
}


def kind_of(value: object) -> str:
    """What a value is, in words."""
    return KINDS.get(type(value), "something else")
