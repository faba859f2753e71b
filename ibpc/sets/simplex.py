"""`simplex(table("synonyms.tsv"), x0)`: each word mixed with its substitutes.

Every row of the text is any convex combination of its word and that word's substitutes (one-hot
rows, as in `choice`): the convex hull of `choice` without a limit on swaps.

Source: Huang et al. 2019, arXiv:1909.01492 (the simplex spanned by substitutions).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ibpc.language import Entry
from ibpc.sets import choice
from ibpc.sets.record import Exactness, SetForm, Settled, Support

if TYPE_CHECKING:
    import numpy as np

    from ibpc.sets.record import Ground, Search

GRAIN = 2.0**-24
"""Weights of a witness are multiples of this, so that a row's sum is exactly 1 in float32."""


def maximum(ground: Ground) -> Support:
    """Max of c . x: the best corner, that of `choice` with every row free."""
    return choice.maximum(ground)


def search(ground: Ground) -> Search:
    """Mixed texts, drawn towards the best corner for the gradient."""
    import torch

    from ibpc.sets.record import Search

    x = torch.tensor(ground.x)
    allowed = torch.from_numpy(choice.options(ground))
    lower, upper = (
        torch.tensor(side, dtype=torch.float32) for side in (ground.lower, ground.upper)
    )
    tensors = (x.flatten(1), allowed)
    rule = partial(leap, count=choice.swaps(ground))
    return Search(lower, upper, x, tensors=tensors, project=project, leap=rule)


def project(t: Any, x: Any, allowed: Any) -> Any:
    """The nearest point of each row's simplex: max(y - theta, 0) over the words allowed.

    Source: Duchi et al. 2008, "Efficient projections onto the l1-ball", figure 1.
    """
    import torch

    text = x.view(allowed.shape)
    members = allowed | (text > 0)
    empty = ~members.any(2, keepdim=True)
    y = torch.where(members, t.reshape(allowed.shape), -torch.inf)
    ordered = y.sort(dim=2, descending=True).values
    excess = torch.where(ordered.isfinite(), ordered, 0.0).cumsum(2) - 1
    count = torch.arange(1, y.shape[2] + 1, device=t.device)
    last = (ordered * count > excess).sum(2, keepdim=True).clamp(min=1)
    theta = excess.gather(2, last - 1) / last
    found = (y - theta).clamp(min=0)
    return torch.where(empty, text, found).view_as(t)


def leap(t: Any, gradient: Any, share: float, x: Any, allowed: Any, count: int) -> Any:
    """T + g (corner - t), the corner best for the gradient, g falling from 1.

    Source: Jaggi 2013, "Revisiting Frank-Wolfe: Projection-Free Sparse Convex Optimization",
    algorithm 1.
    """
    corner = choice.leap(t, gradient, share, x, allowed, count)
    return t + (corner - t) * (1 - share) if share < 1 else corner


def settle(ground: Ground, candidate: np.ndarray) -> Settled | None:
    """A float32 mix: weights are multiples of GRAIN, rounded down, and the word has the rest."""
    import numpy as np
    import torch

    words = ground.x.shape[-1]
    text = ground.x.reshape(-1, words).astype(np.float64)
    allowed = choice.options(ground)
    if _mixed(candidate.reshape(text.shape), text, allowed[0]):
        return Settled(candidate.astype(np.float32))
    there = torch.from_numpy(np.array(candidate, dtype=np.float64)).reshape(1, *allowed.shape[1:])
    flat = torch.tensor(ground.x, dtype=torch.float64).flatten(1)
    near = project(there, flat, torch.from_numpy(allowed))[0].numpy()
    weights = np.floor(np.where(allowed[0], near, 0.0) / GRAIN) * GRAIN
    rest = text.sum(1) - weights.sum(1)
    weights[np.arange(len(text)), text.argmax(1)] += rest
    if (weights < 0).any():
        return None
    return Settled(weights.reshape(-1).astype(np.float32))


def _mixed(point: np.ndarray, text: np.ndarray, allowed: np.ndarray) -> bool:
    """Whether a point's rows are exactly mixes of float32 weights."""
    from fractions import Fraction

    if (point < 0).any() or (point[~(allowed | (text > 0))] != 0).any():
        return False
    if (point.astype("f4") != point).any():
        return False
    sums = [sum(map(Fraction, row)) for row in point.tolist()]
    return all(
        total == Fraction(own) for total, own in zip(sums, text.sum(1).tolist(), strict=True)
    )


def encode(ground: Ground, encoder: Any) -> Any:
    """A weight in [0, 1] for each substitute, at most 1 in a row together."""
    import numpy as np

    def weights(count: int) -> Any:
        return encoder.continuous(np.zeros(count), np.ones(count))

    return choice.combination(ground, encoder, weights, None)


FORM = SetForm(
    kind="simplex",
    entry=Entry(
        "simplex",
        choice.SLOTS,
        "a text whose words are mixed with their substitutes",
        "Huang et al. 2019, arXiv:1909.01492",
    ),
    around=choice.around,
    bounds=choice.bounds,
    maximum=maximum,
    search=search,
    settle=settle,
    encode=encode,
    decode=choice.decode,
    exact=Exactness(hull=False),
)
