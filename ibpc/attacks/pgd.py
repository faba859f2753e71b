"""Projected gradient ascent on the margin of a linear claim, `max_i (C f(x) + d)_i`.

Source: Madry et al. 2018, arXiv:1706.06083 (PGD with random starts); Gowal et al. 2019, section 4
(200 untargeted steps, 10 restarts). The paper does not say how long the steps are. We differ from
Madry et al.: the objective is the margin and not the cross-entropy, steps are Adam's by default,
they get shorter, and the first start is the datum itself. Of 743 images of MNIST that intervals
leave open at eps 0.3 on the small network, 200 steps from 10 starts refute 647 and 100 targeted
steps from 18 starts 665, in the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Slot, StageEntry
from ibpc.sets import Search

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    Rows = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

ATTACK = StageEntry(
    "pgd",
    (
        Slot("steps", "int", default=200, low=1, doc="gradient steps from each start"),
        Slot("restarts", "int", default=10, low=1, doc="starts: the datum, then random points"),
        Slot(
            "step_size",
            "real",
            default=None,
            low=0,
            doc="length of the first half of the steps, in units of the input; by default chosen "
            "from the radius of the set",
        ),
        Slot("optimiser", "word", default="adam", choices=("adam", "sign"), doc="kind of step"),
        Slot("seed", "int", default=0, low=0, doc="another seed, other random starts"),
        Slot(
            "targeted",
            "bool",
            default=False,
            doc="each start goes after one row of the claim, in turn, instead of the largest",
        ),
    ),
    "projected gradient ascent on the claim's largest row",
    source="Madry et al. 2018, arXiv:1706.06083; Gowal et al. 2019, section 4",
    role="refute",
    needs="projection",
)

RELATIVE_STEP = 0.25
"""Default step, as a share of each coordinate's radius."""

DECAY = ((0.5, 1.0), (0.75, 0.1), (1.0, 0.01))
"""Until this share of the steps, the step size is multiplied by this."""

MOMENTUM, SQUARES = 0.9, 0.999
"""Adam's averages (Kingma and Ba 2015, algorithm 1)."""

TINY = 1e-12
"""Keeps 0 / 0 out of Adam's step; small, because margins may have any scale."""

CHECK_EVERY = 4
"""Steps between two looks at which points are done: each look waits for the device."""

POINTS_AT_ONCE = {"cpu": 256, "cuda": 4096}
"""Points in one batch, which bounds the memory."""


