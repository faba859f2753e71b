"""`{ clip(a * x0 + b, 0, 1) for a in [0.8 .. 1.2], b in [-0.1 .. 0.1] }`: brightness and contrast.

    x = clip(m_0 + sum_k t_k m_k),   m_k = gain_k x0 + shift_k,   t in a box of few parameters

The parameters are what is verified: bounds, attacks and MILPs speak of t, and the affine map with
its clip stands before the network (so that clipped entries are correlated as they really are).

`InputSet`: `lower`, `upper` bound t; options `variables` (names), `gain`, `shift` (for 1 and each
variable: one number for all entries, or one each), `limits` of the clip, or None.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from ibpc.sets.record import Exactness, SetForm, Settled, Support

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np

    from ibpc.language import InputSet
    from ibpc.sets.record import Ground, Search

NEUTRAL = 4
"""Up to so many variables, parameters 0 and 1 are tried for the datum itself."""


def around(given: InputSet, x: Any, _: Any) -> tuple[Any, Any]:
    """Interval arithmetic: each entry is monotone in each parameter."""
    from ibpc.sets.constants import like

    gains, shifts = given.option("gain"), given.option("shift")
    maps = [like(gain, x) * x + like(shift, x) for gain, shift in zip(gains, shifts, strict=True)]
    lower = upper = maps[0]
    for one, low, high in zip(maps[1:], given.lower, given.upper, strict=True):
        ends = one * float(low), one * float(high)
        lower, upper = lower + ends[0].minimum(ends[1]), upper + ends[0].maximum(ends[1])
    limits = given.option("limits")
    if limits is None:
        return lower, upper
    least, most = (float(limit) for limit in limits)
    return lower.clamp(least, most), upper.clamp(least, most)


def bounds(given: InputSet, x: Any, outward: bool) -> tuple[Any, Any]:
    """The same in float64, loosened (or tightened) by more than all that rounds."""
    import numpy as np

    from ibpc.rounding import down, up

    lower, upper, reach = unclipped(given, x.reshape(len(x), -1))
    slack = 8 * (len(given.lower) + 2) * 2.0**-53 * reach * (1 if outward else -1)
    lower, upper = (lower - slack).reshape(x.shape), (upper + slack).reshape(x.shape)
    limits = given.option("limits")
    if limits is None:
        return lower, upper
    rules = (down, up) if outward else (up, down)
    low, high = (rule(limit) for rule, limit in zip(rules, limits, strict=True))
    return np.clip(lower, low, high), np.clip(upper, low, high)


def maps_of(given: InputSet, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The maps m, and the moduli |gain x0| + |shift| that their rounding follows.

    Shapes: x (batch, n) float64; results (batch, 1 + variables, n).
    """
    import numpy as np

    gains, shifts = (
        np.stack([np.broadcast_to(np.array([float(v) for v in row]), x.shape[1:]) for row in rows])
        for rows in (given.option("gain"), given.option("shift"))
    )
    scaled = gains * x[:, None]
    return scaled + shifts, abs(scaled) + abs(shifts)


