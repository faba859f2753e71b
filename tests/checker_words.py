"""A small vocabulary of the checker's own tests: messages do not change with the other rooms."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import (
    Entry,
    Layer,
    LayerMistake,
    Slot,
    StageEntry,
    Template,
    Vocabulary,
    Weight,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.language import InputSet, Shape

BIAS = Slot("bias", "bool", default=True, doc="whether the layer adds a bias")


def conv(arguments: Mapping[str, Any], shape: Shape, _: Shape) -> tuple[Template, ...]:
    (high, wide), stride = arguments["kernel"]
    if len(shape) != 3:
        raise LayerMistake(f"`conv` needs channels, height and width, found {shape}")
    if arguments["pad"] == "valid" and (high > shape[1] or wide > shape[2]):
        fix = "use `pad = same`, or remove a strided layer above"
        raise LayerMistake("kernel does not fit its input", fix, "kernel")
    weights = [Weight("weight", (arguments["count"], shape[0], high, wide), "weight")]
    if arguments["bias"]:
        weights.append(Weight("bias", (arguments["count"],), "zeros"))
    attributes = {"pad": arguments["pad"], "kernel": (high, wide), "stride": stride}
    return (Template("Conv", attributes, tuple(weights)),)


def dense(count: int, shape: Shape) -> tuple[Template, ...]:
    weights = (
        Weight("weight", (count, prod(shape)), "weight"),
        Weight("bias", (count,), "zeros"),
    )
    flatten = () if len(shape) == 1 else (Template("Flatten"),)
    return (*flatten, Template("Gemm", {}, weights))


def normalise(arguments: Mapping[str, Any], shape: Shape, _: Shape) -> tuple[Template, ...]:
    if len(arguments["mean"]) != shape[0]:
        raise LayerMistake(f"{len(arguments['mean'])} means for {shape[0]} channels", "", "mean")
    size = (shape[0], *(1,) * (len(shape) - 1))
    mean = Weight("mean", size, "values", arguments["mean"])
    std = Weight("std", size, "values", arguments["std"])
    return Template("Sub", {}, (mean,)), Template("Div", {}, (std,))


def infer(
    op: str, attributes: Mapping[str, Any], shapes: tuple[Shape, ...], _: tuple[Any, ...]
) -> Shape:
    if op == "Conv":
        stride, (high, wide) = attributes["stride"], attributes["kernel"]
        extents = [
            -(-size // stride) if attributes["pad"] == "same" else (size - kernel) // stride + 1
            for size, kernel in zip(shapes[0][2:], (high, wide), strict=True)
        ]
        return (1, shapes[1][0], *extents)
    if op == "Flatten":
        return (1, prod(shapes[0]))
    return (1, shapes[1][0]) if op == "Gemm" else shapes[0]


LAYERS = (
    Layer(
        "conv",
        (
            Slot("count", "int", low=1, doc="output channels"),
            Slot("kernel", "kernel"),
            Slot("pad", "padding"),
            BIAS,
        ),
        conv,
        "convolution",
        takes_count="count",
        takes_kernel=True,
        activates=True,
    ),
    Layer(
        "fc",
        (Slot("count", "int", low=1, doc="outputs"), BIAS),
        lambda arguments, shape, _: dense(arguments["count"], shape),
        "fully connected",
        takes_count="count",
        activates=True,
    ),
    Layer("out", (BIAS,), lambda _, shape, out: dense(prod(out), shape), "to the logits"),
    Layer("relu", (), lambda *_: (Template("Relu"),), "max(x, 0)", activation=True),
    Layer("tanh", (), lambda *_: (Template("Tanh"),), "tanh(x)", activation=True),
    Layer(
        "normalise",
        (Slot("mean", "reals", doc="means"), Slot("std", "reals", doc="deviations")),
        normalise,
        "(x - mean) / std",
    ),
)

TIMEOUT = Slot("timeout", "time", default=600.0, doc="for each example")

STAGES = (
    StageEntry(
        "forward", (Slot("predicate", "predicate", "argmax", positional=True),), "", role="observe"
    ),
    StageEntry(
        "pgd",
        (Slot("steps", "int", default=200, low=1), Slot("restarts", "int", default=10, low=1)),
        "",
        role="refute",
    ),
    StageEntry("ibp", (), "", role="bound"),
    StageEntry("mip", (TIMEOUT,), "", role="exact", needs="milp"),
    StageEntry("lp", (TIMEOUT,), "", role="relax"),
)


SETS = ("ball", "box", "choice", "free", "intersect", "simplex", "union")


def lacks(given: InputSet, lowering: str) -> str:
    missing = given.kind == "ball_1" and lowering == "milp"
    return "use crown, or drop the stage from this cascade" if missing else ""


def by_word(*entries: Any) -> dict[str, Any]:
    return {entry.word: entry for entry in entries}


VOCABULARY = Vocabulary(
    layers=by_word(*LAYERS),
    infer=infer,
    sets=by_word(*(Entry(word, (), "") for word in SETS)),
    lacks=lacks,
    losses=by_word(
        Entry("xent", (), ""), Entry("hinge", (Slot("margin", "real", default=10.0, low=0),), "")
    ),
    bounds=by_word(Entry("ibp", (Slot("elide", "bool", default=True),), "")),
    optimisers=by_word(
        Entry("adam", (Slot("beta1", "real", default=0.9, low=0, high=1),), ""),
        Entry("sgd", (), ""),
    ),
    initialisers=by_word(Entry("orthogonal", (), "")),
    stages=by_word(*STAGES),
    sources=by_word(
        Entry("builtin", (Slot("name", "word", choices=("mnist",), positional=True),), ""),
        Entry(
            "scatter",
            (Slot("n", "int", low=1), Slot("separation", "real", low=0)),
            "",
        ),
        Entry("image_folder", (Slot("path", "text", positional=True),), ""),
    ),
    builtin_data={"mnist": (1, 28, 28)},
    augmentations=by_word(
        Entry(
            "flip",
            (Slot("axis", "word", "horizontal", ("horizontal", "vertical"), positional=True),),
            "",
        ),
        Entry("crop", (Slot("pad", "int", default=4, low=1),), ""),
    ),
)
