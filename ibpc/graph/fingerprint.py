"""What an ONNX file computes, as two hashes that no name, comment or export date can change.

Values are numbered in the order in which they first appear, so renaming a value, a node or the
graph changes nothing, nor do docs, metadata and the producer's name. What stays is what
onnxruntime executes: opset, operators in their order, attributes, shapes, weights. Two files with
equal hashes run the same computation, down to its rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ibpc.graph.model_file import parse_model
from ibpc.graph.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`graph`: the structure without weights; `weights`: floating-point tensors, in reading order.

    `opset` is the version of the ONNX operators.
    """

    graph: str
    weights: str
    opset: int

    @property
    def key(self) -> str:
        """The network's content address: the sha256 of both."""
        return sha256(f"{self.graph} {self.weights}".encode()).hexdigest()


def fingerprint(data: bytes, origin: str) -> Fingerprint:
    """The fingerprint of ONNX bytes.  Raises: ModelMistake (E0801) where they are none."""
    model = parse_model(data, origin)
    reading = _Reading(model.graph)
    lines = [f"opset {one.domain or 'ai.onnx'} {one.version}" for one in model.opset_import]
    lines = sorted(lines)
    lines += [f"function {_raw(one)}" for one in model.functions]
    lines += reading.lines()
    opsets = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    return Fingerprint(_hash(lines), _hash(reading.weights), max(opsets, default=0))


class _Reading:
    """One pass over a graph's message: `lines` of structure, and the digests of its `weights`."""

    def __init__(self, message: Any) -> None:
        self.message = message
        self.weights: list[str] = []
        self._tensors = {tensor.name: tensor for tensor in message.initializer}
        self._numbers: dict[str, str] = {"": "-"}
        self._constants: list[str] = []

    def lines(self) -> list[str]:
        """The structure, one line an input, a node, a constant, an output."""
        message = self.message
        inputs = [one for one in message.input if one.name not in self._tensors]
        lines = [f"input {self._number(one.name)} {_typed(one)}" for one in inputs]
        lines += [self._node(node) for node in message.node]
        lines += [f"output {self._number(one.name)}" for one in message.output]
        lines += [f"sparse {_raw(one)}" for one in message.sparse_initializer]
        return lines + self._constants

    def _node(self, node: Any) -> str:
        operands = " ".join(self._number(name) for name in node.input)
        results = " ".join(self._number(name) for name in node.output)
        attributes = " ".join(
            f"{one.name}={self._attribute(one)}"
            for one in sorted(node.attribute, key=lambda one: str(one.name))
        )
        return f"{results} = {node.domain}:{node.op_type}({operands}) {attributes}"

    def _number(self, name: str) -> str:
        """The value's number; a constant is entered when it is first read."""
        if name not in self._numbers:
            self._numbers[name] = f"v{len(self._numbers)}"
            if name in self._tensors:
                held = self._tensor(self._tensors[name])
                self._constants.append(f"{self._numbers[name]} = {held}")
        return self._numbers[name]

    def _tensor(self, tensor: Any) -> str:
        """Element type and shape; the content too where it is no weight (shapes, axes, masks)."""
        import onnx

        array: np.ndarray[Any, Any] = onnx.numpy_helper.to_array(tensor)
        head = f"{array.dtype.name}{list(array.shape)}"
        if array.dtype.kind in "fc":
            self.weights.append(digest(array))
            return head
        if array.dtype.kind in "iub":
            return f"{head} {digest(array)}"
        return f"{head} {_raw(tensor)}"

    def _attribute(self, attribute: Any) -> str:
        import onnx

        if attribute.type == onnx.AttributeProto.TENSOR:
            return self._tensor(attribute.t)
        if attribute.type == onnx.AttributeProto.TENSORS:
            return " ".join(self._tensor(one) for one in attribute.tensors)
        plain = onnx.helper.get_attribute_value(attribute)
        if isinstance(plain, int | float | bytes):
            return repr(plain)
        if all(isinstance(one, int | float | bytes) for one in _listed(plain)):
            return repr(list(_listed(plain)))
        return _raw(attribute)  # a subgraph: refused by the reader, told apart here all the same


def _listed(value: Any) -> list[Any]:
    """A repeated attribute's entries; of anything else, itself."""
    try:
        return list(value)
    except TypeError:
        return [value]


def _typed(value: Any) -> str:
    """An input's element type and extents; "?" where one is open, whatever it is called."""
    kind = value.type.tensor_type
    sides = [str(one.dim_value) if one.HasField("dim_value") else "?" for one in kind.shape.dim]
    return f"{kind.elem_type}[{', '.join(sides)}]"


def _raw(message: Any) -> str:
    return sha256(message.SerializeToString(deterministic=True)).hexdigest()


def _hash(lines: Iterable[str]) -> str:
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
