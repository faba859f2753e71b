"""The constants of a graph as one PyTorch module, shared by all programs lowered from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch
from torch import nn

from ibpc.ops import operator

if TYPE_CHECKING:
    import numpy as np

    from ibpc.graph import Graph


class Weights(nn.Module):
    """Every constant of a graph: trainable ones as parameters, the others as buffers.

    A constant is trainable where it holds floats, is no single number (an epsilon, a scale), and
    an operator that reads it lists that operand as `trainable`. Floats are held in `dtype`. An
    attribute's name is the constant's name made an identifier (`conv1.weight` is `conv1_weight`).
    Programs lowered from these weights hold the same tensors, so: move to a device first, lower
    then.
    """

    def __init__(self, graph: Graph, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.dtype = dtype
        trainable = _trainable(graph)
        self._attributes: dict[str, str] = {}
        names: list[str] = []
        for name, array in graph.constants.items():
            attribute = _identifier(name, self)
            self._attributes[name] = attribute
            tensor = _tensor(array, dtype)
            if name in trainable and tensor.is_floating_point() and tensor.dim() > 0:
                self.register_parameter(attribute, nn.Parameter(tensor))
                names.append(name)
            else:
                self.register_buffer(attribute, tensor)
        self.parameter_names = tuple(names)
        """The constants' names in the order of `parameters()`."""

    def attribute(self, name: str) -> str:
        """The attribute that holds the constant `name`."""
        return self._attributes[name]

    def value(self, name: str) -> torch.Tensor:
        """The tensor that holds the constant `name`."""
        tensor = getattr(self, self._attributes[name])
        assert isinstance(tensor, torch.Tensor)
        return tensor

    def graph(self, graph: Graph) -> Graph:
        """`graph` with the current values of all constants that it shares with these weights.

        Shapes and dtypes stay those of the graph's own constants.
        """
        constants = {
            name: self._array(name, array) if name in self._attributes else array
            for name, array in graph.constants.items()
        }
        return graph.replace(constants=constants)

    def _array(self, name: str, like: np.ndarray) -> np.ndarray:
        """The current value as an array of the old one's dtype; a rounded one stays as it was."""
        if name not in self.parameter_names and like.dtype.kind != "f":
            return like
        tensor = self.value(name).detach()
        if torch.equal(tensor.cpu(), _tensor(like, self.dtype)):
            return like
        array: np.ndarray = tensor.cpu().numpy().astype(like.dtype)
        return array


def _tensor(array: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """A copy of an array as a tensor; floats become `dtype`."""
    import numpy as np

    if array.dtype.kind == "f" and dtype in _FORMATS:  # copied and converted at once
        return torch.from_numpy(np.array(array, dtype=_FORMATS[dtype], copy=True, order="C"))
    tensor = torch.from_numpy(np.array(array, copy=True, order="C"))
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


_FORMATS = {torch.float32: "float32", torch.float64: "float64"}


def _trainable(graph: Graph) -> frozenset[str]:
    """The constants that some operator reads as a parameter."""
    return frozenset(
        node.inputs[position]
        for node in graph.nodes
        for position in operator(node.op).trainable
        if position < len(node.inputs) and node.inputs[position]
    )


def _identifier(name: str, module: nn.Module) -> str:
    """`name` as an attribute that `module` has not got yet."""
    stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "constant"
    stem = f"c_{stem}" if stem[0].isdigit() else stem
    candidate, number = stem, 1
    while hasattr(module, candidate) or candidate == "parameter_names":
        number += 1
        candidate = f"{stem}_{number}"
    return candidate
