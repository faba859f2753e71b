"""`scatter(...)`: points in the unit square, of two classes, kept apart: the paper's toy.

Source: Gowal et al. 2019, section 4.3: "13 randomly drawn 2-dimensional points in [0,1]^2, five of
which are from the positive class. The l_inf distance between each pair of points is at least 0.08".
How the points are drawn is not said there; here each is uniform among the places left.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from ibpc.data.record import Raw, Source
from ibpc.language import Entry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.data.record import Request

GRID = 2**20
"""Coordinates are multiples of 1/GRID: exact in float32, and so are their distances."""

DRAWS_PER_POINT = 20_000


def read(request: Request) -> Raw:
    """`n` points (n, 2) float32, the first `positives` of them labelled 1, the others 0.

    |p - q|_inf >= separation for every pair, exactly. The same arguments give the same points.

    Raises: FileMistake (E0524) where so many points find no room.
    """
    import numpy as np

    n, positives = int(request.arguments["n"]), int(request.arguments["positives"])
    separation = Fraction(request.arguments["separation"])
    if positives > n:
        raise request.mistake("E0524", f"{positives} of {n} points cannot be positive")
    # Squares of side s at the points do not overlap and lie in a square of side 1 + s.
    room = (floor(1 / separation) + 1) ** 2 if separation > 0 else n
    if n > room:
        raise request.mistake(
            "E0524",
            f"the unit square has no room for {n} points at distance {float(separation):g}: "
            f"at most {room} fit",
            "ask for fewer points, or a smaller `separation`",
        )
    points = _draw(n, ceil(separation * GRID), int(request.arguments["seed"]))
    if len(points) < n:
        raise request.mistake(
            "E0524",
            f"found room for {len(points)} of {n} points at distance {float(separation):g} "
            f"in {DRAWS_PER_POINT} draws for each",
            "ask for fewer points, a smaller `separation`, or another `seed`",
        )
    images = np.array(points, np.float32).reshape(n, 2) / np.float32(GRID)
    return Raw(images, (np.arange(n) < positives).astype(np.int64), scale=1.0, name="scatter")


def _draw(n: int, gap: int, seed: int) -> list[tuple[int, int]]:
    """Up to n points on the grid, each at least `gap` from those before it."""
    import numpy as np

    # The raw stream of PCG64 is the same in every version of numpy; its distributions need not be.
    bits = np.random.PCG64(seed)
    points: list[tuple[int, int]] = []
    for _ in range(n):
        for _ in range(DRAWS_PER_POINT):
            x, y = (int(bits.random_raw()) % (GRID + 1) for _ in range(2))
            if all(max(abs(x - a), abs(y - b)) >= gap for a, b in points):
                points.append((x, y))
                break
        else:
            break
    return points


def whole(arguments: Mapping[str, Any]) -> bool:
    """Comes in one piece."""
    del arguments
    return True


SOURCE = Source(
    Entry(
        "scatter",
        (
            Slot("n", "int", low=1, doc="number of points"),
            Slot("positives", "int", low=0, doc="how many of them have label 1"),
            Slot("separation", "real", low=0, high=1, doc="least l_inf distance of two points"),
            Slot("seed", "int", default=0, low=0, doc="another seed, other points"),
        ),
        "random points in the unit square, of two classes, a given distance apart",
        source="Gowal et al. 2019, section 4.3",
    ),
    whole,
    read,
)
