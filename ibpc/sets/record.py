"""What an input set is: one record in one file, with its five lowerings.

    hull        a box around it                                IBP, training
    maximum     max of a . x over it, from above               CROWN's last step, and its inner ones
    projection  where to search, and the float32 in it         PGD, witnesses
    milp        variables and rows that describe it            MIP, LP
    exact       which of the three above describe it exactly   evidence

A set is given before the input type's domain cuts it; the functions of `ibpc.sets` cut and round.
Unions have no lowerings: `members` takes them apart, and each member is lowered by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np

    from ibpc.language import Entry, InputSet, TensorType

Array = Any
"""A torch tensor."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands where a lowering would: `milp=Missing("why, and what to do instead")`."""

    why: str


@dataclass(frozen=True)
class Ground:
    """A set without unions around a batch of data: what lowerings work on.

    Shapes: x (batch, *dims) float32; lower, upper (batch, *dims) float64, a box that encloses the
    set, cut with the domain and rounded outward.
    """

    given: InputSet
    kind: TensorType
    x: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def within(self, given: InputSet) -> Ground:
        """Another set around the same data, with the same box."""
        return replace(self, given=given)

    def flat(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The datum and the box in float64, each (batch, n)."""
        import numpy as np

        parts = (self.x, self.lower, self.upper)
        x, lower, upper = (
            np.asarray(part, dtype=np.float64).reshape(len(self.x), -1) for part in parts
        )
        return x, lower, upper


@dataclass(frozen=True)
class Support:
    """Upper bounds of rows over a batch of sets: `rule(rows, roundoff, *tensors)`.

    `rule` is differentiable in the rows, and with a unit roundoff > 0 covers its own rounding.
    `beside`: others over supersets of the same sets; the least counts.
    Shapes: rows (batch or 1, spec, *dims); each tensor (batch, ...); the bounds (batch, spec).
    """

    rule: Callable[..., Array]
    tensors: tuple[Array, ...]
    beside: tuple[Support, ...] = ()

    def __call__(self, rows: Array, roundoff: float) -> Array:
        """Upper bounds of max rows . x over each set."""
        found = self.rule(rows.flatten(2), roundoff, *self.tensors)
        for other in self.beside:
            found = found.minimum(other(rows, roundoff))
        return found

    def __getitem__(self, index: Array) -> Support:
        """The sets at some places of the batch."""
        return replace(
            self,
            tensors=tuple(tensor[index] for tensor in self.tensors),
            beside=tuple(other[index] for other in self.beside),
        )


@dataclass(frozen=True)
class Search:
    """Where an attack looks: points t in a box, which stand for inputs of the network.

    project(t, *tensors): the point near t that belongs to the set (None: the box does it all).
    image(t, *tensors): the network's input (None: t itself). leap(t, gradient, step, *tensors):
    the next point, where steps of a given length lead nowhere (None). step: how far to go first,
    in each entry, or in the 2-norm where `project` is given.

    Shapes: lower, upper, start, step (batch, *dims of t), each tensor (batch, ...); `shape` is that
    of one input.
    """

    lower: Array
    upper: Array
    start: Array
    step: Array | None = None
    tensors: tuple[Array, ...] = ()
    project: Callable[..., Array] | None = None
    image: Callable[..., Array] | None = None
    leap: Callable[..., Array] | None = None
    shape: tuple[int, ...] = (-1,)

    @property
    def plain(self) -> bool:
        """Whether the box is all there is."""
        return self.project is None and self.image is None and self.leap is None

    def __getitem__(self, index: Array) -> Search:
        """The sets at some places of the batch."""
        return replace(
            self,
            lower=self.lower[index],
            upper=self.upper[index],
            start=self.start[index],
            step=None if self.step is None else self.step[index],
            tensors=tuple(part[index] for part in self.tensors),
        )

    def to(self, device: str, shape: tuple[int, ...]) -> Search:
        """On a device, the network's inputs in their shape (parameters keep theirs)."""
        wanted = shape if self.image is None else (-1,)

        def moved(part: Array) -> Array:
            return part.reshape(len(part), *wanted).to(device)

        return replace(
            self,
            lower=moved(self.lower),
            upper=moved(self.upper),
            start=moved(self.start),
            step=None if self.step is None else moved(self.step),
            tensors=tuple(part.to(device) for part in self.tensors),
            shape=shape,
        )

    def inputs(self, points: Array) -> Array:
        """The network's inputs that points stand for."""
        if self.image is None:
            return points
        return self.image(points, *self.tensors).reshape(len(points), *self.shape)

    def inside(self, points: Array) -> Array:
        """The points, brought back into the set."""
        import torch

        points = torch.minimum(torch.maximum(points, self.lower), self.upper)
        return points if self.project is None else self.project(points, *self.tensors)


@dataclass(frozen=True)
class Settled:
    """A float32 input that lies exactly in the set.

    `note`: where that holds but for rounding, how. `facts`: for the evidence (parameters).
    """

    point: np.ndarray
    note: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exactness:
    """Which lowerings describe the set itself, and not only something around it."""

    hull: bool = True
    maximum: bool = True
    milp: bool = True


@dataclass(frozen=True, slots=True)
class SetForm:
    """One kind of input set.

    kind: as in `InputSet.kind`. entry: its word in the language, None where it has none.
    around(set, x, eps) -> (lower, upper): torch, for training and search; eps stands for a radius
        that is a schedule.
    bounds(set, x, outward) -> (lower, upper): float64 arrays around the flat float64 data x
        (batch, *dims); `outward` rounds away from the set's inside, else into it. None on a side
        without a bound.
    maximum(ground) -> Support. None: the hull's own maximum.
    search(ground) -> Search, on the CPU in float32. None: the hull.
    settle(ground of one datum, candidate) -> Settled, or None where no float32 near the candidate
        (flat float64: a point of `search`) is in the set. None: the hull.
    encode(ground of one datum, encoder) -> LinearForm of the flat input. None: the hull.
    decode(ground of one datum, columns) -> candidate, from the values of the variables that
        `encode` made. None: the first n.
    datum(ground of one datum) -> the datum itself, None where it is not in the set. None: what
        `settle` makes of it.
    parameters(set) -> how many parameters stand for an input; 0 where inputs stand for themselves.
    holds(exact differences from the datum, exact radius) -> whether a point is in a ball.
    exact: see `Exactness`. lacks(set, lowering) -> why this very set has none, "" if it has.
    """

    kind: str
    entry: Entry | None
    around: Callable[[Any, Any, Any], tuple[Any, Any]]
    bounds: Callable[[Any, Any, bool], tuple[Any, Any]]
    maximum: Callable[[Ground], Support] | Missing | None = None
    search: Callable[[Ground], Search] | Missing | None = None
    settle: Callable[[Ground, np.ndarray], Settled | None] | None = None
    encode: Callable[[Ground, Any], Any] | Missing | None = None
    decode: Callable[[Ground, np.ndarray], np.ndarray] | None = None
    datum: Callable[[Ground], Settled | None] | None = None
    parameters: Callable[[InputSet], int] = lambda _: 0
    holds: Callable[[list[Fraction], Fraction], bool] | None = None
    exact: Exactness = Exactness()
    lacks: Callable[[InputSet, str], str] | None = None


def radius(given: InputSet, eps: Any) -> Any:
    """The set's radius as a number; where it is a schedule, `eps` times its factor."""
    from ibpc.language import Symbol

    if isinstance(given.eps, Symbol):
        return eps * float(given.eps.factor)
    return float(given.eps or 0)


def exact_radius(given: InputSet) -> Any:
    """The set's radius as a rational; a schedule must have been bound before."""
    from fractions import Fraction

    from ibpc.errors import InternalError

    if not isinstance(given.eps, Fraction | int):
        raise InternalError(f"the set's radius is still `{given.eps}`: bind its schedule first")
    return Fraction(given.eps)
