"""What a loss, an optimiser and a bound method are: words of the language with their facets.

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

    `forms` maps "logits", "worst" or "violation" to a function of (values, labels, arguments):
    values (batch, n) are the logits, or the rows' upper bounds m = C z + d; the result is a scalar.
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
    """

    attach: Callable[[Any, Any, Mapping[str, Any]], Any]


def collect(package: str, paths: Any, attribute: str) -> Mapping[str, Any]:
    """The records that the files of a folder export under `attribute`, by word, sorted."""
    found = {}
    for module in sorted(item.name for item in pkgutil.iter_modules(paths)):
        record = getattr(importlib.import_module(f"{package}.{module}"), attribute)
        found[record.word] = record
    return MappingProxyType(found)
