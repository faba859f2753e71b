"""Bounds of every value, layer by layer: intervals, and CROWN where a bound shapes a relaxation.

An interval bounds each value from those before it. Where a value is the operand of a bent step
and its interval is not exact, CROWN bounds those of its entries whose relaxation is loose, and the
better of the two is kept, entry by entry: neither is always the better one.

Rows of many entries and many boxes are carried back together, in parts of bounded size.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import torch

from ibpc.bounds.crown_backward import Frame, start_units
from ibpc.bounds.crown_forms import forms_of
from ibpc.domains import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from ibpc.bounds.crown_backward import Box
    from ibpc.bounds.crown_plan import Plan
    from ibpc.sets import Support


LEAST = 1e-9
"""Entries that are loose have some score at least, however narrow they are."""


@dataclass(frozen=True)
class Crossing:
    """Bounds that cross in float32 by no more than rounding are put in order, in search only.

    A bound crosses by rounding where it does so by at most `share` of its size plus `least`.
    """

    share: float = 1e-4
    least: float = 1e-6


@dataclass(frozen=True)
class Refining:
    """How CROWN refines bounds on the way.

    refine: whether at all. elements: numbers in one part of rows that are carried back together.
    effort: entries of one value to refine for one box; those with the widest bounds come first.
    inputs: where at most so many inputs vary, linear forms of them are carried forward first,
    unless bounds of all values that shape a relaxation are known.
    until: when, by `time.monotonic()`, to stop refining: bounds stay as good as they are then;
    each value gets its share of the time left. matter[value] (*dims): entries with the largest
    product of width and this come first, instead of the widest ones.
    """

    refine: bool = True
    elements: int = 2**18
    effort: int = 2**14
    inputs: int = 24
    until: float = inf
    matter: Mapping[str, Tensor] = field(default_factory=dict)
    crossing: Crossing = field(default_factory=Crossing)


def propagate(
    plan: Plan,
    lower: Tensor,
    upper: Tensor,
    given: Mapping[str, Tensor],
    roundoff: float,
    known: Mapping[str, Box],
    splits: Mapping[str, Tensor],
    refining: Refining,
    support: Support | None = None,
) -> tuple[Frame, Tensor]:
    """Bounds of all values over the boxes, and which boxes hold no point at all.

    `known[value]`: sound bounds that are used as they are, instead of CROWN. `splits[value]`:
    +1 where an entry is >= 0 by assumption, -1 where it is <= 0, else 0.
    A box is empty where bounds cross, which only splits can make them do. `support` bounds rows
    over sets that are smaller than their boxes.

    Shapes: lower, upper (batch, *dims); known, splits (batch, *value dims); empty (batch,).
    """
    boxes: dict[str, Box] = {plan.input: (lower, upper)}
    frame = Frame(plan, boxes, given, roundoff, support)
    held = {plan.input: Interval.from_bounds(lower, upper, roundoff)}
    empty = _crossed(lower, upper)
    known_all = all(name in known for name in plan.bent_operands)
    forms = None if known_all else forms_of(frame, refining.inputs)
    for step in plan.steps:
        images = dict(zip(step.node.outputs, step.interval({**given, **held}), strict=False))
        boxes.update((name, (box.lower, box.upper)) for name, box in images.items())
        by_forms = {} if forms is None else forms.advance(step)
        for name, box in images.items():
            if name in by_forms:
                boxes[name] = intersected(boxes[name], by_forms[name])
            changed = _sharpened(frame, name, known, splits, refining) or name in by_forms
            held[name] = Interval.from_bounds(*boxes[name], roundoff) if changed else box
            if changed:
                empty = empty | _crossed(*boxes[name])
    return frame, empty


def _sharpened(
    frame: Frame,
    name: str,
    known: Mapping[str, Box],
    splits: Mapping[str, Tensor],
    refining: Refining,
) -> bool:
    """Cut a value's box by what is known, by CROWN, and by splits; whether anything was done."""
    boxes: dict[str, Box] = frame.boxes  # type: ignore[assignment]
    changed = False
    if name in known:
        boxes[name] = intersected(boxes[name], known[name])
        changed = True
    elif refining.refine and name in _refinable(frame):
        boxes[name] = refined(frame, name, refining)
        changed = True
    if not frame.roundoff:
        boxes[name] = _in_order(*boxes[name], refining.crossing)
    if name in splits:
        boxes[name] = clipped(boxes[name], splits[name])
        changed = True
    return changed


