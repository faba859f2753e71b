"""For each record of a set: an example around random data, and what belongs to it.

`samples` and `outside` say in plain numpy what a set is, independently of the records' lowerings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from ibpc.language import InputSet, TensorType

UNIT = ((Fraction(0), Fraction(1)),)
IMAGE = TensorType((2, 3, 3), UNIT)
SIZE = 18

Sampler = Callable[[np.ndarray, np.random.Generator, int], np.ndarray]
Outside = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SetExample:
    """A set over `kind`, how to draw from it, and by how much a point lies outside of it.

    samples(x, rng, count) -> (count, n) around one flat float64 datum; outside(x, points) ->
    (count,). `data(rng)` draws one datum, flat float32. `steps`: see the tests' ascent.
    """

    given: InputSet
    kind: TensorType
    samples: Sampler
    outside: Outside
    data: Callable[[np.random.Generator], np.ndarray]


def pixels(rng: np.random.Generator) -> np.ndarray:
    """Grey values, some of them at the edge of the domain."""
    return np.clip(rng.uniform(-0.3, 1.3, SIZE), 0, 1).astype(np.float32)


def _domain(points: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(-points, points - 1).max(1), 0.0)


def box_example(
    given: InputSet, side: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> SetExample:
    """A set that is a box: `side(x)` gives its bounds in float64."""

    def cut(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = side(x)
        return np.maximum(lower, 0), np.minimum(upper, 1)

    def samples(x: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        lower, upper = cut(x)
        share = rng.random((count, len(x)))
        share[: count // 2] = share[: count // 2].round()
        return lower + (upper - lower) * share

    def outside(x: np.ndarray, points: np.ndarray) -> np.ndarray:
        lower, upper = cut(x)
        return np.maximum(np.maximum(lower - points, points - upper).max(1), 0.0)

    return SetExample(given, IMAGE, samples, outside, pixels)


def ball_example(norm: int, radius: Fraction) -> SetExample:
    """A ball in the 1- or 2-norm, cut with the domain."""

    def length(away: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(away, ord=norm, axis=1))

    def samples(x: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        way = rng.normal(size=(count, len(x))) * (rng.random((count, len(x))) < rng.random())
        size = np.maximum(length(way), 1e-12)
        way = way * (float(radius) * (1 - 1e-12) * rng.random(count) ** 0.1 / size)[:, None]
        return np.clip(x + way, 0, 1)  # nearer to x, which lies in the domain

    def outside(x: np.ndarray, points: np.ndarray) -> np.ndarray:
        return np.maximum(length(points - x) - float(radius), _domain(points))

    return SetExample(InputSet(f"ball_{norm}", radius), IMAGE, samples, outside, pixels)


def _fractions(numbers: np.ndarray) -> tuple[Fraction, ...]:
    return tuple(Fraction(int(number * 64), 64) for number in numbers)


def _tenth_of(count: int) -> SetExample:
    width = count / 10
    given = InputSet("ball", Fraction(count, 10))
    return box_example(given, lambda x: (x - width, x + width))


def _masked() -> SetExample:
    rng = np.random.default_rng(5)
    down, up = (_fractions(rng.random(SIZE) * (rng.random(SIZE) < 0.7)) for _ in range(2))
    given = InputSet("pixels", Fraction(1, 2), down, up)
    low, high = (np.array([float(width) for width in side]) / 2 for side in (down, up))
    return box_example(given, lambda x: (x - low, x + high))


def _box() -> SetExample:
    given = InputSet("box", None, (Fraction(1, 4),) * SIZE, (Fraction(3, 4),) * SIZE)
    return box_example(given, lambda x: (np.full_like(x, 0.25), np.full_like(x, 0.75)))


def _free() -> SetExample:
    mask = np.zeros(IMAGE.shape, dtype=bool)
    mask[:, 1:3, 0:2] = True
    flat = mask.reshape(-1)
    given = InputSet("free", options=(("window", (1, 0, 2, 2)),))
    return box_example(given, lambda x: (np.where(flat, 0.0, x), np.where(flat, 1.0, x)))


def _light() -> SetExample:
    """Contrast and brightness, clipped; samples are images of random parameters."""
    low, high = (Fraction(4, 5), Fraction(-1, 10)), (Fraction(6, 5), Fraction(1, 5))
    one, zero = (Fraction(1),), (Fraction(0),)
    settings = (
        ("variables", ("a", "b")),
        ("gain", (zero, one, zero)),
        ("shift", (zero, zero, one)),
        ("limits", (Fraction(0), Fraction(1))),
    )
    ends = [np.array([float(end) for end in side]) for side in (low, high)]

    def images(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.clip(t[:, :1] * x + t[:, 1:], 0, 1)

    def samples(x: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        share = rng.random((count, 2))
        share[: count // 2] = share[: count // 2].round()
        return images(x, ends[0] + (ends[1] - ends[0]) * share)

    def outside(x: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The distance from the image of the parameters that the entries inside (0, 1) ask for."""
        away = []
        for point in points[-200:]:
            free = (point > 0) & (point < 1)
            sides = np.stack([x[free], np.ones(free.sum())], axis=1)
            t = np.clip(np.linalg.lstsq(sides, point[free], rcond=None)[0], *ends)
            away.append(np.abs(images(x, t[None])[0] - point).max())
        return np.array(away)

    given = InputSet("image", None, low, high, settings)
    return SetExample(given, IMAGE, samples, outside, pixels)


