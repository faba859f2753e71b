"""Trained weights back into the file that a network came from: same graph, other numbers.

Nodes, names, opset, metadata and the element types of the file stay as they are; only the content
of initialisers, and of Constant nodes, changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.graph.mistakes import EXPORT_AGAIN, INVALID, NOT_WRITABLE, mistake
from ibpc.graph.model_file import parse_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np


def unwritable(data: bytes, shapes: Mapping[str, tuple[int, ...]], origin: str) -> list[str]:
    """The names of `shapes` that the file `data` holds no tensor of that shape for."""
    held = {name: tuple(tensor.dims) for name, tensor in _tensors(parse_model(data, origin))}
    return [name for name, shape in shapes.items() if held.get(name) != tuple(shape)]


def with_constants(data: bytes, arrays: Mapping[str, np.ndarray], origin: str) -> bytes:
    """The file `data` with `arrays` in the place of its tensors of those names.

    Each array is rounded to its tensor's element type.  The same arguments give the same bytes.
    Raises: ModelMistake (E0814) for a name or shape that the file has not; (E0806) where
    onnx.checker refuses the result.
    """
    import onnx

    missing = unwritable(data, {name: array.shape for name, array in arrays.items()}, origin)
    if missing:
        raise mistake(NOT_WRITABLE, origin, f"the file holds no tensor {_listed(missing)}")
    model = parse_model(data, origin)
    for name, tensor in _tensors(model):
        if name in arrays:
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            rounded = arrays[name].astype(kind)
            tensor.CopyFrom(onnx.numpy_helper.from_array(rounded, tensor.name))
    changed = bytes(model.SerializeToString(deterministic=True))
    try:
        onnx.checker.check_model(changed)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        problem = "onnx.checker refuses the network with its new weights"
        raise mistake(INVALID, origin, problem, EXPORT_AGAIN, (str(error)[:200],)) from error
    return changed


def _tensors(model: Any) -> Iterable[tuple[str, Any]]:
    """Every constant of a model with the name of its value."""
    for tensor in model.graph.initializer:
        yield tensor.name, tensor
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                yield node.output[0], attribute.t


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
