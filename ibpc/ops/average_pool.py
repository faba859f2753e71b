"""AveragePool: the mean of every window, and the language's `avg_pool` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, Template
from ibpc.ops.axes import operand
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported
from ibpc.ops.windows import KERNEL, PADDING, sliding, window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site
    from ibpc.ops.windows import Window


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, chan, *spatial) -> (batch, chan, *positions)."""
    return ((*operand(site, 0)[:2], *_window(site).out),)


def forward(site: Site, x: Any) -> Any:
    """The mean of the window, padding counted only with `count_include_pad`."""
    return _average(site)(x)


def interval(site: Site, x: Interval) -> Interval:
    """The box mu' = mean of mu, r' = mean of r.  Source: Gowal et al. 2019, Eq. 6."""
    average = _average(site)
    return x.affine(average, average, terms=prod(_window(site).kernel) + 2)


def milp(site: Site, x: LinearForm) -> LinearForm:
    """The affine form of the averages as one sparse matrix."""
    import numpy as np
    from scipy.sparse import csr_array, eye_array, kron

    slide = _window(site)
    taps = slide.taps()
    inside = taps >= 0
    rows, _ = np.nonzero(inside)
    share = 1 / _counts(site, slide)[rows]
    matrix = csr_array((share, (rows, taps[inside])), shape=(len(taps), prod(slide.extents)))
    spread = kron(eye_array(x.shape[1]), matrix, format="csr")
    return x.affine(spread, 0.0, site.out_shapes[0])


def _window(site: Site) -> Window:
    kernel = site.attribute("kernel_shape")
    if not kernel:
        raise ShapeMistake("AveragePool lacks its attribute kernel_shape")
    if any(step != 1 for step in site.attribute("dilations") or ()):
        raise Unsupported("AveragePool with dilations is not supported; use Conv for such a mean")
    return window(site, tuple(kernel))


def _counts(site: Site, slide: Window) -> Any:
    """How many cells each window counts: with `count_include_pad` all but those of `extra`."""
    import numpy as np

    if not site.attribute("count_include_pad", 0):
        return (slide.taps() >= 0).sum(axis=1)
    found = np.ones(1)
    for axis, kernel in enumerate(slide.kernel):
        starts = np.arange(slide.out[axis]) * slide.strides[axis]
        room = slide.extents[axis] + slide.begins[axis] + slide.ends[axis]
        found = np.outer(found, np.minimum(starts + kernel, room) - starts).reshape(-1)
    return found


def _average(site: Site) -> Callable[[Any], Any]:
    """The node as a function of its operand.

    Where windows count unlike many cells, the mean over whole windows is divided by the share of
    the cells that count: the mean of a mask of ones over the same windows.
    """
    slide = _window(site)
    inclusive = bool(site.attribute("count_include_pad", 0))
    plain = slide.even and (inclusive or not any(slide.begins))

    def average(value: Any) -> Any:
        import torch

        functional = torch.nn.functional
        rank = len(slide.kernel)
        pool = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[rank - 1]
        if plain:
            return pool(value, slide.kernel, slide.strides, slide.begins)
        mask = functional.pad(torch.ones_like(value), slide.declared, value=float(inclusive))
        counted = pool(functional.pad(mask, slide.beyond), slide.kernel, slide.strides)
        whole = pool(functional.pad(value, slide.around), slide.kernel, slide.strides)
        return whole / counted

    return average


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`avg_pool 2x2+2`: padded cells are not counted."""
    return (Template("AveragePool", sliding(arguments, in_shape)),)


OPERATOR = Operator(
    op="AveragePool",
    versions=(1, 7, 10, 11, 19, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 2, 4, 4),), {"kernel_shape": (2, 2), "strides": (2, 2)}),
        Example(((1, 1, 4, 5),), {"kernel_shape": (3, 2), "pads": (1, 0, 1, 1)}),
        Example(
            ((1, 1, 4, 5),),
            {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1), "count_include_pad": 1},
        ),
        Example(
            ((1, 1, 5, 5),),
            {"kernel_shape": (3, 3), "pads": (0, 1, 1, 0), "count_include_pad": 1},
        ),
        Example(((1, 2, 6, 6),), {"kernel_shape": (3, 3), "strides": (2, 2), "ceil_mode": 1}),
        Example(
            ((1, 1, 5, 5),),
            {"kernel_shape": (3, 3), "strides": (2, 2), "auto_pad": "SAME_UPPER"},
        ),
        Example(((1, 1, 6, 6),), {"kernel_shape": (3, 3), "strides": (2, 2), "auto_pad": "VALID"}),
        Example(((1, 2, 7),), {"kernel_shape": (3,), "strides": (2,), "auto_pad": "SAME_LOWER"}),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, AveragePool-11",
    affine=True,
    layers=(
        Layer(
            "avg_pool",
            (KERNEL, PADDING),
            build,
            "the mean of every window; padding is not counted",
            takes_kernel=True,
        ),
    ),
)
