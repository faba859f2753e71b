"""The units whose sign may be split: those of functions that are linear on either side of 0."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from ibpc.bounds import Crown, CrownResult


@dataclass(frozen=True)
class Layer:
    """The units of one value: `nodes` read it, `first` is its first unit's number."""

    value: str
    shape: tuple[int, ...]
    nodes: tuple[str, ...]
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

    def influence(self, found: CrownResult, row: torch.Tensor) -> torch.Tensor:
        """How much the relaxation of each open unit costs one row of each box: (batch, units).

            |A| (-lower upper) / (upper - lower),     A: the row's coefficient of the unit

        0 where a unit's sign is fixed. Shape: row (batch,), the row that is looked at.
        Source: Bunel et al. 2020, "Branch and bound for piecewise linear neural network
        verification", section 5.2 (the intercept's share in the bound).
        """
        import torch

        parts = []
        for layer in self.layers:
            lower, upper = (side.flatten(1) for side in found.bounds[layer.value])
            gap = (-lower).clamp(min=0) * upper.clamp(min=0) / (upper - lower).clamp(min=1e-12)
            weight = torch.zeros_like(gap)
            for node in layer.nodes:
                if node in found.coefficients:
                    rows = found.coefficients[node].flatten(2)
                    rows = rows.expand(len(row), *rows.shape[1:])
                    index = row[:, None, None].expand(-1, 1, rows.shape[2])
                    weight = weight + rows.gather(1, index).squeeze(1).abs()
            parts.append(weight * gap)
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
            for node in layer.nodes:
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
            layers.append(Layer(value, shape, tuple(step.node.name for step in readers), first))
            first += prod(shape)
    return Units(tuple(layers), first)


def _kinked_at_zero(step: object, value: str, shape: tuple[int, ...], crown: Crown) -> bool:
    """Whether the reader's relaxation is exact on [0, 1] and on [-1, 0]."""
    import torch

    from ibpc.domains import Interval

    known: object = getattr(step, "kind", "")
    if known != "bent" or len(step.boxed) != 1:  # type: ignore[attr-defined]
        return False
    for low in (0.0, -1.0):
        lower = torch.full((1, *shape), low, dtype=crown.plan.dtype, device=crown.plan.device)
        box = Interval.from_bounds(lower, lower + 1.0)
        if bool(step.relax({value: box}).loose(0).any()):  # type: ignore[attr-defined]
            return False
    return True
