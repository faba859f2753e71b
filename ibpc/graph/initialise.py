"""How weights start: the recipe's choice, from the spec's seed.

Each weight has its own random numbers, drawn from (seed, name of the weight): neither the order
of layers nor the number of threads changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from math import pi, prod, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from ibpc.graph.ir import Shape

    Draw = Callable[[np.random.Generator, Shape, Mapping[str, Any]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Initialiser(Entry):
    """A way to draw weights: `draw(generator, shape, arguments)` gives a float64 array.

    Shapes: (out, in) of a fully connected layer, (out, in / groups, *kernel) of a convolution; the
    fan-in is the product of all but the first.
    """

    draw: Draw = field(kw_only=True)


def initial_weight(
    word: str, arguments: Mapping[str, Any], seed: int, name: str, shape: Shape
) -> np.ndarray:
    """The first value of weight `name`, as float32."""
    import numpy as np

    entry = INITIALISERS[word]
    given = {slot.name: arguments.get(slot.name, slot.default) for slot in entry.slots}
    return np.asarray(entry.draw(generator(seed, name), shape, given), dtype=np.float32)


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers that belong to (seed, name)."""
    import numpy as np

    key = sha256(f"{seed}/{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key[:16], "big")))


def orthogonal(random: np.random.Generator, shape: Shape, given: Mapping[str, Any]) -> np.ndarray:
    """Gain times a (semi-)orthogonal matrix: the weight, flattened to (out, fan-in), is one.

    The Q of a Gaussian matrix, with the signs of R's diagonal, is uniform over such matrices.
    Computed by one thread: the last bits of a parallel QR depend on the number of threads.
    Source: Saxe et al. 2014, arXiv:1312.6120; the form of torch.nn.init.orthogonal_.
    """
    import numpy as np
    import torch

    rows, columns = shape[0], prod(shape[1:])
    matrix = random.standard_normal((max(rows, columns), min(rows, columns)))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        q, r = (part.numpy() for part in torch.linalg.qr(torch.from_numpy(matrix)))
    finally:
        torch.set_num_threads(threads)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return np.asarray((q if rows >= columns else q.T).reshape(shape) * float(given["gain"]))


def ibp(random: np.random.Generator, shape: Shape, _: Mapping[str, Any]) -> np.ndarray:
    """N(0, s^2) with s = sqrt(2 pi) / fan-in: the width of the bounds stays as it is.

    Source: Shi et al. 2021, arXiv:2103.17268 (their IBP initialisation).
    """
    return random.standard_normal(shape) * (sqrt(2 * pi) / prod(shape[1:]))


def kaiming(random: np.random.Generator, shape: Shape, _: Mapping[str, Any]) -> np.ndarray:
    """N(0, 2 / fan-in): keeps the variance of values through ReLU layers.

    Source: He et al. 2015, arXiv:1502.01852 (forward case).
    """
    return random.standard_normal(shape) * sqrt(2 / prod(shape[1:]))


_GAIN = Slot("gain", "real", default=1.0, low=0.0, doc="factor of the orthogonal matrix")

INITIALISERS: Mapping[str, Initialiser] = MappingProxyType(
    {
        entry.word: entry
        for entry in (
            Initialiser(
                "orthogonal",
                (_GAIN,),
                "orthogonal matrices",
                "Saxe et al. 2014, arXiv:1312.6120",
                draw=orthogonal,
            ),
            Initialiser(
                "ibp",
                (),
                "bounds keep their width from layer to layer",
                "Shi et al. 2021, arXiv:2103.17268",
                draw=ibp,
            ),
            Initialiser(
                "kaiming",
                (),
                "values keep their variance from layer to layer",
                "He et al. 2015, arXiv:1502.01852",
                draw=kaiming,
            ),
        )
    }
)
