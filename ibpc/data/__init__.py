"""Data: sources, built-in data sets, loaded examples, augmentations.

Light at import: numpy, torch, torchvision and Pillow are loaded by what needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ibpc.data.collected import collect
from ibpc.data.data_dir import default_data_dir
from ibpc.data.record import Augmentation, Builtin, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.data.augment import augment
    from ibpc.data.examples import Examples
    from ibpc.data.keyed_random import datum_keys, derive, integers, uniform
    from ibpc.data.loading import load
    from ibpc.language import Entry, Shape

READ: Mapping[str, Source] = {one.entry.word: one for one in collect("ibpc.data.sources", Source)}
AUGMENTED: Mapping[str, Augmentation] = {
    one.entry.word: one for one in collect("ibpc.data.augmentations", Augmentation)
}

SOURCES: Mapping[str, Entry] = {word: one.entry for word, one in READ.items()}
AUGMENTATIONS: Mapping[str, Entry] = {word: one.entry for word, one in AUGMENTED.items()}
BUILTIN: Mapping[str, Shape] = {
    one.name: one.shape for one in collect("ibpc.data.builtin", Builtin)
}

_HEAVY = {
    "Examples": "ibpc.data.examples",
    "augment": "ibpc.data.augment",
    "datum_keys": "ibpc.data.keyed_random",
    "derive": "ibpc.data.keyed_random",
    "integers": "ibpc.data.keyed_random",
    "load": "ibpc.data.loading",
    "uniform": "ibpc.data.keyed_random",
}

__all__ = [
    "AUGMENTATIONS",
    "BUILTIN",
    "SOURCES",
    "Examples",
    "augment",
    "datum_keys",
    "default_data_dir",
    "derive",
    "integers",
    "load",
    "uniform",
]


def __getattr__(name: str) -> Any:
    """What needs numpy or torch, loaded on first use."""
    if name not in _HEAVY:
        raise AttributeError(f"module 'ibpc.data' has no attribute {name!r}")
    value = getattr(import_module(_HEAVY[name]), name)
    # A submodule may have the same name (`augment`): its import put the module here.
    globals()[name] = value
    return value
