"""A network as the functions take it: a file, ONNX bytes, a torch module, a network of a spec."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    from ibpc.api.spec import NetView

    Model: TypeAlias = str | os.PathLike[str] | bytes | NetView | Any
    """A path, ONNX bytes, a network of a spec, or a `torch.nn.Module`."""


def onnx_bytes(model: Model, shape: tuple[int, ...] | None = None) -> tuple[bytes, str]:
    """The ONNX bytes of a model, and what to call it.

    `shape` is one input's, without the batch axis; a torch module is exported with it. A network of
    a spec is taken with its first weights, or with those of its file.

    Raises: IbpcError where a file is absent or no network; TypeError for other objects.
    """
    from ibpc.api.spec import NetView
    from ibpc.experiment import untrained
    from ibpc.graph import model_bytes

    if isinstance(model, bytes):
        return model, "the network"
    if isinstance(model, str | os.PathLike):
        return model_bytes(model), str(Path(model))
    if isinstance(model, NetView):
        return untrained(model.net), model.net.name
    if hasattr(model, "state_dict") and shape is not None:
        return _exported(model, shape), type(model).__name__
    raise TypeError(f"expected a path, ONNX bytes or a torch module, got {type(model).__name__}")


def _exported(module: Any, shape: tuple[int, ...]) -> bytes:
    """A torch module as ONNX, in evaluation mode."""
    import warnings
    from tempfile import TemporaryDirectory

    import torch

    training = bool(module.training)
    module.eval()
    try:
        with warnings.catch_warnings(), TemporaryDirectory(prefix="ibpc-") as folder:
            # The exporter that needs no further package is the one that torch calls legacy.
            warnings.simplefilter("ignore", DeprecationWarning)
            example = torch.zeros((1, *shape), dtype=next(module.parameters()).dtype)
            path = Path(folder, "model.onnx")
            torch.onnx.export(module, (example,), path, dynamo=False, opset_version=17)
            return path.read_bytes()
    finally:
        module.train(training)