PLACES, WORDS = 4, 5
SUBSTITUTES = ((1, 2), (0, 2), (), (4,), (0, 3))
TEXT = TensorType((PLACES, WORDS), UNIT)


def text(rng: np.random.Generator) -> np.ndarray:
    """One word in each row, the last row empty."""
    words = rng.integers(0, WORDS, PLACES)
    rows = np.eye(WORDS, dtype=np.float32)[words]
    rows[-1] = 0.0
    return rows.reshape(-1)


def _members(x: np.ndarray) -> np.ndarray:
    """Which words may stand in each row, its own included."""
    rows = x.reshape(PLACES, WORDS) > 0
    found = rows.copy()
    for row, word in zip(*np.nonzero(rows), strict=True):
        found[row, list(SUBSTITUTES[word])] = True
    return found


def _choice(swaps: int) -> SetExample:
    def corners(x: np.ndarray) -> np.ndarray:
        """All texts of the set, by trying all combinations."""
        rows = x.reshape(PLACES, WORDS)
        ways = [np.flatnonzero(row) if row.any() else [-1] for row in _members(x)]
        found = []
        for words in product(*ways):
            new = np.zeros((PLACES, WORDS))
            for row, word in enumerate(words):
                if word >= 0:
                    new[row, word] = 1.0
            if (new != rows).any(1).sum() <= swaps:
                found.append(new.reshape(-1))
        return np.array(found)

    def samples(x: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        there = corners(x)
        return there[rng.integers(0, len(there), count)]

    def outside(x: np.ndarray, points: np.ndarray) -> np.ndarray:
        there = corners(x)
        return np.array([np.abs(there - point).max(1).min() for point in points[-500:]])

    settings = (("substitutes", SUBSTITUTES), ("max_swaps", swaps))
    return SetExample(InputSet("choice", options=settings), TEXT, samples, outside, text)


def _simplex() -> SetExample:
    def samples(x: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        weights = rng.exponential(size=(count, PLACES, WORDS)) ** 3 * _members(x)
        total = weights.sum(2, keepdims=True)
        return (weights / np.where(total > 0, total, 1.0)).reshape(count, -1)

    def outside(x: np.ndarray, points: np.ndarray) -> np.ndarray:
        rows = points.reshape(len(points), PLACES, WORDS)
        sums = np.abs(rows.sum(2) - x.reshape(PLACES, WORDS).sum(1)).max(1)
        strangers = np.abs(rows * ~_members(x)).max((1, 2))
        return np.maximum(np.maximum(sums, strangers), -rows.min((1, 2)))

    given = InputSet("simplex", options=(("substitutes", SUBSTITUTES),))
    return SetExample(given, TEXT, samples, outside, text)


def _both(one: SetExample, *others: SetExample, share: float = 1.0) -> SetExample:
    """The intersection: samples of the first that lie in the others, drawn to the datum."""

    def outside(x: np.ndarray, points: np.ndarray) -> np.ndarray:
        found = [part.outside(x, points) for part in (one, *others)]
        return np.max([each[-min(map(len, found)) :] for each in found], axis=0)

    def samples(x: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        drawn = one.samples(x, rng, count * 4)
        inside = np.max([part.outside(x, drawn) for part in others], axis=0) <= 1e-12
        kept = drawn[inside]
        return kept[rng.integers(0, len(kept), count)]

    given = InputSet("intersect", parts=tuple(part.given for part in (one, *others)))
    return SetExample(given, one.kind, samples, outside, one.data)


EXAMPLES: dict[str, SetExample] = {
    "ball": _tenth_of(1),
    "ball_1": ball_example(1, Fraction(4, 5)),
    "ball_2": ball_example(2, Fraction(3, 5)),
    "box": _box(),
    "choice": _choice(2),
    "domain": box_example(InputSet("domain"), lambda x: (np.zeros_like(x), np.ones_like(x))),
    "free": _free(),
    "image": _light(),
    "intersect of balls": _both(
        ball_example(2, Fraction(3, 5)), ball_example(1, Fraction(6, 5)), _tenth_of(2)
    ),
    "intersect with an image": _both(_light(), ball_example(2, Fraction(2, 5)), _tenth_of(2)),
    "pixels": _masked(),
    "simplex": _simplex(),
}
