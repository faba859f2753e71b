"""Recipes that start from somebody else's ONNX file: what may be trained, and where it goes.

Beside model.onnx, which holds the network as a run verifies it (with the spec's maps, in ibpc's
forms), the trained weights go back into the file itself: same graph, other numbers. That file is
written only if onnxruntime computes the same from both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibpc.bounds import Weights
from ibpc.errors import Diagnostic, ModelMistake
from ibpc.graph import (
    attach_maps,
    load_onnx,
    model_bytes,
    read_onnx,
    run_onnxruntime,
    save_bytes,
    unwritable,
    with_constants,
    write_onnx,
)
from ibpc.training.codes import NOT_IN_FILE, NOT_THE_SAME, NOTHING_TO_TRAIN

if TYPE_CHECKING:
    from pathlib import Path

    from ibpc.errors import Span
    from ibpc.graph import Graph
    from ibpc.language import OnnxNet

TUNED = "tuned.onnx"
"""The third party's file with the trained weights, in the training's folder."""

SAMPLES, CLOSE = 16, 1e-4


def load_reference(net: OnnxNet) -> Graph:
    """The network in the spec's units: the file's graph between the maps."""
    return attach_maps(load_onnx(net.path), net.input_map, net.output_map)


def check_trainable(net: OnnxNet, graph: Graph, at: Span) -> None:
    """Refuse, before any work is done, a network whose weights could not go back into its file.

    `graph`: the network, prepared for training.
    Raises: ModelMistake.
    """
    parameters = Weights(graph).parameter_names
    if not parameters:
        problem = f"`{net.path}` has no weights that training could change"
        fix = "ibpc trains weights and biases of Gemm, MatMul, Add, Conv and ConvTranspose, and"
        fix += " scale and shift of BatchNormalization"
        raise ModelMistake(Diagnostic(NOTHING_TO_TRAIN, problem, at, "this training", fix))
    shapes = {name: graph.constants[name].shape for name in parameters}
    missing = unwritable(model_bytes(net.path), shapes, net.path)
    if missing:
        names = ", ".join(f"`{name}`" for name in missing[:5])
        problem = f"`{net.path}` does not hold the trained weights {names} as they are used"
        fix = "export it with its weights as plain initialisers (torch.onnx.export does)"
        note = "they are computed by nodes of the file, or written into an operator's older form"
        raise ModelMistake(
            Diagnostic(NOT_IN_FILE, problem, at, "this training", fix, notes=(note,))
        )


def write_tuned(folder: Path, net: OnnxNet, before: Graph, after: Graph, at: Span) -> Path:
    """The file with the weights that differ between two graphs; gives its path.

    `after` is `before`, as prepared for training, with the trained weights.
    Raises: ModelMistake where onnxruntime computes something else from it than from `after`.
    """
    changed = {
        name: array
        for name, array in after.constants.items()
        if array is not before.constants[name] and not np.array_equal(array, before.constants[name])
    }
    data = with_constants(model_bytes(net.path), changed, net.path)
    apart = _apart(attach_maps(read_onnx(data, net.path), net.input_map, net.output_map), after)
    if not apart <= CLOSE:
        problem = f"`{net.path}` with the trained weights computes something else ({apart:.2g})"
        fix = "use model.onnx, which holds the trained network; please report it with the file"
        raise ModelMistake(Diagnostic(NOT_THE_SAME, problem, at, "this training", fix))
    save_bytes(folder / TUNED, data)
    return folder / TUNED


def _apart(one: Graph, other: Graph) -> float:
    """The largest difference of two networks' outputs, relative to the largest output."""
    draws = np.random.default_rng(0)
    (name, shape), (second, _) = (next(iter(graph.inputs.items())) for graph in (one, other))
    files = write_onnx(one), write_onnx(other)
    most = 0.0
    for _ in range(SAMPLES):
        point = draws.random(shape, np.float32)
        pairs = zip(files, (name, second), strict=True)
        left, right = (next(iter(run_onnxruntime(f, {n: point}).values())) for f, n in pairs)
        if not np.isfinite(right).all():
            return float("inf")
        most = max(most, float(np.abs(left - right).max() / max(np.abs(right).max(), 1e-30)))
    return most
