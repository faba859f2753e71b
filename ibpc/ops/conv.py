"""Conv: discrete convolution over one to three spatial axes, and the language's `conv` layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Layer, LayerMistake, Slot, Template, Weight
from ibpc.ops.axes import operand, varies
from ibpc.ops.patterns import pattern
from ibpc.ops.record import Example, Operator, ShapeMistake, Unsupported
from ibpc.ops.windows import KERNEL, PADDING, sliding, window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.domains import Interval, LinearForm
    from ibpc.ops.record import Shape, Site


def shape(site: Site) -> tuple[Shape, ...]:
    """(batch, chan, *spatial) * (out, chan / group, *kernel) -> (batch, out, *positions)."""
    image, weight = operand(site, 0), operand(site, 1)
    group = site.attribute("group", 1)
    if len(weight) != len(image):
        raise ShapeMistake(f"Conv of shape {image} with a kernel of shape {weight}")
    if image[1] != weight[1] * group or weight[0] % group:
        raise ShapeMistake(
            f"Conv has weights for {weight[1] * group} channels in {group} groups, "
            f"its input has {image[1]}"
        )
    return ((image[0], weight[0], *window(site, weight[2:]).out),)


def forward(site: Site, x: Any, weight: Any, bias: Any = None) -> Any:
    """W * x + b."""
    return _convolve(site)(x, weight, bias)


def interval(site: Site, x: Interval, weight: Any, bias: Any = None) -> Interval:
    """The box mu' = W * mu + b, r' = |W| * r.  Source: Gowal et al. 2019, Eq. 6."""
    convolve = _convolve(site)
    return x.affine(
        lambda v: convolve(v, weight, bias),
        lambda v: convolve(v, weight.abs(), None),
        terms=prod(operand(site, 1)[1:]) + 1,
    )


def milp(site: Site, x: LinearForm, weight: Any, bias: Any = None) -> LinearForm:
    """The affine form of the convolution as one sparse matrix."""
    import numpy as np
    from scipy.sparse import csr_array

    _convolve(site)
    slide = window(site, operand(site, 1)[2:])
    kernel = np.asarray(weight, np.float64).reshape(*weight.shape[:2], -1)
    outs, chans, _ = kernel.shape
    taps, cells = slide.taps(), prod(slide.extents)
    # Axes: output channel, position, input channel within its group, tap.
    first = np.arange(outs) // (outs // site.attribute("group", 1)) * chans
    channel = first[:, None, None, None] + np.arange(chans)[:, None]
    columns = channel * cells + taps[:, None, :]
    rows = np.arange(outs * len(taps)).reshape(outs, len(taps), 1, 1)
    inside = np.broadcast_to(taps[:, None, :] >= 0, columns.shape)
    entries = np.broadcast_to(kernel[:, None], columns.shape)[inside]
    place = (np.broadcast_to(rows, columns.shape)[inside], columns[inside])
    matrix = csr_array((entries, place), shape=(outs * len(taps), len(x.bias)))
    shift = 0.0 if bias is None else np.repeat(np.asarray(bias, np.float64), len(taps))
    return x.affine(matrix, shift, site.out_shapes[0])


def transpose(site: Site, rows: Any, _: Any, weight: Any, bias: Any = None) -> tuple[Any, ...]:
    """Rows convolved with W transposed, the spec axis folded into the batch."""
    import torch

    functional = torch.nn.functional
    slide = window(site, operand(site, 1)[2:])
    back = (
        functional.conv_transpose1d,
        functional.conv_transpose2d,
        functional.conv_transpose3d,
    )[len(slide.kernel) - 1]
    sides = zip(slide.extents, slide.begins, slide.ends, strict=True)
    room = [extent + begin + end for extent, begin, end in sides]
    # The cells after the last window, which no output reads.
    beyond = [
        cells - (count - 1) * stride - (kernel - 1) * dilation - 1
        for cells, count, stride, kernel, dilation in zip(
            room, slide.out, slide.strides, slide.kernel, slide.dilations, strict=True
        )
    ]
    group = site.attribute("group", 1)
    flat = rows.reshape(-1, *rows.shape[2:])
    found = back(flat, weight, None, slide.strides, 0, 0, group, slide.dilations)
    # Cells beyond are added and padding is cut away by one pad.
    borders = zip(reversed(slide.begins), reversed(slide.ends), reversed(beyond), strict=True)
    pads = [cells for begin, end, more in borders for cells in (-begin, more - end)]
    found = functional.pad(found, pads) if any(pads) else found
    return (found.reshape(*rows.shape[:2], *found.shape[1:]), *(None for _ in site.shapes[1:]))


def _convolve(site: Site) -> Callable[[Any, Any, Any], Any]:
    """The node as a function (value, weight, bias) -> value; uneven pads become a pad of zeros."""
    if varies(site, 1) or varies(site, 2):
        raise Unsupported(
            "Conv with weights that depend on the input is not affine; ibpc needs constant weights"
        )
    slide = window(site, operand(site, 1)[2:])

    def convolve(value: Any, weight: Any, bias: Any) -> Any:
        import torch

        functional = torch.nn.functional
        padding = slide.begins
        if not slide.even:
            value, padding = functional.pad(value, slide.around), (0,) * len(padding)
        apply = (functional.conv1d, functional.conv2d, functional.conv3d)[len(padding) - 1]
        group = site.attribute("group", 1)
        return apply(value, weight, bias, slide.strides, padding, slide.dilations, group)

    return convolve


def build(arguments: Mapping[str, Any], in_shape: Shape, _: Shape) -> tuple[Template, ...]:
    """`conv n 4x4+2`."""
    dilation, groups, count = arguments["dilation"], arguments["groups"], arguments["count"]
    attributes = sliding(arguments, in_shape, dilation)
    if in_shape[0] % groups or count % groups:
        raise LayerMistake(
            f"{groups} groups divide neither {in_shape[0]} input channels nor {count} outputs"
            if in_shape[0] % groups and count % groups
            else f"{groups} groups do not divide {in_shape[0]} input channels and {count} outputs",
            "use a number of groups that divides both",
            "groups",
        )
    kernel = (count, in_shape[0] // groups, *attributes["kernel_shape"])
    weights = [Weight("weight", kernel, "weight")]
    if arguments["bias"]:
        weights.append(Weight("bias", (count,), "zeros"))
    return (
        Template(
            "Conv",
            {**attributes, "dilations": (dilation, dilation), "group": groups},
            tuple(weights),
        ),
    )


OPERATOR = Operator(
    op="Conv",
    versions=(1, 11, 22),
    shape=shape,
    forward=forward,
    interval=interval,
    milp=milp,
    transpose=transpose,
    examples=(
        Example(((1, 2, 5, 6), pattern(3, 2, 3, 2), pattern(3))),
        Example(((1, 2, 6, 5), pattern(2, 2, 3, 3)), {"pads": (1, 1, 1, 1), "strides": (2, 2)}),
        Example(((1, 1, 6, 6), pattern(2, 1, 4, 4), pattern(2)), {"auto_pad": "SAME_UPPER"}),
        Example(((1, 1, 5, 7), pattern(2, 1, 4, 2)), {"auto_pad": "SAME_LOWER", "strides": (2, 3)}),
        Example(((1, 1, 6, 6), pattern(1, 1, 3, 3)), {"auto_pad": "VALID", "strides": (2, 1)}),
        Example(
            ((1, 4, 4, 5), pattern(6, 2, 2, 2), pattern(6)), {"group": 2, "pads": (0, 1, 2, 0)}
        ),
        Example(((1, 2, 7, 7), pattern(2, 2, 3, 2)), {"dilations": (2, 3)}),
        Example(((1, 2, 9), pattern(3, 2, 3), pattern(3)), {"pads": (2, 0), "strides": (2,)}),
        Example(((1, 1, 3, 3, 4), pattern(2, 1, 2, 2, 2)), {"pads": (0, 0, 1, 0, 0, 1)}),
    ),
    source="Gowal et al. 2019, Eq. 6; ONNX operator specification, Conv-11",
    trainable=(1, 2),
    affine=True,
    layers=(
        Layer(
            "conv",
            (
                Slot("count", "int", low=1, doc="output channels"),
                KERNEL,
                PADDING,
                Slot("groups", "int", default=1, low=1, doc="groups of channels kept apart"),
                Slot("dilation", "int", default=1, low=1, doc="distance between kernel taps"),
                Slot("bias", "bool", default=True, doc="whether the layer adds a bias"),
            ),
            build,
            "convolution (CONV n w x h + s in Table 1)",
            takes_count="count",
            takes_kernel=True,
            activates=True,
        ),
    ),
)
