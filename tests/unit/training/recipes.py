"""A small network, its claim, data and recipe, made by hand: what the trainer's tests train."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from ibpc.data import Examples
from ibpc.errors import Span
from ibpc.language import Template, Weight
from ibpc.language.program import (
    BoundPart,
    Claim,
    Curve,
    Dataset,
    DeclaredNet,
    Fit,
    IndexType,
    InputSet,
    Invocation,
    LossExpr,
    LossTerm,
    PlannedNode,
    Segment,
    Split,
    Symbol,
    TensorType,
)
from ibpc.passes import prepare
from ibpc.training import Stepper
from ibpc.training.batches import Batches
from ibpc.training.schedule import Plan
from ibpc.training.trainer import initial_graph

HERE = Span("specs/tiny.ibp", 1, 1, 1, 2)
INPUT = TensorType((2,), ((Fraction(0), Fraction(1)),))
OUTPUT = TensorType((3,))

FIT = LossExpr("term", term=LossTerm("xent", "logits", {}))
SPEC = LossExpr("term", term=LossTerm("xent", "worst", {}))
KAPPA = LossExpr("schedule", name="kappa")


def number(value: int | str) -> LossExpr:
    """A number of a loss."""
    return LossExpr("number", value=Fraction(value))


def paper_loss() -> LossExpr:
    """Kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)."""
    rest = LossExpr("-", (number(1), KAPPA))
    return LossExpr("+", (LossExpr("*", (KAPPA, FIT)), LossExpr("*", (rest, SPEC))))


def bounded(word: str, **arguments: Any) -> tuple[BoundPart, ...]:
    """One bound method alone."""
    return (BoundPart(number(1), Invocation(word, arguments, HERE)),)


def term(word: str, over: str, **arguments: Any) -> LossExpr:
    """One loss alone."""
    return LossExpr("term", term=LossTerm(word, over, arguments))


def curve(*segments: tuple[str, float, int | None]) -> Curve:
    """A schedule out of (shape, value, until)."""
    return Curve(tuple(Segment(*segment) for segment in segments))


def tiny_net(norm: bool = False) -> DeclaredNet:
    """2 -> 16 relu -> 3, with BatchNorm before the relu if asked for."""
    nodes = [_gemm("fc1", "x", 16, 2)]
    if norm:
        weights = (
            Weight("scale", (16,), "ones"),
            Weight("shift", (16,), "zeros"),
            Weight("mean", (16,), "zeros"),
            Weight("var", (16,), "ones"),
        )
        template = Template("BatchNormalization", {"epsilon": 1e-5, "momentum": 0.9}, weights)
        nodes.append(PlannedNode("norm", ("fc1",), template, (16,), HERE))
    last = nodes[-1].name
    nodes.append(PlannedNode("fc1_relu", (last,), Template("Relu"), (16,), HERE, hidden=16))
    nodes.append(_gemm("out", "fc1_relu", 3, 16))
    return DeclaredNet("tiny", INPUT, OUTPUT, tuple(nodes), (), 16, 99, HERE)


def deep_net() -> DeclaredNet:
    """2 -> 6 relu -> 5 relu -> 3."""
    nodes = (
        _gemm("fc1", "x", 6, 2),
        PlannedNode("fc1_relu", ("fc1",), Template("Relu"), (6,), HERE, hidden=6),
        _gemm("fc2", "fc1_relu", 5, 6),
        PlannedNode("fc2_relu", ("fc2",), Template("Relu"), (5,), HERE, hidden=5),
        _gemm("out", "fc2_relu", 3, 5),
    )
    return DeclaredNet("deep", INPUT, OUTPUT, nodes, (), 11, 71, HERE)


def stepper_for(fit: Fit) -> tuple[Stepper, Batches]:
    """A stepper and the batches of `dots`."""
    plan = Plan.of(fit, 64)
    stepper = Stepper(fit, prepare(initial_graph(fit), "training"), plan.curves)
    return stepper, Batches(dots(), plan, fit.seed, fit.data.dataset.augment, "cpu")


def tiny_fit(steps: int = 60, norm: bool = False, **changes: Any) -> Fit:
    """A recipe in the paper's form: warm-up, ramp, both losses."""
    source = Invocation("scatter", {}, HERE)
    dataset = Dataset("dots", INPUT, IndexType(3), source, None, None, (), HERE)
    claim = Claim(
        name="robust",
        set=InputSet("ball", Symbol("eps")),
        size=3,
        rows=(),
        argmax=True,
        strict=False,
        text="forall k != y: z[k] - z[y] <= 0",
        span=HERE,
    )
    fit = Fit(
        recipe="fit",
        net=tiny_net(norm),
        data=Split(dataset, "all"),
        claim=claim,
        bound=bounded("ibp", elide=True),
        loss=paper_loss(),
        optimiser=Invocation("adam", {}, HERE),
        initialiser=Invocation("orthogonal", {}, HERE),
        batch=10,
        steps=steps,
        epochs=None,
        seed=0,
        curves={
            "lr": curve(("hold", 1e-2, 40), ("hold", 1e-3, None)),
            "eps": curve(("hold", 0.0, 20), ("linear", 0.1, 40)),
            "kappa": curve(("hold", 1.0, 20), ("linear", 0.5, 40)),
        },
        attack=None,
        clip_gradient=None,
        average=None,
        logs=(),
        span=HERE,
    )
    return replace(fit, **changes)


def dots(count: int = 64, scale: float = 255.0) -> Examples:
    """Points of the unit square as bytes, labelled by which third they lie in."""
    points = np.random.default_rng(7).integers(0, 256, size=(count, 2), dtype=np.uint8)
    labels = (points.astype(np.int64).sum(1) // 171).clip(max=2)
    return Examples(points, labels, scale, "dots")


def _gemm(name: str, value: str, outputs: int, inputs: int) -> PlannedNode:
    weights = (
        Weight("weight", (outputs, inputs), "weight"),
        Weight("bias", (outputs,), "zeros"),
    )
    template = Template("Gemm", {"transB": 1}, weights)
    return PlannedNode(name, (value,), template, (outputs,), HERE)