def _refinable(frame: Frame) -> tuple[str, ...]:
    """The values that intervals do not bound exactly: over less than a box, none is exact."""
    plan = frame.plan
    return plan.bent_operands if frame.support is None else plan.relaxed_operands


def intersected(box: Box, known: Box) -> Box:
    """The better bound of each side; NaN says nothing."""
    lower, upper = box
    return (
        torch.where(known[0] > lower, known[0], lower),
        torch.where(known[1] < upper, known[1], upper),
    )


def clipped(box: Box, split: Tensor) -> Box:
    """The part of a box on the side of 0 that a split says."""
    lower, upper = box
    return (
        torch.where(split > 0, lower.clamp(min=0), lower),
        torch.where(split < 0, upper.clamp(max=0), upper),
    )


def _in_order(lower: Tensor, upper: Tensor, crossing: Crossing) -> Box:
    slightly = lower - upper <= (lower.abs() + upper.abs()) * crossing.share + crossing.least
    return (
        torch.where(slightly, torch.minimum(lower, upper), lower),
        torch.where(slightly, torch.maximum(lower, upper), upper),
    )


def _crossed(lower: Tensor, upper: Tensor) -> Tensor:
    return (lower > upper).reshape(len(lower), -1).any(1)


def refined(frame: Frame, name: str, refining: Refining) -> Box:
    """The box of a value, CROWN's bounds put in where they are better."""
    lower, upper = (side.reshape(frame.batch, -1).clone() for side in frame.boxes[name])
    loose = _loose(frame, name).reshape(frame.batch, -1)
    width = upper - lower
    if name in refining.matter:
        width = width * refining.matter[name].reshape(1, -1)
    until = _share_of_time(frame, name, refining.until)
    for index, units in _parts(frame, name, loose, width, refining):
        if time.monotonic() > until:
            break
        part = frame.select(index, name)
        rows = start_units(part, name, units)
        steps = frame.plan.upstream(name)
        first = steps[1:] if name not in rows.pending else steps
        found, _, _ = rows.go_back(first, {}, cuts=False).finish()
        highest, lowest = found.chunk(2, dim=1)
        place = (index.unsqueeze(1), units)
        up, lo, wanted = upper[place], lower[place], loose[place]
        upper[place] = torch.where(wanted & highest.isfinite() & (highest < up), highest, up)
        lower[place] = torch.where(wanted & lowest.isfinite() & (-lowest > lo), -lowest, lo)
    shape = frame.boxes[name][0].shape
    return lower.reshape(shape), upper.reshape(shape)


def _share_of_time(frame: Frame, name: str, until: float) -> float:
    """When to stop with one value, so that those after it get as much of the time left."""
    order = list(frame.plan.values)
    later = order[order.index(name) + 1 :]
    now = time.monotonic()
    return now + (until - now) / (1 + len({*later} & {*frame.plan.bent_operands}))


def _loose(frame: Frame, name: str) -> Tensor:
    """Which entries have a loose relaxation over the box at hand.  Shape: (batch, *dims)."""
    lower, upper = frame.boxes[name]
    wide = upper > lower
    found = torch.zeros_like(wide)
    for step in frame.plan.steps:
        if name not in step.inputs or step.kind == "affine":
            continue
        if step.kind == "boxed" or len(step.boxed) > 1:
            return wide
        found = found | step.relax({name: frame.interval(name)}).loose(0)
    return found


def _parts(
    frame: Frame, name: str, loose: Tensor, width: Tensor, refining: Refining
) -> Iterator[tuple[Tensor, Tensor]]:
    """Parts of the work: which boxes (b,), and which entries of each (b, n).

    Boxes with like counts of loose entries come together, filled up with entries that are not:
    what is found for those is dropped, so that a box's bounds do not depend on its companions.
    """
    counts = loose.sum(1).clamp(max=refining.effort)
    order = counts.argsort(descending=True)
    sorted_counts = counts[order].tolist()
    width = width.nan_to_num(0.0, 0.0, 0.0).clamp(min=0)
    score = torch.where(loose, width + LEAST * (1 + width.amax(1, keepdim=True)), 0 * width)
    per_row = 2 * max(frame.plan.width(name), loose.shape[1])
    start = 0
    while start < len(sorted_counts) and sorted_counts[start]:
        most = sorted_counts[start]
        boxes = max(1, refining.elements // (per_row * most))
        at_once = max(1, refining.elements // per_row)
        index = order[start : start + boxes]
        units = score[index].topk(most, dim=1).indices
        for first in range(0, most, at_once):
            yield index, units[:, first : first + at_once]
        start += boxes
