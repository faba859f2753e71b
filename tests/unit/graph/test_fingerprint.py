"""A network's fingerprint: names and notes leave it alone, everything that is computed moves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from ibpc.graph import Graph, Node, fingerprint, write_onnx

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]


def bytes_of(seed: int = 0, **nodes: Any) -> bytes:
    rng = np.random.default_rng(seed)
    constants = {
        "w": rng.normal(size=(4, 3)).astype("f4"),
        "b": rng.normal(size=4).astype("f4"),
        "shape": np.array([-1, 2, 2]),
    }
    graph = Graph(
        "g",
        {"x": (1, 3)},
        ("out",),
        (
            Node("fc", "Gemm", ("x", "w", "b"), ("h",), {"transB": 1, **nodes}),
            Node("act", "Relu", ("h",), ("a",)),
            Node("view", "Reshape", ("a", "shape"), ("out",)),
        ),
        constants,
    )
    return write_onnx(graph)


def edited(change: Callable[[Any], None]) -> bytes:
    model = onnx.load_model_from_string(bytes_of())
    change(model)
    return bytes(model.SerializeToString())


def rename(model: Any) -> None:
    names = {value: f"other_{value}" for value in ("x", "w", "b", "shape", "h", "a", "out")}
    for node in model.graph.node:
        node.name = f"n_{node.name}"
        node.input[:] = [names[value] for value in node.input]
        node.output[:] = [names[value] for value in node.output]
    for group in (model.graph.input, model.graph.output, model.graph.initializer):
        for one in group:
            one.name = names[one.name]
    del model.graph.value_info[:]
    model.graph.name = "another name"


def annotate(model: Any) -> None:
    model.doc_string = model.graph.doc_string = "what a fine network"
    model.producer_name, model.producer_version = "somebody", "9"
    model.metadata_props.add(key="made", value="on a Friday")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"


def repack(model: Any) -> None:
    """The same weights in another field, and another order of the initialisers."""
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(tensor).reshape(-1).tolist()
            tensor.ClearField("raw_data")
            tensor.float_data.extend(values)
    kept = sorted(model.graph.initializer, key=lambda one: str(one.name), reverse=True)
    copies = [onnx.TensorProto.FromString(one.SerializeToString()) for one in kept]
    del model.graph.initializer[:]
    model.graph.initializer.extend(copies)


@pytest.mark.parametrize("change", [rename, annotate, repack])
def test_what_computes_nothing_changes_nothing(change: Callable[[Any], None]) -> None:
    assert fingerprint(edited(change), "m") == fingerprint(bytes_of(), "m")


def test_weights_and_structure_are_told_apart() -> None:
    mine, other = fingerprint(bytes_of(), "m"), fingerprint(bytes_of(seed=1), "m")
    assert mine.graph == other.graph
    assert mine.weights != other.weights
    scaled = fingerprint(bytes_of(alpha=2.0), "m")
    assert scaled.graph != mine.graph
    assert scaled.weights == mine.weights


def nudge(model: Any) -> None:
    """One weight by one unit in the last place."""
    (tensor,) = (one for one in model.graph.initializer if one.name == "w")
    array = onnx.numpy_helper.to_array(tensor).copy()
    array[0, 0] = np.nextafter(array[0, 0], np.float32(9))
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, "w"))


def swap_operator(model: Any) -> None:
    model.graph.node[1].op_type = "Tanh"


def reshape(model: Any) -> None:
    (tensor,) = (one for one in model.graph.initializer if one.name == "shape")
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.array([-1, 4, 1]), "shape"))


def raise_opset(model: Any) -> None:
    model.opset_import[0].version = 18


def rewire(model: Any) -> None:
    model.graph.output[0].name = "a"


@pytest.mark.parametrize("change", [nudge, swap_operator, reshape, raise_opset, rewire])
def test_what_is_computed_differently_has_another_key(change: Callable[[Any], None]) -> None:
    assert fingerprint(edited(change), "m").key != fingerprint(bytes_of(), "m").key


def test_our_models_keep_their_fingerprints() -> None:
    """The keys of stored verdicts and locks: they may not move with a version of ibpc."""
    data = (ROOT / "models" / "digits-small-0.1.onnx").read_bytes()
    found = fingerprint(data, "digits")
    assert (found.graph[:12], found.weights[:12], found.opset) == (
        "5b77674c7752",
        "97fd0a6cf1c3",
        17,
    )