def pgd(
    rows: Rows,
    lower: torch.Tensor,
    upper: torch.Tensor,
    x: torch.Tensor,
    label: torch.Tensor,
    **options: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The attack over boxes [lower, upper], from the data x; options as in `climb`."""
    return climb(rows, Search(lower, upper, x), label, **options)


def climb(
    rows: Rows,
    region: Search,
    label: torch.Tensor,
    *,
    steps: int = 200,
    restarts: int = 10,
    step_size: float | None = None,
    optimiser: str = "adam",
    seed: int = 0,
    keys: torch.Tensor | None = None,
    enough: float = 0.0,
    targeted: bool = False,
    points_at_once: int | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The point with the largest margin found in each set, and that margin.

        x <- project(x + step),   step from the gradient of max_i rows(x, label)_i

    `region` says where the points lie, how they are brought back into the set, and, where they are
    parameters of it, which inputs they stand for.

    An example is done as soon as a margin exceeds `enough`; its remaining starts are not tried.
    `rows(x, label)` is C f(x) + d, shape (batch, spec). Each point that is returned went through
    `rows` exactly as it is, and lies in the set. Where a margin is not finite the point does not
    count; an example without any finite margin has margin -inf, at its clean point. `targeted`:
    start r goes after row r modulo spec instead of the largest.

    Random starts depend on (seed, start, key) alone; `keys` (batch,) int64 defaults to 0, 1, ...
    So an example's result does not depend on the others, save for the rounding of batched kernels.

    Shapes: the region's (batch, *dims), one dtype; label (batch,) int64; results (batch, *dims)
            and (batch,).
    Units:  `step_size` those of x; None takes a quarter of each coordinate's radius, or what the
            region says. Steps shrink
            to a tenth after half of them, to a hundredth after three quarters.
    Needs:  lower <= upper, finite.
    """
    import torch

    x = region.start
    keys = torch.arange(len(x), device=x.device) if keys is None else keys.to(x.device)
    plan = _Plan(rows, steps, step_size, optimiser, seed, enough, targeted)
    limit = points_at_once or POINTS_AT_ONCE.get(x.device.type, POINTS_AT_ONCE["cpu"])
    points = region.inside(x)
    margins = torch.full((len(x),), -torch.inf, dtype=x.dtype, device=x.device)
    # The datum itself is a good start and mostly settles what can be settled: it goes alone. The
    # groups follow from `restarts` and `limit` only, or results would depend on the batch.
    later = range(1, restarts)
    groups = [range(1), *(later[at : at + limit] for at in range(0, len(later), limit))]
    for group in groups:
        open_ = torch.nonzero(~(margins > enough))[:, 0]
        for chosen in torch.split(open_, max(1, limit // len(group))):
            found, margin = _ascend(plan, group, region[chosen], label[chosen], keys[chosen])
            better = margin > margins[chosen]
            points[chosen[better]] = found[better]
            margins[chosen[better]] = margin[better]
    return points, margins


@dataclass(frozen=True, slots=True)
class _Plan:
    """What stays the same for all batches of one attack."""

    rows: Rows
    steps: int
    step_size: float | None
    optimiser: str
    seed: int
    enough: float
    targeted: bool


@dataclass(slots=True)
class _Search:
    """Points under way, `starts` for each example; axis 0 of every tensor: the point.

    `slot` is example * starts + start; the points that are done leave, the others keep their slot.
    """

    slot: torch.Tensor
    label: torch.Tensor
    region: Search
    step: torch.Tensor
    x: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor
    best_x: torch.Tensor
    best: torch.Tensor

    def keep(self, chosen: torch.Tensor) -> None:
        """Forgets the points that are not chosen."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name)[chosen])


def _ascend(
    plan: _Plan,
    group: range,
    region: Search,
    label: torch.Tensor,
    keys: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Best point and margin of each example over a group of starts; of equal ones, the first."""
    import torch

    search, x = _begin(plan, group, region, label, keys), region.start
    margins, points = search.best, search.best_x  # by slot, brought up to date at every look
    for step in range(plan.steps + 1):
        last = step == plan.steps
        gradient = _look(plan, group, search, last=last)
        before, looks = search.x, last or step % CHECK_EVERY == 0
        if not last:
            _move(plan, search, gradient, step)
        if not looks:
            continue
        margins = margins.index_copy(0, search.slot, search.best)
        points = points.index_copy(0, search.slot, search.best_x)
        done = (margins > plan.enough).view(len(x), len(group)).any(1)[search.slot // len(group)]
        moving = ~(done | _settled(plan, search, before, gradient))
        if last or not bool(moving.any()):
            break
        if not bool(moving.all()):
            search.keep(moving)
    table = margins.view(len(x), len(group))
    first = ((table == table.amax(1, keepdim=True)).cumsum(1) == 0).sum(1)
    chosen = torch.arange(len(x), device=x.device) * len(group) + first
    return points[chosen], margins[chosen]


def _begin(
    plan: _Plan,
    group: range,
    region: Search,
    label: torch.Tensor,
    keys: torch.Tensor,
) -> _Search:
    """Start 0 is the datum, the others are uniform in the box; all brought into the set."""
    import torch

    from ibpc.data import derive, uniform

    x = region.start
    slot = torch.arange(len(x) * len(group), device=x.device)
    owner = slot // len(group)
    region = region[owner]
    lo, up = region.lower, region.upper
    if group[0] == 0:
        begin = region.start
    else:
        streams = derive(derive(keys, plan.seed)[owner], slot % len(group) + group[0])
        begin = lo + (up - lo) * uniform(streams, prod(lo.shape[1:])).view(lo.shape).to(x.dtype)
    begin = region.inside(begin)
    if plan.step_size is not None:
        step = torch.full_like(lo, plan.step_size)
    else:
        step = (up - lo) * (RELATIVE_STEP / 2) if region.step is None else region.step
    zeros = torch.zeros_like(begin)
    best = torch.full((len(slot),), -torch.inf, dtype=x.dtype, device=x.device)
    return _Search(slot, label[owner], region, step, begin, zeros, zeros, begin, best)


def _look(plan: _Plan, group: range, search: _Search, *, last: bool) -> torch.Tensor:
    """Margins at the current points, kept where they are the best so far; then the gradient.

    The last points want none: what is returned for them is zero.
    """
    import torch

    x = search.x.detach().requires_grad_(not last)
    with torch.set_grad_enabled(not last):
        violation = plan.rows(search.region.inputs(x), search.label)
        margin = goal = violation.amax(1)
        if plan.targeted:
            aim = (search.slot % len(group) + group[0]) % violation.shape[1]
            goal = violation.gather(1, aim[:, None])[:, 0]
    seen = margin.detach()
    better = seen.isfinite() & (seen > search.best)
    search.best = torch.where(better, seen, search.best)
    wide = better.view(-1, *(1,) * (x.ndim - 1))
    search.best_x = torch.where(wide, search.x, search.best_x)
    if last:
        return torch.zeros_like(search.x)
    (gradient,) = torch.autograd.grad(goal.sum(), x)
    return gradient.nan_to_num(0.0, 0.0, 0.0)


def _move(plan: _Plan, search: _Search, gradient: torch.Tensor, step: int) -> None:
    """One step of the optimiser, brought back into the set."""
    if search.region.leap is not None:
        share = (step + 1) / plan.steps
        search.x = search.region.leap(search.x, gradient, share, *search.region.tensors)
        return
    size = search.step * next(factor for share, factor in DECAY if step < share * plan.steps)
    if search.region.project is not None:
        # Steps of a length of their own for each entry would end where the projection undoes them,
        # and not at a maximum: the gradient keeps its direction.
        search.mean = MOMENTUM * search.mean + (1 - MOMENTUM) * gradient
        length = search.mean.flatten(1).norm(dim=1).view(-1, *(1,) * (gradient.ndim - 1))
        change = search.mean / (length + TINY)
    elif plan.optimiser == "sign":
        change = gradient.sign()
    else:
        search.mean = MOMENTUM * search.mean + (1 - MOMENTUM) * gradient
        search.square = SQUARES * search.square + (1 - SQUARES) * gradient.square()
        mean = search.mean / (1 - MOMENTUM ** (step + 1))
        square = search.square / (1 - SQUARES ** (step + 1))
        change = mean / (square.sqrt() + TINY)
    search.x = search.region.inside(search.x + size * change)


def _settled(
    plan: _Plan, search: _Search, before: torch.Tensor, gradient: torch.Tensor
) -> torch.Tensor:
    """Which points did not move and never will: each coordinate is pressed against its wall.

    At an unmoved point the gradient stays the same; Adam's mean, having the gradient's sign or
    meeting a zero gradient, keeps its own. Where more than a box holds the points, none is settled.
    """
    import torch

    if not search.region.plain:
        return torch.zeros(len(search.x), dtype=torch.bool, device=search.x.device)
    push = gradient if plan.optimiser == "sign" else search.mean
    up = (push > 0) & (gradient >= 0) & (search.x >= search.region.upper)
    down = (push < 0) & (gradient <= 0) & (search.x <= search.region.lower)
    still = (push == 0) & (gradient == 0)
    pressed = up | down | still | (search.region.lower == search.region.upper)
    settled: torch.Tensor = (pressed & (search.x == before)).flatten(1).all(1)
    return settled
