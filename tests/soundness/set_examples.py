"""For each record of a set: an example around random data, and what belongs to it.

`samples` and `outside` say in plain numpy what a set is, independently of the records' lowerings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

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


def _tenth() -> SetExample:
    return box_example(InputSet("ball", Fraction(1, 10)), lambda x: (x - 0.1, x + 0.1))


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


EXAMPLES: dict[str, SetExample] = {
    "ball": _tenth(),
    "ball_1": ball_example(1, Fraction(4, 5)),
    "ball_2": ball_example(2, Fraction(3, 5)),
    "box": _box(),
    "domain": box_example(InputSet("domain"), lambda x: (np.zeros_like(x), np.ones_like(x))),
    "free": _free(),
    "image": _light(),
    "pixels": _masked(),
}
