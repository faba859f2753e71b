"""The IR as text: one line a value, the same on every machine. Golden tests compare it.

Operands stand in parentheses, attributes in braces, the shape behind the colon, and the node's
name behind @ where it differs from the value's:

    y = Gemm(x, fc1.weight, fc1.bias) {transB = 1} : [batch, 100] @fc1
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ibpc.graph.ir import Graph, Node, Shape

_PLAIN = re.compile(r"[\w./:-]+")
_SHOWN = 8
"""Integer constants up to this size (shapes, axes, pads) are shown by value."""


def print_graph(
    graph: Graph,
    shapes: Mapping[str, Shape] | None = None,
    weights: bool = True,
    metadata: bool = True,
) -> str:
    """The graph as text, with the shapes of values where `shapes` has them.

    `weights`: show a short hash of each constant. `metadata`: show what the file says of itself.
    Constants stand in the order in which nodes read them.
    """
    lines = [f"graph {_name(graph.name)}"]
    if metadata:
        lines += [f"  meta   {key} = {graph.metadata[key]}" for key in sorted(graph.metadata)]
    lines += [f"  input  {_name(name)}: {_dims(dims)}" for name, dims in graph.inputs.items()]
    lines += [
        f"  const  {_name(name)}: {_constant(graph.constants[name], weights)}"
        for name in constant_order(graph)
    ]
    lines += [f"  {_node(node, shapes or {})}" for node in graph.nodes]
    lines += [f"  output {_name(name)}" for name in graph.outputs]
    return "\n".join(lines) + "\n"


def constant_order(graph: Graph) -> tuple[str, ...]:
    """Names of constants: first by the first node that reads them, then the unread, by name."""
    read = [value for node in graph.nodes for value in node.inputs if value in graph.constants]
    return tuple(dict.fromkeys([*read, *sorted(graph.constants)]))


def digest(array: np.ndarray) -> str:
    """The sha256 of an array's type, shape and content (little-endian, row-major)."""
    import numpy as np

    content = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    head = f"{array.dtype.name}{list(array.shape)}:".encode()
    return sha256(head + content.tobytes()).hexdigest()


def _node(node: Node, shapes: Mapping[str, Shape]) -> str:
    operands = ", ".join(_name(value) if value else "-" for value in node.inputs)
    results = ", ".join(_name(value) for value in node.outputs)
    attributes = ", ".join(
        f"{key} = {_value(node.attributes[key])}" for key in sorted(node.attributes)
    )
    known = [_dims(shapes[value]) for value in node.outputs if value in shapes]
    return "".join(
        (
            f"{results} = {node.op}({operands})",
            f" {{{attributes}}}" if attributes else "",
            f" : {', '.join(known)}" if known else "",
            "" if node.outputs == (node.name,) else f" @{_name(node.name)}",
        )
    )


def _dims(shape: Shape) -> str:
    return "[" + ", ".join(["batch", *map(str, shape[1:])]) + "]"


def _constant(array: np.ndarray, weights: bool) -> str:
    head = f"{array.dtype.name}{list(array.shape)}"
    if array.dtype.kind in "iub" and array.size <= _SHOWN:
        return f"{head} = {json.dumps(array.tolist())}"
    return f"{head} #{digest(array)[:8]}" if weights else head


def _value(value: Any) -> str:
    """An attribute; a float in the fewest digits that name its float32, where it is one."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return f"{value.dtype.name}{list(value.shape)} #{digest(value)[:8]}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, float):
        return str(np.float32(value)) if float(np.float32(value)) == value else repr(value)
    return json.dumps(value) if isinstance(value, str) else str(int(value))


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name)
