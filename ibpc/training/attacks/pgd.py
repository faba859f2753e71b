"""Projected gradient ascent on the loss, a few steps at every training step.

    x <- clamp(x + step, lower, upper),   step from the gradient of L(x)

Adversarial training minimises `xent(attacked(spec), y)`, the loss at the point that this finds.
Weights are constants here: the gradient of the loss does not go through the search.

Source: Madry et al. 2018, arXiv:1706.06083 (the saddle point and PGD's update); seven steps
as in Gowal et al. 2019, section 4.1. `optimiser = adam, step_size = 0.1` is the attack of the
latter's public code, which attacks at the final radius from the start (`eps(t) = eps_train`). We
differ: batch normalisation uses its running statistics while the attack searches, and random starts
follow from the seed, the epoch and the datum.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import TrainingAttack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START = 2**33
"""The stream of random starts: far from those of augmentations and of the order of data."""

REACH = 2.5
"""All default steps together go so many radii: from any start to any corner, with room to turn."""

MOMENTUM, SQUARES, TINY = 0.9, 0.999, 1e-9
"""Adam's averages (Kingma and Ba 2015, algorithm 1), and what keeps 0 / 0 out of its step."""


def find(
    rows: Callable[[Any, Any], Any],
    lower: Any,
    upper: Any,
    x: Any,
    label: Any,
    keys: Any,
    arguments: Mapping[str, Any],
) -> Any:
    """The last point of the ascent.

    Shapes: lower, upper, x, result (batch, *dims); label, keys (batch,).
    """
    import torch

    steps = arguments.get("steps", 7)
    size = arguments.get("step_size")
    size = (upper - lower) * (REACH / 2 / steps) if size is None else size
    point = _start(lower, upper, x, keys, arguments)
    mean, square = torch.zeros_like(point), torch.zeros_like(point)
    for step in range(1, steps + 1):
        at = point.detach().requires_grad_()
        with torch.enable_grad():
            goal = objective(rows(at, label), arguments.get("objective", "xent")).sum()
        (gradient,) = torch.autograd.grad(goal, at)
        if arguments.get("optimiser", "sign") == "sign":
            change = gradient.sign()
        else:
            mean = MOMENTUM * mean + (1 - MOMENTUM) * gradient
            square = SQUARES * square + (1 - SQUARES) * gradient.square()
            unbiased = square / (1 - SQUARES**step)
            change = mean / (1 - MOMENTUM**step) / (unbiased.sqrt() + TINY)
        point = torch.minimum(torch.maximum(point + size * change, lower), upper)
    return point.detach()


def objective(rows: Any, word: str) -> Any:
    """What the ascent climbs, for each example.

    xent: log(1 + sum exp(row)), the cross-entropy of the logits where the claim is argmax's.
    margin: the largest row.
    """
    import torch

    if word == "margin":
        return rows.amax(1)
    return torch.nn.functional.softplus(torch.logsumexp(rows, dim=1))


def _start(lower: Any, upper: Any, x: Any, keys: Any, arguments: Mapping[str, Any]) -> Any:
    """A uniform point of the box, or the datum."""
    import torch

    from ibpc.data import derive, uniform

    if arguments.get("start", "random") == "datum":
        return torch.minimum(torch.maximum(x, lower), upper)
    share = uniform(derive(keys, START), prod(x.shape[1:])).reshape(x.shape).to(x.dtype)
    return torch.minimum(torch.maximum(lower + (upper - lower) * share, lower), upper)


ATTACK = TrainingAttack(
    word="pgd",
    slots=(
        Slot("steps", "int", default=7, low=1, doc="gradient steps"),
        Slot(
            "step_size",
            "real",
            default=None,
            low=0,
            doc="length of a step in units of the input; by default 2.5 radii over all steps",
        ),
        Slot("optimiser", "word", default="sign", choices=("sign", "adam"), doc="kind of step"),
        Slot(
            "objective", "word", default="xent", choices=("xent", "margin"), doc="what is climbed"
        ),
        Slot("start", "word", default="random", choices=("random", "datum"), doc="first point"),
    ),
    doc="projected gradient ascent from a random start",
    source="Madry et al. 2018, arXiv:1706.06083; Gowal et al. 2019, section 4.1",
    find=find,
)
