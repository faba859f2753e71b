"""Input sets: one record in one file, and the box that each one is (or is inside of).

The box of a set is cut with the domain of the input's type. `hull` serves training and search;
`outer_box` is rounded outward from the exact rational bounds, for proofs; `inner_box` inward, so
that a witness clamped into it lies in the exact set. Importing this room loads neither torch nor
numpy.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language import Entry
    from ibpc.sets.boxes import hull, inner_box, outer_box
    from ibpc.sets.record import SetForm

__all__ = ["FORMS", "SETS", "hull", "inner_box", "outer_box"]

_HEAVY = ("boxes", "constants")
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


def __getattr__(name: str) -> Any:
    """Loads numpy and torch only when a box is asked for."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module("ibpc.sets.boxes"), name)
