"""What losses, bounds, attacks, optimisers and averages are: words with their facets.

Facets import torch inside, so that `ibpc check` can read every record without it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ibpc.language import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss(Entry):
    """A loss: a word with what it may stand over, and its formula for each.

    `forms` maps what it may stand over to a function of (values, labels, arguments) that gives a
    scalar. Values are, by what the loss stands over:

    * "logits", "attacked": logits (batch, n), of the datum or of the attack's point;
    * "worst", "violation": the rows' upper bounds m = C z + d, (batch, rows);
    * "inner": the `Inner` bounds of the hidden units;
    * "weights": a list of the network's matrices.
    """

    forms: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimiser(Entry):
    """An optimiser: `make(parameters, arguments)` gives a torch optimiser, lr unset."""

    make: Callable[[Any, Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(Entry):
    """A way to bound the claim while training.

    `attach(graph, claim, arguments)` gives the graph whose only output is the violation.
    `region(arguments, lower, upper, x, point)` gives the box to bound over, where it is another
    than the claim's; `point` is what the recipe's attack found.
    `lower(graph, weights, arguments)` gives a function (lower, upper, label) -> upper bounds
    (batch, rows); without it the interval program does, which shares a pass with the clean logits.
    """

    attach: Callable[[Any, Any, Mapping[str, Any]], Any]
    region: Callable[..., Any] | None = None
    lower: Callable[[Any, Any, Mapping[str, Any]], Any] | None = None

    @property
    def attacks(self) -> bool:
        """Whether it needs an attack's point."""
        return self.region is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAttack(Entry):
    """What finds bad points while training.

    `find(rows, lower, upper, x, label, keys, arguments)` gives points (batch, *dims) of the boxes;
    `rows(x, label)` is C f(x) + d, `keys` (batch,) int64 decide whatever is random.
    """

    find: Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Average(Entry):
    """A way to average weights over steps: `merge(average, now, step, arguments)`, in place.

    Two lists of tensors; `step` counts the updates from 0.
    """

    merge: Callable[[Any, Any, int, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What a log sees: the recipe, its examples, the network as prepared, the weights as they are.

    `largest` is the largest value of the schedule in the claim's set.
    """

    fit: Any
    examples: Any
    graph: Any
    weights: Any
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Entry):
    """Something to write down every `every` steps: `facts(look, arguments)` gives a line."""

    facts: Callable[[Look, Mapping[str, Any]], dict[str, Any]]


def collect(package: str, paths: Any, attribute: str) -> Mapping[str, Any]:
    """The records that the files of a folder export under `attribute`, by word, sorted."""
    found = {}
    for module in sorted(item.name for item in pkgutil.iter_modules(paths)):
        record = getattr(importlib.import_module(f"{package}.{module}"), attribute)
        found[record.word] = record
    return MappingProxyType(found)
