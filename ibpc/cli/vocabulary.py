"""All words of the language, gathered from the rooms that implement them."""

from __future__ import annotations

from ibpc.data import AUGMENTATIONS, BUILTIN, SOURCES
from ibpc.graph import INITIALISERS
from ibpc.language import Vocabulary
from ibpc.ops import LAYERS, cannot, infer
from ibpc.sets import SETS, lacks
from ibpc.training import ATTACKS, AVERAGES, BOUNDS, LOGS, LOSSES, OPTIMISERS
from ibpc.verification import STAGES


def vocabulary() -> Vocabulary:
    """The vocabulary that the checker resolves names against."""
    return Vocabulary(
        layers=LAYERS,
        infer=infer,
        sets=SETS,
        losses=LOSSES,
        bounds=BOUNDS,
        optimisers=OPTIMISERS,
        initialisers=INITIALISERS,
        stages=STAGES,
        sources=SOURCES,
        builtin_data=BUILTIN,
        augmentations=AUGMENTATIONS,
        attacks=ATTACKS,
        averages=AVERAGES,
        logs=LOGS,
        lacks=lacks,
        cannot=cannot,
    )
