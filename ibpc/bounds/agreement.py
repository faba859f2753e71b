"""Our reading of a network against onnxruntime's, on random points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ibpc.bounds.programs import lower_forward
from ibpc.bounds.weights import Weights
from ibpc.errors import Diagnostic, ModelMistake
from ibpc.graph import Runtime

if TYPE_CHECKING:
    from ibpc.graph import Graph

_CLOSE = 1e-5
"""Below this, a float32 program agrees, and what it loses need not be asked."""

_LOST = 2.0**17
"""What float32 loses times this is the size of the numbers that met, give or take sums' lengths."""


def agree(
    graph: Graph,
    data: bytes,
    samples: int = 8,
    box: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
) -> float:
    """The largest difference between our forward program and onnxruntime, relative to the outputs.

    `graph` is what `data`, a network's ONNX bytes, was read and prepared to. Points are drawn from
    `box` (lower, upper), in the input's flat order, or from [0, 1]. The difference is divided by
    the largest output, or, where outputs are differences of larger numbers, by the size of those:
    2^17 times what our own program loses in float32. Below 1e-4 it is rounding. Infinite where one
    of the two gives NaN or an infinity and the other does not.

    Raises: ModelMistake where onnxruntime refuses the network, or outputs differ in size.
    """
    runtime = Runtime(data)
    points = _points(graph, samples, box, seed)
    theirs = [
        _theirs(graph, runtime, [point[i : i + 1] for point in points]) for i in range(samples)
    ]
    wanted = np.stack(theirs)
    coarse = _ours(graph, points, torch.float32)
    if wanted.shape != coarse.shape:
        found = f"{wanted.shape[1]} numbers, we {coarse.shape[1]}"
        problem = f"{graph.name}: onnxruntime gives {found}"
        raise ModelMistake(Diagnostic("E0825", problem, fix="please report it with the file"))
    close = _apart(wanted, coarse, coarse)
    return close if close < _CLOSE else _apart(wanted, coarse, _ours(graph, points, torch.float64))


def _apart(wanted: np.ndarray, coarse: np.ndarray, fine: np.ndarray) -> float:
    """The relative difference, `coarse` and `fine` being our outputs in float32 and float64."""
    if not np.array_equal(np.isfinite(wanted), np.isfinite(fine)):
        return float("inf")
    there = np.isfinite(wanted) & np.isfinite(coarse)
    if not there.any():
        return 0.0
    lost = np.abs(coarse[there] - fine[there]).max()
    apart = np.abs(wanted[there] - fine[there]).max()
    size = max(np.abs(wanted[there]).max(), _LOST * lost, float(np.finfo(np.float32).tiny))
    return float(apart / size)


def _points(
    graph: Graph, samples: int, box: tuple[np.ndarray, np.ndarray] | None, seed: int
) -> list[np.ndarray]:
    """A float32 batch of points for each input."""
    random = np.random.default_rng(seed)
    found = []
    for shape in graph.inputs.values():
        size = (samples, *shape[1:])
        share = random.random(size)
        if box is not None:
            lower, upper = (np.asarray(bound, np.float64).reshape(1, *shape[1:]) for bound in box)
            share = lower + share * (upper - lower)
        found.append(share.astype(np.float32))
    return found


def _theirs(graph: Graph, runtime: Runtime, point: list[np.ndarray]) -> np.ndarray:
    """Onnxruntime's outputs at one point, flat."""
    outputs = runtime.run(dict(zip(graph.inputs, point, strict=True)))
    return np.concatenate([np.asarray(outputs[name], np.float64).ravel() for name in graph.outputs])


def _ours(graph: Graph, points: list[np.ndarray], dtype: torch.dtype) -> np.ndarray:
    """Our outputs at all points, flat: (samples, outputs)."""
    program = lower_forward(graph, Weights(graph, dtype))
    with torch.no_grad():
        found = program(*(torch.from_numpy(point).to(dtype) for point in points))
    outputs = (found,) if isinstance(found, torch.Tensor) else found
    flat = [output.reshape(len(points[0]), -1).double() for output in outputs]
    return np.asarray(torch.cat(flat, 1).numpy())