def unclipped(given: InputSet, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds of the affine map, and the moduli of all that it adds up; each (batch, n)."""
    import numpy as np

    maps, moduli = maps_of(given, x)
    low, high = _sides(given)
    ends = maps[:, 1:] * low[:, None], maps[:, 1:] * high[:, None]
    lower = maps[:, 0] + np.minimum(*ends).sum(1)
    upper = maps[:, 0] + np.maximum(*ends).sum(1)
    largest = np.maximum(abs(low), abs(high))[:, None]
    return lower, upper, moduli[:, 0] + (moduli[:, 1:] * largest).sum(1)


def _sides(given: InputSet) -> tuple[np.ndarray, np.ndarray]:
    """The parameters' box, rounded outward."""
    import numpy as np

    from ibpc.rounding import down, up

    low = np.array([down(end) for end in given.lower])
    return low, np.array([up(end) for end in given.upper])


def maximum(ground: Ground) -> Support:
    """Max of c . x over the parameters, the clip between two lines."""
    import numpy as np
    import torch

    from ibpc import domains

    x = ground.flat()[0]
    lower, upper, reach = unclipped(ground.given, x)
    slack = 8 * (len(ground.given.lower) + 2) * 2.0**-53 * reach
    sides = (torch.from_numpy(lower - slack), torch.from_numpy(upper + slack))
    limits = ground.given.option("limits") or (-np.inf, np.inf)
    lines = domains.clipped_lines(
        domains.Interval.from_bounds(sides[0], sides[1]), *map(float, limits)
    )
    slopes = (lines.slope_lower, lines.slope_upper)
    offsets = (lines.offset_lower, lines.offset_upper)
    zero = torch.zeros_like(slopes[0])
    parts = (*slopes, *(zero if offset is None else offset for offset in offsets))
    count = len(x)
    box = (torch.from_numpy(side).expand(count, -1) for side in _sides(ground.given))
    maps = torch.from_numpy(maps_of(ground.given, x)[0])
    wide = (part.expand(count, 1, x.shape[1]) for part in parts)
    return Support(largest, (maps, torch.from_numpy(reach), *box, *wide))


def largest(
    rows: Any,
    roundoff: float,
    maps: Any,
    reach: Any,
    low: Any,
    high: Any,
    slope_lower: Any,
    slope_upper: Any,
    offset_lower: Any,
    offset_upper: Any,
) -> Any:
    """Rows go back through the clip's lines and the affine map to the box of the parameters.

        c . clip(y) <= a . y + constant,   a . y = a . m_0 + sum_k t_k (a . m_k)

    Shapes: rows (batch or 1, spec, n); maps (batch, 1 + variables, n); reach (batch, n); low, high
    (batch, variables); lines (batch, 1, n).
    Source: Zhang et al. 2018, arXiv:1811.00866 (lines by the sign of a coefficient).
    """
    import torch

    rows = rows.expand(len(maps), -1, -1)
    above = rows.clamp(min=0)
    below = rows - above
    slopes = above * slope_upper + below * slope_lower
    constant = (above * offset_upper + below * offset_lower).sum(2)
    along = torch.matmul(slopes, maps.transpose(1, 2))
    ends = along[:, :, 1:] * low.unsqueeze(1), along[:, :, 1:] * high.unsqueeze(1)
    value = constant + along[:, :, 0] + torch.maximum(*ends).sum(2)
    if not roundoff:
        return value
    size = (slope_lower.abs() + slope_upper.abs()) * reach.unsqueeze(1)
    size = size + offset_lower.abs() + offset_upper.abs()
    moduli = (rows.detach().abs() * size).sum(2)
    terms = 8 * (rows.shape[2] + maps.shape[1] + 32)
    return value + terms * roundoff * moduli + 2.0**-900 * (1 + rows.shape[2])


def search(ground: Ground) -> Search:
    """The box of the parameters, from its middle."""
    import numpy as np
    import torch

    from ibpc.sets.record import Search

    x = ground.flat()[0]
    low, high = _inner(ground.given)
    low, high = np.minimum(low, high), np.maximum(low, high)
    least, most, middle = (
        torch.tensor(side).expand(len(x), -1).clone() for side in (low, high, (low + high) / 2)
    )
    maps = torch.tensor(maps_of(ground.given, x)[0], dtype=torch.float32)
    rule = partial(image, limits=ground.given.option("limits"))
    return Search(least, most, middle, tensors=(maps,), image=rule)


def image(t: Any, maps: Any, limits: tuple[Fraction, Fraction] | None) -> Any:
    """clip(m_0 + sum_k t_k m_k).  Shapes: t (batch, variables), result (batch, n)."""
    found = maps[:, 0] + (t.unsqueeze(2) * maps[:, 1:]).sum(1)
    return found if limits is None else found.clamp(float(limits[0]), float(limits[1]))


def _inner(given: InputSet) -> tuple[np.ndarray, np.ndarray]:
    """The float32 parameters that lie exactly in their box; crossed where there is none."""
    import numpy as np

    from ibpc.rounding import down, to_float32, up

    low = to_float32(np.array([up(end) for end in given.lower]), upward=True)
    return low, to_float32(np.array([down(end) for end in given.upper]), upward=False)


def settle(ground: Ground, candidate: np.ndarray) -> Settled | None:
    """The image of the nearest parameters that lie exactly in their box.

    The parameters are float32s (where an interval holds none, its lower end); the image is worked
    out in rationals, and each entry is rounded once, to the nearest float32.
    """
    from fractions import Fraction

    given = ground.given
    low, high = _inner(given)
    chosen = [
        Fraction(float(min(max(value, least), most))) if least <= most else end
        for value, least, most, end in zip(
            candidate.astype("f4"), low, high, given.lower, strict=True
        )
    ]
    return _settled(ground, chosen)


def _settled(ground: Ground, t: list[Fraction]) -> Settled:
    import numpy as np

    from ibpc.rounding import down, to_float32, up

    exact = exact_image(ground, t)
    point = np.array([float(value) for value in exact]).astype(np.float32)
    limits = ground.given.option("limits")
    if limits is not None:
        least = to_float32(np.array([up(limits[0])]), upward=True)
        point = np.minimum(
            np.maximum(point, least), to_float32(np.array([down(limits[1])]), upward=False)
        )
    names = ground.given.option("variables")
    facts = {"parameters": {name: float(value) for name, value in zip(names, t, strict=True)}}
    note = "the image of these parameters, each entry rounded to the nearest float32"
    return Settled(point.astype(np.float32), note, facts)


def exact_image(ground: Ground, t: list[Fraction]) -> list[Fraction]:
    """clip(m_0 + sum_k t_k m_k) in rationals, entry by entry."""
    from fractions import Fraction

    given, limits = ground.given, ground.given.option("limits")
    weights = [Fraction(1), *t]
    found = []
    for place, value in enumerate(ground.x.reshape(-1).tolist()):
        datum, total = Fraction(value), Fraction(0)
        for weight, gain, shift in zip(
            weights, given.option("gain"), given.option("shift"), strict=True
        ):
            own_gain, own_shift = (row[place if len(row) > 1 else 0] for row in (gain, shift))
            total += weight * (own_gain * datum + own_shift)
        found.append(total if limits is None else min(max(total, limits[0]), limits[1]))
    return found


def datum(ground: Ground) -> Settled | None:
    """The datum, where parameters 0 and 1 give it exactly (contrast 1, brightness 0, say)."""
    from fractions import Fraction

    given = ground.given
    choices = [
        [Fraction(value) for value in (0, 1) if low <= value <= high]
        for low, high in zip(given.lower, given.upper, strict=True)
    ]
    if len(choices) > NEUTRAL:
        return None
    wanted = [Fraction(value) for value in ground.x.reshape(-1).tolist()]
    for t in product(*choices):
        if exact_image(ground, list(t)) == wanted:
            settled = _settled(ground, list(t))
            return Settled(settled.point, facts=settled.facts)
    return None


def encode(ground: Ground, encoder: Any) -> Any:
    """Variables for the parameters; the map is linear in them, the clip two ReLUs.

    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1.
    """
    from scipy.sparse import csr_array

    from ibpc import domains
    from ibpc.rounding import down, up

    maps = maps_of(ground.given, ground.flat()[0])[0][0]
    t = encoder.continuous(*_sides(ground.given))
    form = t.affine(csr_array(maps[1:].T), maps[0], (maps.shape[1],))
    limits = ground.given.option("limits")
    if limits is None:
        return form
    low, high = down(limits[0]), up(limits[1])
    form = domains.positive_part(form.scaled(1.0, -low)).scaled(1.0, low)
    return domains.positive_part(form.scaled(-1.0, high)).scaled(-1.0, high)


def decode(ground: Ground, columns: np.ndarray) -> np.ndarray:
    """The parameters are the first variables."""
    return columns[: len(ground.given.lower)]


FORM = SetForm(
    kind="image",
    entry=None,
    around=around,
    bounds=bounds,
    maximum=maximum,
    search=search,
    settle=settle,
    encode=encode,
    decode=decode,
    datum=datum,
    parameters=lambda given: len(given.lower),
    exact=Exactness(hull=False, maximum=False),
)
