"""The units whose sign may be split: those of functions that are linear on either side of 0."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from ibpc.bounds import Crown, CrownResult, Step


LEAST = 1e-3
"""So much of what a unit may add anywhere counts beside what it adds at the worst point."""


@dataclass(frozen=True)
class Layer:
    """The units of one value: `steps` read it, `first` is its first unit's number."""

    value: str
    shape: tuple[int, ...]
    steps: tuple[Step, ...]
    first: int

    @property
    def count(self) -> int:
        """How many units."""
        return prod(self.shape)


@dataclass(frozen=True)
class Units:
    """All units of a network that splits may fix, numbered layer by layer."""

    layers: tuple[Layer, ...]
    total: int

    def dense(self, units: torch.Tensor, entries: torch.Tensor) -> dict[str, torch.Tensor]:
        """Entries of chosen units as one tensor a layer, 0 elsewhere; layers of zeros are left out.

        Shapes: units (batch, depth), entries (batch, ..., depth); gives (batch, ..., *dims).
        """
        lead = entries.shape[:-1]
        flat = entries.new_zeros(*lead, self.total)
        place = units.reshape(units.shape[0], *(1,) * (len(lead) - 1), -1).expand(entries.shape)
        # Padding adds 0 to unit 0.
        flat.scatter_add_(-1, place, entries)
        found = {}
        for layer in self.layers:
            part = flat[..., layer.first : layer.first + layer.count]
            if bool(part.any()):
                found[layer.value] = part.reshape(*lead, *layer.shape)
        return found

    def flat(self, parts: Mapping[str, torch.Tensor], like: torch.Tensor) -> torch.Tensor:
        """The inverse of `dense`: (batch, ..., *dims) by layer to (batch, ..., units)."""
        import torch

        lead = like.shape
        return torch.cat(
            [
                parts[layer.value].reshape(*lead, layer.count)
                if layer.value in parts
                else like.new_zeros(*lead, layer.count)
                for layer in self.layers
            ],
            -1,
        )

    def influence(
        self, found: CrownResult, row: torch.Tensor, values: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """What the relaxation of each open unit adds to one row of each box: (batch, units).

            A (line(z) - f(z)),     A: the row's coefficient of f(z), z: the unit at a point

        At the point where the row's linear bound is largest these add up to the whole distance
        between the bound and the row's true value there: going back, each step puts lines in the
        place of functions at the network's own values. To that a little of the most that the unit
        may add anywhere, so that only units whose sign is fixed have 0.

        `values`: those of the network at that point. Shape: row (batch,), the row looked at.
        Source: for the second part Bunel et al. 2020, "Branch and bound for piecewise linear
        neural network verification", section 5.2; the first is derived here.
        """
        import torch

        parts = []
        for layer in self.layers:
            lower, upper = (side.flatten(1) for side in found.bounds[layer.value])
            most = (-lower).clamp(min=0) * upper.clamp(min=0) / (upper - lower).clamp(min=1e-12)
            score = torch.zeros_like(most)
            for step in layer.steps:
                if step.node.name in found.coefficients:
                    rows = _picked(found.coefficients[step.node.name], row)
                    here = _gap(step, layer.value, found, row, values[layer.value])
                    score = score + (rows * here).flatten(1) + LEAST * rows.flatten(1).abs() * most
            parts.append(score * (most > 0))
        return torch.cat(parts, 1)

    def first_multipliers(self, found: CrownResult) -> tuple[torch.Tensor, torch.Tensor]:
        """Multipliers under which a fixed sign makes no row's bound worse: for +1 and for -1.

        A row with coefficient A < 0 stood on the lower line a x. Where the sign is fixed the line
        is x, or 0, and A x + beta x = a A x for beta = |A| (1 - a), A 0 - beta x = a A x for
        beta = |A| a. Where A > 0 the new line lies below the old one everywhere: beta = 0.

        Shapes: (batch, spec, units) both.
        """
        import torch

        batch, spec = found.upper.shape
        plus, minus = [], []
        for layer in self.layers:
            above = found.upper.new_zeros(batch, spec, layer.count)
            below = torch.zeros_like(above)
            for node in (step.node.name for step in layer.steps):
                if node in found.coefficients and node in found.choice.knobs:
                    size = (-found.coefficients[node].flatten(2)).clamp(min=0)
                    share = found.choice.knobs[node][0].flatten(2)
                    above, below = above + size * (1 - share), below + size * share
            plus.append(above)
            minus.append(below)
        return torch.cat(plus, 2), torch.cat(minus, 2)


def splittable(crown: Crown) -> Units:
    """The units of a graph whose bent readers are all exact once the unit's sign is known."""
    layers: list[Layer] = []
    first = 0
    for value in crown.pre_activations:
        readers = [
            step for step in crown.plan.steps if step.kind != "affine" and value in step.inputs
        ]
        shape = crown.plan.values[value][1:]
        if readers and all(_kinked_at_zero(step, value, shape, crown) for step in readers):
            layers.append(Layer(value, shape, tuple(readers), first))
            first += prod(shape)
    return Units(tuple(layers), first)


def _picked(rows: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    """One row of each box: (batch or 1, spec, *dims) to (batch, 1, *dims)."""
    import torch

    wide = rows.expand(len(row), *rows.shape[1:])
    return wide[torch.arange(len(row), device=rows.device), row].unsqueeze(1)


def _gap(
    step: Step, value: str, found: CrownResult, row: torch.Tensor, at: torch.Tensor
) -> torch.Tensor:
    """The line less f, of a reader at a value: the line that a row's coefficients choose.

    Shapes: at (batch, *dims), row (batch,); gives (batch, 1, *dims).
    """
    import torch

    from ibpc.domains import Interval

    rows = _picked(found.coefficients[step.node.name], row)
    knobs = found.choice.knobs.get(step.node.name)
    if knobs is not None:
        knobs = torch.stack([_picked(part, row) for part in knobs])
    box = Interval.from_bounds(*found.bounds[value])
    lines = step.relax({value: box}, knobs)
    (image,) = step.forward({value: at})
    point, sides = at.unsqueeze(1), []
    pairs = ((lines.slope_lower, lines.offset_lower), (lines.slope_upper, lines.offset_upper))
    for slope, offset in pairs:
        sides.append(slope * point if offset is None else slope * point + offset)
    return torch.where(rows > 0, sides[1], sides[0]) - image.unsqueeze(1)


def _kinked_at_zero(step: Step, value: str, shape: tuple[int, ...], crown: Crown) -> bool:
    """Whether the reader's relaxation is exact on [0, 1] and on [-1, 0]."""
    import torch

    from ibpc.domains import Interval

    if step.kind != "bent" or len(step.boxed) != 1:
        return False
    for low in (0.0, -1.0):
        lower = torch.full((1, *shape), low, dtype=crown.plan.dtype, device=crown.plan.device)
        box = Interval.from_bounds(lower, lower + 1.0)
        if bool(step.relax({value: box}).loose(0).any()):
            return False
    return True
