"""Operators over lifted values: the same numbers, with a batch axis in front of the file's axes.

A rule takes the graph being rewritten, a node, and the shapes of its outputs in the file; it emits
nodes that write the same outputs, and says whether it could.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.graph import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibpc.graph import Shape
    from ibpc.passes.apart import Apart

    Rule = Callable[[Apart, Node, tuple[Shape, ...]], bool]


def _with_batch(shape: Shape) -> Shape:
    """A shape of the file as one of the IR: as it is where it starts with extent 1."""
    return shape if shape[:1] == (1,) else (1, *shape)


def _re_view(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Reshape, Flatten, Squeeze, Unsqueeze: the numbers stay, whatever the shape."""
    shape = _with_batch(found[0])
    graph.emit(graph.reshaped(node.name, node.inputs[0], node.outputs[0], shape), shape)
    return True


def _transposed(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Transpose: a view where the axes that are longer than 1 keep their order."""
    own = graph.own[node.inputs[0]]
    order = tuple(node.attributes.get("perm") or range(len(own) - 1, -1, -1))
    long = [axis for axis in order if own[axis] > 1]
    if long == sorted(long):
        return _re_view(graph, node, found)
    attributes = {"perm": (0, *(axis + 1 for axis in order))}
    return _axis_moved(graph, node, found, attributes)


def _by_entry(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Functions of single entries: on whatever form the operand has."""
    graph.emit(node, *(graph.now[node.inputs[0]] for _ in found))
    return True


def _joined(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Operands that broadcast: ranks are made equal behind the batch axis."""
    rank = len(found[0])
    inputs = []
    for value in node.inputs:
        if not graph.varies(value):
            inputs.append(value)
            continue
        own = graph.own[value]
        inputs.append(graph.view(value, (1, *(1,) * (rank - len(own)), *own)))
    _emit_like(graph, node, tuple(inputs), found)
    return True


def _with_axis(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Operators with one axis: Gather, Softmax, Split, ArgMax."""
    rank = len(graph.own[node.inputs[0]])
    default = -1 if node.op == "Softmax" else 0
    axis = node.attributes.get("axis", default) % rank
    return _axis_moved(graph, node, found, {**node.attributes, "axis": axis + 1})


def _concatenated(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Concat: constants get the new axis, too."""
    inputs = []
    for value in node.inputs:
        if graph.varies(value):
            inputs.append(_lifted(graph, value))
        elif value in graph.constants:
            inputs.append(graph.hold(f"{value}.lifted", graph.constants[value][None]))
        else:
            return False
    axis = node.attributes["axis"] % len(found[0]) + 1
    _emit_like(graph, node, tuple(inputs), found, {"axis": axis})
    return True


def _sliced(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Slice: its axes count from the new one."""
    import numpy as np

    rank = len(graph.own[node.inputs[0]])
    starts = graph.constants.get(node.inputs[1])
    named = node.inputs[3] if len(node.inputs) > 3 else ""
    if starts is None or (named and named not in graph.constants):
        return False
    axes = graph.constants[named] % rank if named else np.arange(len(starts))
    moved = graph.hold(f"{node.name}.axes", np.asarray(axes + 1, dtype=np.int64))
    inputs = (_lifted(graph, node.inputs[0]), *node.inputs[1:3], moved, *node.inputs[4:])
    _emit_like(graph, node, inputs, found)
    return True


def _reduced(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """ReduceSum and ReduceMean: all axes but the new one, where none is named."""
    import numpy as np

    rank = len(graph.own[node.inputs[0]])
    named = node.attributes.get("axes")
    if len(node.inputs) > 1:
        named = graph.constants[node.inputs[1]].tolist()
    if not named and node.attributes.get("noop_with_empty_axes", 0):
        return _by_entry(graph, Node(node.name, "Identity", node.inputs[:1], node.outputs), found)
    axes = tuple(axis % rank + 1 for axis in named or range(rank))
    attributes = {"keepdims": node.attributes.get("keepdims", 1)}
    inputs: tuple[str, ...] = (_lifted(graph, node.inputs[0]),)
    if node.op == "ReduceSum":
        inputs += (graph.hold(f"{node.name}.axes", np.array(axes, dtype=np.int64)),)
    else:
        attributes["axes"] = axes
    _emit_like(graph, node, inputs, found, attributes)
    return True


def _expanded(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Expand: the operand's rank is that of the result."""
    import numpy as np

    own = graph.own[node.inputs[0]]
    inner = (1, *(1,) * (len(found[0]) - len(own)), *own)
    target = graph.hold(f"{node.name}.to", np.array((1, *found[0]), dtype=np.int64))
    _emit_like(graph, node, (graph.view(node.inputs[0], inner), target), found)
    return True


def _padded(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Pad: nothing is put around the new axis."""
    import numpy as np

    pads = graph.constants.get(node.inputs[1])
    if pads is None or len(node.inputs) > 3:
        return False
    begins, ends = np.split(pads, 2)
    moved = graph.hold(f"{node.name}.pads", np.concatenate([[0], begins, [0], ends]))
    inputs = (_lifted(graph, node.inputs[0]), moved, *node.inputs[2:])
    _emit_like(graph, node, inputs, found)
    return True


def _multiplied(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """MatMul: both operands become matrices under as many leading axes."""
    left, right = (graph.own[value] for value in node.inputs)
    outer = max(len(left), len(right), 2) - 2
    rows = (1, *left) if len(left) == 1 else left
    columns = (*right, 1) if len(right) == 1 else right
    inputs = tuple(
        _as_matrix(graph, value, shape, outer)
        for value, shape in zip(node.inputs, (rows, columns), strict=True)
    )
    if "" in inputs:
        return False
    shape = (*_outer(found[0], left, right), rows[-2], columns[-1])
    graph.emit(Node(node.name, "MatMul", inputs, node.outputs), (1, *shape))
    return True


def _outer(found: Shape, left: Shape, right: Shape) -> Shape:
    """The leading axes of a product: what is left of its shape without rows and columns."""
    return found[: len(found) - (len(left) > 1) - (len(right) > 1)]


def _as_matrix(graph: Apart, value: str, shape: Shape, outer: int) -> str:
    """An operand of a product under `outer` leading axes; "" for one that is computed unseen."""
    if graph.varies(value):
        return graph.view(value, (1, *(1,) * (outer + 2 - len(shape)), *shape))
    array = graph.constants.get(value)
    if array is None:
        return ""
    return value if array.shape == shape else graph.hold(f"{value}.matrix", array.reshape(shape))


def _affine(graph: Apart, node: Node, found: tuple[Shape, ...]) -> bool:
    """Gemm: alpha A' B' + beta C as MatMul, Mul and Add over (1, rows, columns)."""
    shape = (1, *found[0])
    sides = [
        _turned(graph, value, bool(node.attributes.get(f"trans{side}", 0)))
        for side, value in zip("AB", node.inputs, strict=False)
    ]
    if "" in sides:
        return False
    steps = [("MatMul", sides[1])]
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if alpha != 1:
        steps.append(("Mul", _number(graph, f"{node.name}.alpha", alpha)))
    if len(node.inputs) > 2:
        bias = _bias(graph, node, beta)
        if not bias:
            return False
        steps.append(("Add", bias))
    value = sides[0]
    for place, (op, operand) in enumerate(steps):
        last = place == len(steps) - 1
        name = node.name if last else graph.fresh(f"{node.name}.{op}")
        result = node.outputs[0] if last else name
        graph.emit(Node(name, op, (value, operand), (result,)), shape)
        value = result
    return True


def _turned(graph: Apart, value: str, across: bool) -> str:
    """A matrix operand of Gemm, lifted where it varies, transposed where asked."""
    if not graph.varies(value):
        array = graph.constants.get(value)
        if array is None or not across:
            return value if array is not None else ""
        return graph.hold(f"{value}.across", array.T.copy())
    lifted = _lifted(graph, value)
    if not across:
        return lifted
    name = graph.fresh(f"{value}.across")
    rows, columns = graph.own[value]
    graph.emit(Node(name, "Transpose", (lifted,), (name,), {"perm": (0, 2, 1)}), (1, columns, rows))
    return name


def _bias(graph: Apart, node: Node, beta: float) -> str:
    """Beta C, where C is constant; "" elsewhere."""
    import numpy as np

    array = graph.constants.get(node.inputs[2])
    if array is None:
        return ""
    if beta == 1:
        return node.inputs[2]
    return graph.hold(f"{node.inputs[2]}.scaled", array.astype(np.float64) * beta)


def _number(graph: Apart, stem: str, number: float) -> str:
    import numpy as np

    return graph.hold(stem, np.array(number, dtype=np.float64))


def _lifted(graph: Apart, value: str) -> str:
    """A value with a batch axis in front of all its own axes."""
    return graph.view(value, (1, *graph.own[value]))


def _axis_moved(
    graph: Apart, node: Node, found: tuple[Shape, ...], attributes: Mapping[str, object]
) -> bool:
    """The node over its lifted first operand, with attributes that count from the new axis."""
    inputs = (_lifted(graph, node.inputs[0]), *node.inputs[1:])
    if any(graph.varies(value) for value in inputs[1:]):
        return False
    _emit_like(graph, node, inputs, found, attributes)
    return True


def _emit_like(
    graph: Apart,
    node: Node,
    inputs: tuple[str, ...],
    found: tuple[Shape, ...],
    attributes: Mapping[str, object] | None = None,
) -> None:
    """The node with other operands, its outputs lifted."""
    kept = node.attributes if attributes is None else attributes
    lifted = Node(node.name, node.op, inputs, node.outputs, kept)
    graph.emit(lifted, *((1, *shape) for shape in found))


_ENTRIES = (
    *("Abs", "Cast", "Ceil", "Clip", "Cos", "Dropout", "Elu", "Erf", "Exp", "Floor"),
    *("HardSigmoid", "Identity", "LeakyRelu", "Log", "Neg", "Reciprocal", "Relu", "Sigmoid"),
    *("Sign", "Sin", "Softplus", "Sqrt", "Tanh"),
)
_OPERANDS = (
    *("Add", "Sub", "Mul", "Div", "Max", "Min", "Where", "Pow", "Equal", "Greater", "Less"),
)

LIFTED: Mapping[str, Rule] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _re_view),
    **dict.fromkeys(_ENTRIES, _by_entry),
    **dict.fromkeys(_OPERANDS, _joined),
    **dict.fromkeys(("Gather", "Softmax", "Split", "ArgMax"), _with_axis),
    **dict.fromkeys(("ReduceSum", "ReduceMean"), _reduced),
    "Transpose": _transposed,
    "Concat": _concatenated,
    "Slice": _sliced,
    "Expand": _expanded,
    "Pad": _padded,
    "MatMul": _multiplied,
    "Gemm": _affine,
}
