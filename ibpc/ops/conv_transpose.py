"""ConvTranspose: the transpose of a convolution over one to three spatial axes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.ops.axes import operand, varies
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


@dataclass(frozen=True, slots=True)
class _Spread:
    """One extent per spatial axis in every field: where each tap of the kernel writes.

    `begins`, `ends`: cells cut off the full result; `extra`: cells after it that nothing reaches.
    """

    extents: Shape
    kernel: Shape
    strides: Shape
    dilations: Shape
    begins: Shape
    ends: Shape
    extra: Shape

    @property
    def out(self) -> Shape:
        """(extent - 1) stride + reach + extra - begin - end."""
        sides = zip(self._full(), self.extra, self.begins, self.ends, strict=True)
        return tuple(full + extra - begin - end for full, extra, begin, end in sides)

    @property
    def crop(self) -> list[int]:
        """What `torch.nn.functional.pad` adds to the full result (negative: cuts), last first."""
        sides = reversed(list(zip(self.begins, self.ends, self.extra, strict=True)))
        return [pad for begin, end, extra in sides for pad in (-begin, extra - end)]

    def _full(self) -> Shape:
        sides = zip(self.extents, self.strides, self.kernel, self.dilations, strict=True)
        return tuple((n - 1) * step + (k - 1) * gap + 1 for n, step, k, gap in sides)

    def targets(self) -> Any:
        """Which cell each tap writes for each input cell: flat spatial indices, -1 outside.

        Shapes: (prod(extents), prod(kernel)).
        """
        import numpy as np

        flat, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for axis, extent in enumerate(self.out):
            starts = np.arange(self.extents[axis]) * self.strides[axis] - self.begins[axis]
            cells = starts[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            fits = (cells >= 0) & (cells < extent)
            places = flat[:, None, :, None] * extent + np.where(fits, cells, 0)[None, :, None, :]
            both = inside[:, None, :, None] & fits[None, :, None, :]
            size = (len(flat) * len(cells), flat.shape[1] * cells.shape[1])
            flat, inside = places.reshape(size), both.reshape(size)
        return np.where(inside, flat, -1)


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, chan, *spatial) by (chan, out / group, *kernel) -> (batch, out, *positions)."""
    image, weight = operand(site, 0), operand(site, 1)
    if len(weight) != len(image) or len(image) < 3:
        raise ShapeMistake(f"ConvTranspose of shape {image} with a kernel of shape {weight}")
    if image[1] != weight[0]:
        raise ShapeMistake(
            f"ConvTranspose has weights for {weight[0]} channels, its input has {image[1]}"
        )
    out = _spread(site).out
    if min(out) < 1:
        raise ShapeMistake(f"ConvTranspose of shape {image} leaves nothing")
    return ((image[0], weight[1] * site.attribute("group", 1), *out),)


def _spread(site: Site) -> _Spread:
    """The node's geometry, from `pads`, `auto_pad` or `output_shape`.

    Source: ONNX operator specification, ConvTranspose-11.
    """
    extents, kernel = operand(site, 0)[2:], operand(site, 1)[2:]
    rank = len(extents)
    strides = tuple(site.attribute("strides") or (1,) * rank)
    dilations = tuple(site.attribute("dilations") or (1,) * rank)
    extra = tuple(site.attribute("output_padding") or (0,) * rank)
    pads = tuple(site.attribute("pads") or (0,) * (2 * rank))
    if not rank == len(strides) == len(dilations) == len(extra) == len(pads) // 2:
        raise ShapeMistake("ConvTranspose has attributes for another number of spatial axes")
    plain = _Spread(extents, kernel, strides, dilations, (0,) * rank, (0,) * rank, extra)
    mode, wanted = site.attribute("auto_pad", "NOTSET"), site.attribute("output_shape")
    if wanted or mode in ("SAME_UPPER", "SAME_LOWER"):
        sizes = wanted or tuple(n * step for n, step in zip(extents, strides, strict=True))
        begins, ends = _cut_to(tuple(sizes)[-rank:], plain.out, mode)
    elif mode == "VALID":
        begins, ends = plain.begins, plain.ends
    else:
        begins, ends = pads[:rank], pads[rank:]
    return _Spread(extents, kernel, strides, dilations, begins, ends, extra)


