"""Windows that slide over the spatial axes: what convolutions and poolings share.

Source: ONNX operator specification, Conv-11, MaxPool-12, AveragePool-11 (attributes `auto_pad`,
`ceil_mode`, `dilations`, `kernel_shape`, `pads`, `strides`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any

from ibpc.language import LayerMistake, Slot
from ibpc.ops.axes import operand
from ibpc.ops.record import ShapeMistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.ops.record import Shape, Site


@dataclass(frozen=True, slots=True)
class Window:
    """One extent per spatial axis in every field; `begins`, `ends` are the zeros put around.

    `extra`: cells after `ends` that only the rounding up of `ceil_mode` reaches.
    """

    extents: Shape
    kernel: Shape
    strides: Shape
    dilations: Shape
    begins: Shape
    ends: Shape
    out: Shape
    extra: Shape

    @property
    def even(self) -> bool:
        """Whether both sides of every axis are padded alike and nothing is rounded up."""
        return self.begins == self.ends and not any(self.extra)

    @property
    def around(self) -> list[int]:
        """All pads as `torch.nn.functional.pad` takes them: last axis first, (begin, end)."""
        return self._last_first(
            [end + more for end, more in zip(self.ends, self.extra, strict=True)]
        )

    @property
    def declared(self) -> list[int]:
        """The pads that the operator declares, without `extra`, in the same order."""
        return self._last_first(list(self.ends))

    @property
    def beyond(self) -> list[int]:
        """The cells of `extra` alone, in the same order."""
        return [pad for more in reversed(self.extra) for pad in (0, more)]

    def _last_first(self, ends: list[int]) -> list[int]:
        pairs = reversed(list(zip(self.begins, ends, strict=True)))
        return [pad for pair in pairs for pad in pair]

    def taps(self) -> Any:
        """Which cell each tap of the kernel reads: flat spatial indices, -1 in the padding.

        Shapes: (prod(out), prod(kernel)).
        """
        import numpy as np

        flat, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for axis, extent in enumerate(self.extents):
            starts = np.arange(self.out[axis]) * self.strides[axis] - self.begins[axis]
            cells = starts[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            fits = (cells >= 0) & (cells < extent)
            flat = _outer(flat * extent, np.where(fits, cells, 0), np.add)
            inside = _outer(inside, fits, np.logical_and)
        return np.where(inside, flat, -1)


def _outer(left: Any, right: Any, join: Any) -> Any:
    """Join every (row, column) of the one with every (row, column) of the other."""
    found = join(left[:, None, :, None], right[None, :, None, :])
    return found.reshape(left.shape[0] * right.shape[0], left.shape[1] * right.shape[1])


def window(site: Site, kernel: Shape) -> Window:
    """The window of a convolution or pooling node.

    Raises: ShapeMistake where attributes do not fit the operand, or the kernel does not fit in.
    """
    extents = operand(site, 0)[2:]
    rank = len(extents)
    strides = tuple(site.attribute("strides") or (1,) * rank)
    dilations = tuple(site.attribute("dilations") or (1,) * rank)
    if not rank or not rank == len(kernel) == len(strides) == len(dilations):
        raise ShapeMistake(
            f"{site.op} slides a kernel of {len(kernel)} axes over a value with {rank} spatial axes"
        )
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    begins, ends = _pads(site, extents, reach, strides)
    up = bool(site.attribute("ceil_mode", 0))
    sides = list(zip(extents, reach, strides, begins, ends, strict=True))
    out = tuple(_slide(*side, up=up) for side in sides)
    if any(count < 1 for count in out):
        raise ShapeMistake(
            f"a {_times(kernel)} kernel does not fit an input of {_times(extents)}",
            "use `pad = same`, or remove a strided layer above",
        )
    extra = tuple(
        max(0, (count - 1) * stride + span - extent - begin - end)
        for count, (extent, span, stride, begin, end) in zip(out, sides, strict=True)
    )
    return Window(extents, kernel, strides, dilations, begins, ends, out, extra)


def _slide(extent: int, reach: int, stride: int, begin: int, end: int, up: bool) -> int:
    """How often the kernel fits; rounded up, no window may start in the end padding."""
    room = extent + begin + end - reach
    count = room // stride + 1
    if up and room % stride and count * stride < extent + begin:
        count += 1
    return count


def _pads(site: Site, extents: Shape, reach: Shape, strides: Shape) -> tuple[Shape, Shape]:
    """Padding at the begins and the ends, from `pads` or `auto_pad`."""
    mode, rank = site.attribute("auto_pad", "NOTSET"), len(extents)
    if mode == "VALID":
        return (0,) * rank, (0,) * rank
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        totals = tuple(starmap(same_padding, zip(extents, reach, strides, strict=True)))
        small = tuple(total // 2 for total in totals)
        large = tuple(total - half for total, half in zip(totals, small, strict=True))
        return (small, large) if mode == "SAME_UPPER" else (large, small)
    pads = tuple(site.attribute("pads") or (0,) * (2 * rank))
    if len(pads) != 2 * rank:
        raise ShapeMistake(f"{site.op} has {len(pads)} pads for {rank} spatial axes")
    return pads[:rank], pads[rank:]


def same_padding(extent: int, reach: int, stride: int) -> int:
    """How many cells `same` adds along one axis, so that out = ceil(extent / stride)."""
    return max(0, (-(-extent // stride) - 1) * stride + reach - extent)


def _times(extents: Shape) -> str:
    return "x".join(str(extent) for extent in extents)


KERNEL = Slot("kernel", "kernel", doc="kernel and stride: 4x4+2 is 4 high, 4 wide, stride 2")
PADDING = Slot(
    "pad",
    "padding",
    default="valid",
    doc="valid (none), same (output = input / stride, rounded up), or cells on every side",
)


def sliding(arguments: Mapping[str, Any], in_shape: Shape, dilation: int = 1) -> dict[str, Any]:
    """The ONNX attributes of a layer with a kernel, `pad` as explicit numbers.

    `same` follows TensorFlow: the odd cell goes to the end (SAME_UPPER).
    Raises: LayerMistake where the input is no (chan, high, wide), or the kernel does not fit.
    """
    if len(in_shape) != 3:
        raise LayerMistake(
            f"a kernel needs an input (channels, height, width), this one has shape {in_shape}",
            "put it above the first `fc` or `flatten`, or add `reshape`",
        )
    (high, wide), stride = arguments["kernel"]
    padding, extents = arguments["pad"], in_shape[1:]
    reach = ((high - 1) * dilation + 1, (wide - 1) * dilation + 1)
    if padding == "same":
        totals = [same_padding(*side, stride) for side in zip(extents, reach, strict=True)]
        begins = [total // 2 for total in totals]
        ends = [total - begin for total, begin in zip(totals, begins, strict=True)]
    else:
        begins = ends = [0, 0] if padding == "valid" else [int(padding)] * 2
    room = [sum(side) for side in zip(extents, begins, ends, strict=True)]
    if any(cells < span for cells, span in zip(room, reach, strict=True)):
        raise LayerMistake(
            f"needs at least {_times(reach)} with pad = {padding}, its input is {_times(extents)}",
            "use `pad = same`, or remove a strided layer above",
            "kernel",
        )
    return {
        "kernel_shape": (high, wide),
        "strides": (stride, stride),
        "pads": (*begins, *ends),
    }
