"""Another reading of the network, by onnx2torch, against ours: for `--cross-check`.

The original file is converted first, and a copy at opset 17 only where that fails: converting
first breaks others. Importing onnx2torch takes seconds, because it imports torchvision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ibpc.graph import Graph

SAMPLES = 4
OPSET = 17


def second_difference(
    network: Graph, data: bytes, box: tuple[np.ndarray, np.ndarray]
) -> float | None:
    """The largest difference from onnx2torch's reading, relative to the largest output.

    On points of the box (flat lower, upper). None where onnx2torch cannot convert the network.
    """
    import torch

    from ibpc.bounds import Weights, lower_forward

    other = _converted(data)
    if other is None:
        return None
    shape = next(iter(network.inputs.values()))
    draws = np.random.default_rng(0)
    ours = lower_forward(network, Weights(network, torch.float32))
    most = 0.0
    for _ in range(SAMPLES):
        share = draws.random(box[0].shape)
        point = torch.from_numpy((box[0] + share * (box[1] - box[0])).astype(np.float32))
        with torch.no_grad():
            mine = ours(point.reshape(shape)).flatten()
            theirs = other(point.reshape(shape)).flatten()
        if mine.shape != theirs.shape:
            return float("inf")
        apart, size = float((mine - theirs).abs().max()), float(theirs.abs().max())
        most = max(most, apart / max(size, 1e-30))
    return most


def _converted(data: bytes) -> Any:
    """The torch module, or None."""
    import onnx
    import onnx.version_converter
    from onnx2torch import convert

    model = onnx.load_model_from_string(data)
    again: Any = onnx.version_converter.convert_version
    for attempt in (lambda: model, lambda: again(model, OPSET)):
        try:
            module: Any = convert(attempt())
            return module.eval()
        except Exception:  # both raise whatever they meet
            continue
    return None