def _cut_to(wanted: Shape, full: Shape, mode: str) -> tuple[Shape, Shape]:
    """The cells to cut off, the odd one at the end if SAME_UPPER."""
    total = tuple(max(0, cells - size) for cells, size in zip(full, wanted, strict=True))
    if any(cells < size for cells, size in zip(full, wanted, strict=True)):
        raise Unsupported(
            "ConvTranspose with an output_shape beyond its reach is not supported; "
            "use output_padding"
        )
    small = tuple(cells // 2 for cells in total)
    large = tuple(cells - half for cells, half in zip(total, small, strict=True))
    return (small, large) if mode == "SAME_UPPER" else (large, small)


def forward(site: Site, x: Any, weight: Any, bias: Any = None) -> Any:
    """W^T * x + b."""
    return _apply(site)(x, weight, bias)


def interval(site: Site, x: Interval, weight: Any, bias: Any = None) -> Interval:
    """The box mu' = W^T * mu + b, r' = |W|^T * r.  Source: Gowal et al. 2019, Eq. 6."""
    apply = _apply(site)
    chans, _, *kernel = operand(site, 1)
    terms = chans // site.attribute("group", 1) * prod(kernel) + 1
    return x.affine(lambda v: apply(v, weight, bias), lambda v: apply(v, weight.abs(), None), terms)


def _apply(site: Site) -> Callable[[Any, Any, Any], Any]:
    """The node as a function (value, weight, bias) -> value."""
    if varies(site, 1) or varies(site, 2):
        raise Unsupported(
            "ConvTranspose with weights that depend on the input is not affine; ibpc needs "
            "constant weights"
        )
    spread, group = _spread(site), site.attribute("group", 1)
    even = spread.begins == spread.ends and not any(spread.extra)

    def apply(value: Any, weight: Any, bias: Any) -> Any:
        import torch

        functional = torch.nn.functional
        transposed = (
            functional.conv_transpose1d,
            functional.conv_transpose2d,
            functional.conv_transpose3d,
        )[len(spread.kernel) - 1]
        steps, gaps = spread.strides, spread.dilations
        if even:
            return transposed(value, weight, bias, steps, spread.begins, 0, group, gaps)
        full = transposed(value, weight, None, steps, 0, 0, group, gaps)
        cut = functional.pad(full, spread.crop)
        return cut if bias is None else cut + bias.reshape(-1, *(1,) * len(spread.kernel))

    return apply


def milp(site: Site, x: LinearForm, weight: Any, bias: Any = None) -> LinearForm:
    """The affine form as one sparse matrix."""
    import numpy as np
    from scipy.sparse import csr_array

    _apply(site)
    spread, group = _spread(site), site.attribute("group", 1)
    kernel = np.asarray(weight, np.float64).reshape(*weight.shape[:2], -1)
    chans, outs, _ = kernel.shape
    targets, cells = spread.targets(), prod(spread.out)
    # Axes: input channel, input cell, output channel within its group, tap.
    first = np.arange(chans) // (chans // group) * outs
    channel = first[:, None, None, None] + np.arange(outs)[:, None]
    rows = channel * cells + targets[:, None, :]
    columns = np.arange(chans * len(targets)).reshape(chans, len(targets), 1, 1)
    inside = np.broadcast_to(targets[:, None, :] >= 0, rows.shape)
    entries = np.broadcast_to(kernel[:, None], rows.shape)[inside]
    place = (rows[inside], np.broadcast_to(columns, rows.shape)[inside])
    matrix = csr_array((entries, place), shape=(outs * group * cells, len(x.bias)))
    shift = 0.0 if bias is None else np.repeat(np.asarray(bias, np.float64), cells)
    return x.affine(matrix, shift, site.out_shapes[0])


OPERATOR = Operator(
    op="ConvTranspose",
    versions=(1, 11, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    examples=(
        Example(((1, 2, 3, 4), pattern(2, 3, 3, 2), pattern(3))),
        Example(
            ((1, 2, 3, 3), pattern(2, 2, 3, 3), pattern(2)),
            {"strides": (2, 2), "pads": (1, 1, 1, 1), "output_padding": (1, 1)},
        ),
        Example(
            ((1, 4, 3, 2), pattern(4, 1, 2, 2), pattern(2)),
            {"group": 2, "pads": (0, 1, 1, 0), "strides": (2, 1)},
        ),
        Example(((1, 1, 3, 3), pattern(1, 1, 3, 3)), {"dilations": (2, 1)}),
        Example(((1, 2, 4), pattern(2, 2, 3)), {"strides": (2,), "output_shape": (8,)}),
        Example(((1, 1, 3, 3), pattern(1, 2, 3, 3)), {"auto_pad": "SAME_UPPER", "strides": (2, 2)}),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, ConvTranspose-11",
    trainable=(1, 2),
    affine=True,
)
