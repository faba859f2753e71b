"""Input sets: one record in one file, with five lowerings (see `ibpc.sets.record`).

The box of a set is cut with the domain of the input's type. `hull` serves training and search;
`outer_box` is rounded outward from the exact rational bounds, for proofs; `inner_box` inward, so
that a witness clamped into it lies in the exact set. Sets that are no box have a `support` for
bounds, a `search` for attacks, `settle` for witnesses and `encoded` for MILPs; `members` takes
unions apart, and `lacks` says what a set cannot do. Importing this room loads neither torch nor
numpy.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ibpc.sets.record import Exactness, Ground, Missing, Search, Settled, Support, radius

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language import Entry, InputSet
    from ibpc.sets.boxes import hull, inner_box, outer_box
    from ibpc.sets.emptiness import empty, may_be_empty
    from ibpc.sets.inside import into_box, within
    from ibpc.sets.lowering import (
        encoded,
        ground,
        held,
        members,
        search,
        settle,
        settle_columns,
        settle_datum,
        support,
    )
    from ibpc.sets.record import SetForm

__all__ = [
    "FORMS",
    "SETS",
    "Ground",
    "Search",
    "Settled",
    "Support",
    "empty",
    "encoded",
    "exact",
    "ground",
    "held",
    "hull",
    "inner_box",
    "into_box",
    "lacks",
    "may_be_empty",
    "members",
    "outer_box",
    "radius",
    "search",
    "settle",
    "settle_columns",
    "settle_datum",
    "support",
    "within",
]

_HOMES = {
    "empty": "emptiness",
    "encoded": "lowering",
    "ground": "lowering",
    "held": "lowering",
    "hull": "boxes",
    "inner_box": "boxes",
    "into_box": "inside",
    "may_be_empty": "emptiness",
    "members": "lowering",
    "outer_box": "boxes",
    "search": "lowering",
    "settle": "lowering",
    "settle_columns": "lowering",
    "settle_datum": "lowering",
    "support": "lowering",
    "within": "inside",
}
_HEAVY = ("boxes", "constants", "distances", "emptiness", "inside", "lowering", "norms")
"""Files that hold no record and import numpy or torch."""


def _forms() -> Mapping[str, SetForm]:
    """The records of the folder's files, by kind."""
    found = {}
    for module in sorted(entry.name for entry in iter_modules(__path__)):
        if module in _HEAVY:
            continue
        form = vars(import_module(f"{__name__}.{module}")).get("FORM")
        if form is not None:
            found[form.kind] = form
    return MappingProxyType(found)


FORMS = _forms()
SETS: Mapping[str, Entry] = MappingProxyType(
    {form.entry.word: form.entry for form in FORMS.values() if form.entry is not None}
)


_FACETS = {"maximum": "maximum", "projection": "search", "milp": "encode"}


QUERIES = ("ball", "box", "domain")
"""Sets that `ibpc.exchange.claim_property` writes as a box."""


def lacks(given: InputSet, lowering: str) -> str:
    """Why a set has no such lowering (`hull`, `maximum`, `projection`, `milp`); "" if it has one.

    A union has what all its members have; a set made of others may need theirs as well. `query` is
    none: it asks for one of the boxes that a property file can say.
    """
    if lowering == "query":
        boxes = ", ".join(f"`{kind}`" for kind in QUERIES)
        return "" if given.kind in QUERIES else f"it decides {boxes}; use `crown` or `mip` instead"
    if given.kind == "union":
        return next(filter(None, (lacks(part, lowering) for part in given.parts)), "")
    facet = getattr(FORMS[given.kind], _FACETS.get(lowering, ""), None)
    if isinstance(facet, Missing):
        return facet.why
    needs = FORMS[given.kind].lacks
    return needs(given, lowering) if needs is not None else ""


def exact(given: InputSet) -> Exactness:
    """Which lowerings of a set describe it itself; of one made of others, all parts must."""
    own = FORMS[given.kind].exact
    parts = [exact(part) for part in given.parts]
    return Exactness(
        own.hull,
        own.maximum and all(part.maximum for part in parts),
        own.milp and all(part.milp for part in parts),
    )


def __getattr__(name: str) -> Any:
    """Loads numpy and torch only when a box is asked for."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"ibpc.sets.{_HOMES[name]}"), name)
