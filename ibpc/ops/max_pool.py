"""MaxPool: the largest entry of every window, and the language's `max_pool` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc import domains
from ibpc.language import Layer, Template
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator, ShapeMistake
from ibpc.ops.windows import KERNEL, PADDING, sliding, window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.domains import Interval, LinearForm, Relaxation
    from ibpc.ops.record import Shape, Site
    from ibpc.ops.windows import Window


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, chan, *spatial) -> (batch, chan, *positions)."""
    return ((*operand(site, 0)[:2], *_window(site).out),)


def forward(site: Site, x: Any) -> Any:
    """The maximum of each window; padding never wins."""
    import torch

    slide = _window(site)
    padding = slide.begins
    if not slide.even or any(2 * p > k for p, k in zip(padding, slide.kernel, strict=True)):
        x = torch.nn.functional.pad(x, slide.around, value=float("-inf"))
        padding = (0,) * len(padding)
    pool = (torch.max_pool1d, torch.max_pool2d, torch.max_pool3d)[len(padding) - 1]
    return pool(x, slide.kernel, slide.strides, padding, slide.dilations)


def interval(site: Site, x: Interval) -> Interval:
    """The maxima of the bounds: it grows with every entry.  Source: Gowal et al. 2019, Eq. 7."""
    return x.monotone(lambda v: forward(site, v))


def milp(site: Site, x: LinearForm) -> LinearForm:
    """Y = max of each window, with one binary a_i per entry that may be the largest.

        y >= x_i,   y <= x_i + (u_rest - l_i) (1 - a_i),   sum of a_i = 1

    u_rest is the largest upper bound of the others. Entries whose upper bound is below another's
    lower bound are left out; a window with one entry left is that entry.
    Source: Tjeng et al. 2019, arXiv:1711.07356, section 4.1 (formulating the maximum function).
    """
    import numpy as np

    slide = _window(site)
    taps, cells = slide.taps(), prod(slide.extents)
    units = (np.arange(x.shape[1])[:, None, None] * cells + taps).reshape(-1, taps.shape[1])
    inside = np.broadcast_to(taps >= 0, (x.shape[1], *taps.shape)).reshape(units.shape)
    lower = np.where(inside, x.lower[units], -np.inf)
    upper = np.where(inside, x.upper[units], -np.inf)
    best = lower.max(axis=1, keepdims=True)
    candidate = inside & (upper >= best)
    # A single entry is always kept: the one with the largest lower bound.
    first = lower.argmax(axis=1)
    candidate[np.arange(len(units)), first] = True
    decided = np.flatnonzero(candidate.sum(axis=1) == 1)
    open_ = np.flatnonzero(candidate.sum(axis=1) > 1)
    y = x.take(units[decided, first[decided]], decided.shape)
    y = y.scatter(decided, len(units), site.out_shapes[0])
    if not len(open_):
        return y
    some = _largest(x, units[open_], upper[open_], candidate[open_])
    return y.plus(some.scatter(open_, len(units), site.out_shapes[0]))


def _largest(x: LinearForm, units: Any, upper: Any, candidate: Any) -> LinearForm:
    """A variable per row of `units` that equals its largest candidate."""
    import numpy as np
    from scipy.sparse import csr_array

    encoder = x.encoder
    owner, place = np.nonzero(candidate)
    entries = x.take(units[owner, place], owner.shape)
    reach = np.where(candidate, upper, -np.inf)
    order = np.sort(reach, axis=1)
    # The largest upper bound among the others of the row.
    rest = np.where(reach == order[:, -1:], order[:, -2:-1], order[:, -1:])[owner, place]
    floor = np.full(len(units), -np.inf)
    np.maximum.at(floor, owner, entries.lower)
    y = encoder.continuous(floor, order[:, -1])
    outs = y.take(owner, owner.shape)
    encoder.require(entries.minus(outs), "<")
    switch = encoder.binary(len(owner))
    gap = np.maximum(rest - entries.lower, 0.0)
    # y - x_i - gap + gap a_i <= 0
    encoder.require(outs.minus(entries).plus(switch.scaled(gap, -gap)), "<")
    group = csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))))
    encoder.require(switch.affine(group, -1.0, (len(units),)), "=")
    return y


def relax(site: Site, x: Interval, knobs: Any = None) -> Relaxation:
    """One entry of each window below, a chord of its two largest above; `domains.largest_of`."""
    import torch

    taps = torch.as_tensor(_window(site).taps())
    chan, cells = operand(site, 0)[1], prod(operand(site, 0)[2:])
    starts = torch.arange(chan)[:, None, None] * cells
    members = torch.where(taps < 0, -1, starts + taps).reshape(-1, taps.shape[1])
    return domains.largest_of(x, members.to(x.lower.device))


def _window(site: Site) -> Window:
    kernel = site.attribute("kernel_shape")
    if not kernel:
        raise ShapeMistake("MaxPool lacks its attribute kernel_shape")
    return window(site, tuple(kernel))


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`max_pool 2x2+2`."""
    return (Template("MaxPool", sliding(arguments, in_shape)),)


OPERATOR = Operator(
    op="MaxPool",
    versions=(1, 8, 10, 11, 12, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    relax=relax,
    examples=(
        Example(((1, 2, 4, 4),), {"kernel_shape": (2, 2), "strides": (2, 2)}),
        Example(((1, 1, 4, 4),), {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}),
        Example(((1, 1, 4, 5),), {"kernel_shape": (3, 2), "pads": (2, 0, 1, 1)}),
        Example(((1, 1, 6, 6),), {"kernel_shape": (3, 3), "strides": (2, 2), "ceil_mode": 1}),
        Example(((1, 1, 5, 6),), {"kernel_shape": (2, 2), "dilations": (2, 3)}),
        Example(
            ((1, 1, 5, 5),),
            {"kernel_shape": (3, 3), "strides": (2, 2), "auto_pad": "SAME_LOWER"},
        ),
        Example(((1, 2, 7),), {"kernel_shape": (3,), "strides": (2,), "auto_pad": "SAME_UPPER"}),
    ),
    source="Gowal et al. 2019, Eq. 7; Tjeng et al. 2019, section 4.1",
    layers=(
        Layer(
            "max_pool",
            (KERNEL, PADDING),
            build,
            "the largest entry of every window",
            takes_kernel=True,
        ),
    ),
)
