"""Networks' files: what is wrong with them, made with onnx alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from occasion import occasion, said, small_graph, small_network, toy
from onnx import TensorProto, helper, numpy_helper

from ibpc.bounds import Weights, lower_values
from ibpc.bounds.agreement import agree
from ibpc.claims import append_claim
from ibpc.errors import Span
from ibpc.exchange import parse_property
from ibpc.graph import Graph, Node, Runtime, load_onnx, read_onnx, write_onnx
from ibpc.language import Claim, InputSet
from ibpc.passes import pipeline, prepare
from ibpc.verification.query.network import load_network


def model(
    *nodes: Any,
    arrays: dict[str, Any] | None = None,
    shape: tuple[Any, ...] = (1, 2),
    kind: int = TensorProto.FLOAT,
    opset: int = 17,
    domain: str = "",
) -> Any:
    """A model from x to z, whatever is wrong with it."""
    x = helper.make_tensor_value_info("x", kind, shape)
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT, (None, None))
    weights = [numpy_helper.from_array(np.asarray(a), n) for n, a in (arrays or {}).items()]
    graph = helper.make_graph(nodes, "small", [x], [z], weights)
    opsets = [helper.make_opsetid("", opset)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    made = helper.make_model(graph, opset_imports=opsets)
    made.ir_version = 8
    return made


def read(made: Any, name: str = "theirs.onnx") -> Graph:
    return read_onnx(made.SerializeToString(), name)


RELU = helper.make_node("Relu", ["x"], ["z"], "act")


@occasion("E0503")
def folder(_: Path, __: Any) -> None:
    Path("nets").mkdir()
    load_onnx("nets")


@occasion("E0504")
def forbidden(_: Path, monkeypatch: Any) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    Path("theirs.onnx").write_bytes(small_network())
    monkeypatch.setattr(Path, "read_bytes", refuse)
    load_onnx("theirs.onnx")


@occasion("E0801")
def large_file_pointer(_: Path, __: Any) -> None:
    Path("theirs.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    load_onnx("theirs.onnx")


@occasion("E0802")
def enormous(_: Path, __: Any) -> None:
    grown = helper.make_node("ConstantOfShape", ["to"], ["big"], "grow")
    added = helper.make_node("ReduceSum", ["big"], ["sum"], "sum", keepdims=0)
    moved = helper.make_node("Add", ["x", "sum"], ["z"], "add")
    prepare(read(model(grown, added, moved, arrays={"to": np.array([10**12])})), "evaluation")


@occasion("E0803")
def opset_6(_: Path, __: Any) -> None:
    read(model(RELU, opset=6))


@occasion("E0804")
def other_domain(_: Path, __: Any) -> None:
    node = helper.make_node("Gelu", ["x"], ["z"], "act", domain="com.microsoft")
    read(model(node, domain="com.microsoft"))


@occasion("E0805")
def secret(_: Path, __: Any) -> None:
    made = model(helper.make_node("Add", ["x", "w"], ["z"], "add"), arrays={"w": np.ones(2, "f4")})
    (tensor,) = made.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret"
    Path("theirs.onnx").write_bytes(made.SerializeToString())
    load_onnx("theirs.onnx")


@occasion("E0806")
def unmade(_: Path, __: Any) -> None:
    read(model(helper.make_node("Relu", ["y"], ["z"], "act")))


@occasion("E0807")
def diverged(_: Path, __: Any) -> None:
    weights = {"w": np.array([1.0, np.nan], dtype="f4")}
    read(model(helper.make_node("Add", ["x", "w"], ["z"], "add"), arrays=weights))


@occasion("E0808")
def tokens(_: Path, __: Any) -> None:
    cast = helper.make_node("Cast", ["x"], ["z"], "cast", to=TensorProto.FLOAT)
    read(model(cast, kind=TensorProto.INT64))


@occasion("E0809")
def computed_axes(_: Path, __: Any) -> None:
    shape = helper.make_node("Shape", ["x"], ["s"], "shape")
    total = helper.make_node("ReduceMean", ["x", "s"], ["z"], "mean")
    read(model(shape, total, opset=18))


@occasion("E0810")
def listed_twice(_: Path, __: Any) -> None:
    made = model(RELU)
    made.graph.output.append(made.graph.output[0])
    read(made)


@occasion("E0811")
def widths(_: Path, __: Any) -> None:
    node = helper.make_node("Gemm", ["x", "w"], ["z"], "fc")
    prepare(read(model(node, arrays={"w": np.ones((3, 4), "f4")})), "evaluation")


@occasion("E0812")
def no_batch_axis(_: Path, __: Any) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["z"], "conv")
    prepare(
        read(model(node, arrays={"w": np.ones((1, 3, 2), "f4")}, shape=(2, 3, 4))), "evaluation"
    )


@occasion("E0813")
def not_at_home(_: Path, __: Any) -> None:
    node = helper.make_node("Nowhere", ["x"], ["z"], "node")
    Runtime(model(node).SerializeToString(), origin="theirs.onnx")


@occasion("E0814")
def inner_operator(_: Path, __: Any) -> None:
    write_onnx(append_claim(small_graph(), claim()))


@occasion("E0815")
def dice(_: Path, __: Any) -> None:
    node = helper.make_node("Dropout", ["x", "share", "training"], ["z"], "drop")
    arrays = {"share": np.float32(0.5), "training": np.array(True)}
    prepare(read(model(node, arrays=arrays)), "evaluation")


def claim() -> Claim:
    at = Span("spec.ibp", 1, 1, 1, 2)
    return Claim("robust", InputSet("domain"), 2, (), True, False, "", at)


@occasion("E0820")
def two_outputs(_: Path, __: Any) -> None:
    graph = small_graph()
    append_claim(graph.replace(outputs=("z", "x")), claim())


@occasion("E0821")
def two_inputs(_: Path, __: Any) -> None:
    node = Node("add", "Add", ("x", "y"), ("z",))
    graph = Graph("small", {"x": (1, 2), "y": (1, 2)}, ("z",), (node,), {})
    lower_values(graph, Weights(graph))


@occasion("E0825")
def other_size(_: Path, __: Any) -> None:
    data = write_onnx(small_graph(w=np.ones((3, 2), "f4"), b=np.zeros(3, "f4")))
    agree(small_graph(), data)


PROPERTY = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const X_2 Real)\n"
BOUNDS = "".join(f"(assert (>= X_{i} 0.0))\n(assert (<= X_{i} 1.0))\n" for i in range(3))


@occasion("E0830")
def another_property(_: Path, __: Any) -> None:
    text = PROPERTY + "(declare-const Y_0 Real)\n" + BOUNDS + "(assert (>= Y_0 0.0))\n"
    load_network(small_network(), "theirs.onnx", parse_property(text, "theirs.vnnlib"))


@occasion("E0831")
def several_outputs(_: Path, __: Any) -> None:
    graph = small_graph()
    data = write_onnx(graph.replace(outputs=("z", "z2"), nodes=(*graph.nodes, SECOND)))
    text = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(assert (>= X_0 0.0))\n"
    text += "(assert (<= X_0 1.0))\n(assert (>= Y_0 0.0))\n"
    load_network(data, "theirs.onnx", parse_property(text, "theirs.vnnlib"))


SECOND = Node("act", "Relu", ("z",), ("z2",))


@occasion("E0890")
def broken_pass(_: Path, monkeypatch: Any) -> None:
    def lose(graph: Graph) -> Graph:
        return graph.replace(nodes=graph.nodes[:-1])

    broken = pipeline.Pass("lose", lose)
    monkeypatch.setattr(pipeline, "PIPELINE", (broken,))
    prepare(small_graph(), "evaluation")


@occasion("E0530")
def folder_in_a_file(_: Path, __: Any) -> str:
    Path("out").write_text("a file where the folder should be")
    return said("compile", toy(), "-o", "out")
