from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.helper import make_node

from ibpc.errors import FileMistake, ModelMistake
from ibpc.graph import Graph, load_onnx, model_file, read_onnx, run_onnxruntime, write_onnx

Make = Callable[..., bytes]
W, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(3, np.float32)


def two_layers() -> list[onnx.NodeProto]:
    return [make_node("MatMul", ["x", "w"], ["h"]), make_node("Add", ["h", "b"], ["y"])]


def test_initialisers_listed_as_inputs_are_constants(onnx_bytes: Make) -> None:
    graph = read_onnx(onnx_bytes(two_layers(), {"w": W, "b": B}, listed=True, ir=3, opset=8), "f")
    assert graph.inputs == {"x": (1, 2)}
    assert set(graph.constants) == {"w", "b"}


def test_unnamed_nodes_are_named_after_what_they_write(onnx_bytes: Make) -> None:
    graph = read_onnx(onnx_bytes(two_layers(), {"w": W, "b": B}), "f")
    assert [node.name for node in graph.nodes] == ["h", "y"]


def test_names_that_clash_are_made_different(onnx_bytes: Make) -> None:
    nodes = [
        make_node("Relu", ["x"], ["a"], "x"),
        make_node("Relu", ["a"], ["b"], "n"),
        make_node("Relu", ["b"], ["y"], "n"),
    ]
    assert [n.name for n in read_onnx(onnx_bytes(nodes), "f").nodes] == ["x_2", "n", "n_2"]


@pytest.mark.parametrize("shape", [(3, 2), (5,), ()])
def test_an_input_without_a_batch_axis_gets_one(onnx_bytes: Make, shape: tuple[int, ...]) -> None:
    graph = read_onnx(onnx_bytes([make_node("Relu", ["x"], ["y"])], shape=shape), "f")
    assert graph.inputs == {"x": (1, *shape)}
    door, relu = graph.nodes
    assert (door.op, door.inputs[0]) == ("Reshape", "x")
    assert tuple(graph.constants[door.inputs[1]]) == shape
    assert relu.inputs == door.outputs


@pytest.mark.parametrize("batch", ["batch", "unk__17", 1, None])
def test_a_dynamic_batch_axis_has_extent_1(onnx_bytes: Make, batch: str | int | None) -> None:
    data = onnx_bytes([make_node("Relu", ["x"], ["y"])], shape=(batch, 3, 4))
    assert read_onnx(data, "f").inputs == {"x": (1, 3, 4)}


def test_constant_nodes_are_constants(onnx_bytes: Make) -> None:
    nodes = [
        make_node("Constant", [], ["c"], value=onnx.numpy_helper.from_array(W[0, :2])),
        make_node("Constant", [], ["d"], value_floats=[1.0, 2.0]),
        make_node("Constant", [], ["to"], value_ints=[0, 2, 1]),
        make_node("Add", ["x", "c"], ["a"]),
        make_node("Mul", ["a", "d"], ["b"]),
        make_node("Reshape", ["b", "to"], ["y"]),
    ]
    graph = read_onnx(onnx_bytes(nodes), "f")
    assert [node.op for node in graph.nodes] == ["Add", "Mul", "Reshape"]
    assert graph.constants["to"].tolist() == [0, 2, 1]
    assert graph.constants["d"].dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_weights_keep_the_type_that_they_are_stored_in(onnx_bytes: Make, dtype: str) -> None:
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    arrays = {"w": W.astype(dtype), "b": B.astype(dtype)}
    graph = read_onnx(onnx_bytes(two_layers(), arrays, element=element), "f")
    assert {array.dtype.name for array in graph.constants.values()} == {dtype}


def test_two_entries_for_one_opset_are_one(onnx_bytes: Make) -> None:
    model = onnx.load_model_from_string(onnx_bytes([make_node("Relu", ["x"], ["y"])]))
    model.opset_import.append(onnx.helper.make_opsetid("ai.onnx", 17))
    assert len(read_onnx(model.SerializeToString(), "f").nodes) == 1


def test_several_inputs_and_outputs_are_read(onnx_bytes: Make) -> None:
    nodes = [make_node("Relu", ["x"], ["y"]), make_node("Add", ["x", "y"], ["z"])]
    assert read_onnx(onnx_bytes(nodes, outputs=("y", "z")), "f").outputs == ("y", "z")


def test_an_optional_output_that_nobody_reads_is_left_out(onnx_bytes: Make) -> None:
    nodes = [make_node("Dropout", ["x"], ["y", "mask"], ratio=0.25)]
    (node,) = read_onnx(onnx_bytes(nodes, opset=8), "f").nodes
    assert node.outputs == ("y",)


OLD_FORMS = {
    "Clip": (8, [make_node("Clip", ["x"], ["y"], min=-0.5, max=0.25)]),
    "Clip above": (8, [make_node("Clip", ["x"], ["y"], max=0.25)]),
    "Pad": (8, [make_node("Pad", ["x"], ["y"], pads=[0, 1, 0, 2], value=0.5)]),
    "Dropout": (8, [make_node("Dropout", ["x"], ["y"], ratio=0.25)]),
    "Slice": (8, [make_node("Slice", ["x"], ["y"], starts=[1], ends=[2], axes=[1])]),
    "Unsqueeze": (9, [make_node("Unsqueeze", ["x"], ["y"], axes=[1, 3])]),
    "ReduceSum": (9, [make_node("ReduceSum", ["x"], ["y"], axes=[1], keepdims=1)]),
    "Softmax": (9, [make_node("Softmax", ["x"], ["y"], axis=-1)]),
    "ReduceMean": (18, [make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)]),
}


@pytest.mark.parametrize("case", OLD_FORMS)
def test_old_and_new_forms_mean_the_same_in_opset_17(onnx_bytes: Make, case: str) -> None:
    opset, nodes = OLD_FORMS[case]
    data = onnx_bytes(nodes, {"axes": np.array([1])} if opset == 18 else {}, opset=opset)
    x = {"x": np.random.default_rng(0).normal(size=(1, 2)).astype(np.float32)}
    before = run_onnxruntime(data, x)["y"]
    np.testing.assert_array_equal(run_onnxruntime(write_onnx(read_onnx(data, "f")), x)["y"], before)


def test_a_form_that_today_has_no_name_for_is_refused(onnx_bytes: Make) -> None:
    nodes = [make_node("Pad", ["x", "pads", "", "axes"], ["y"])]
    arrays = {"pads": np.array([1, 1]), "axes": np.array([1])}
    with pytest.raises(ModelMistake, match="node `y` \\(Pad\\) names the axes that it pads"):
        read_onnx(onnx_bytes(nodes, arrays, opset=18), "f")


OLD_SHAPES = {
    "Softmax of the last axes": (9, make_node("Softmax", ["x"], ["y"], axis=2)),
    "Softmax of all": (12, make_node("Softmax", ["x"], ["y"])),
    "Upsample": (7, make_node("Upsample", ["x"], ["y"], scales=[1.0, 1.0, 2.0, 3.0])),
    "Upsample with an operand": (9, make_node("Upsample", ["x", "scales"], ["y"])),
    "Resize": (10, make_node("Resize", ["x", "scales"], ["y"])),
    "Split": (11, make_node("Split", ["x"], ["y", "z"], axis=3)),
    "Split into parts": (18, make_node("Split", ["x"], ["y", "z"], axis=3, num_outputs=2)),
    "Sum": (8, make_node("Sum", ["x", "x", "x"], ["y"])),
}


@pytest.mark.parametrize("case", OLD_SHAPES)
def test_forms_that_went_away_compute_the_same(onnx_bytes: Make, case: str) -> None:
    import torch

    from ibpc.bounds import Weights, lower_forward
    from ibpc.passes import prepare

    opset, node = OLD_SHAPES[case]
    scales = {"scales": np.array([1, 1, 2, 3], np.float32)} if "scales" in node.input else {}
    data = onnx_bytes([node], scales, opset=opset, shape=(1, 2, 3, 4))
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4)).astype(np.float32)
    graph = prepare(read_onnx(data, "f"), "evaluation")
    found = lower_forward(graph, Weights(graph))(torch.from_numpy(x)).detach()
    np.testing.assert_allclose(found, run_onnxruntime(data, {"x": x})["y"], rtol=1e-6)


def test_gzip_files_are_unpacked(chain: Graph, tmp_path: Path) -> None:
    (tmp_path / "net.onnx.gz").write_bytes(gzip.compress(write_onnx(chain)))
    assert load_onnx(tmp_path / "net.onnx.gz").nodes == chain.nodes


def external(folder: Path, location: str) -> Path:
    """A model whose weights lie in a side file."""
    tensor = onnx.numpy_helper.from_array(W, "w")
    (folder / "weights.bin").write_bytes(b"1234" + tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, location, offset=4, length=24)
    tensor.ClearField("raw_data")
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [info("x", 1, (1, 2))],
        [info("y", 1, (1, 3))],
        [tensor],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return folder / "net.onnx"


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    path = external(tmp_path, "weights.bin")
    np.testing.assert_array_equal(load_onnx(path).constants["w"], W)
    data = model_file.model_bytes(path)
    found = run_onnxruntime(data, {"x": np.ones((1, 2), np.float32)})["y"]
    np.testing.assert_array_equal(found, [[3, 5, 7]])


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "../net/../../w"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(24))
    path = external(tmp_path / "net", location)
    with pytest.raises(ModelMistake, match="outside the network's folder"):
        load_onnx(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "secret").write_bytes(bytes(24))
    path = external(tmp_path / "net", "link.bin")
    (tmp_path / "net" / "link.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelMistake, match="outside the network's folder"):
        load_onnx(path)


def test_bytes_alone_cannot_refer_to_other_files(tmp_path: Path) -> None:
    data = external(tmp_path, "weights.bin").read_bytes()
    with pytest.raises(ModelMistake, match="tensor `w` keeps its weights in another file"):
        read_onnx(data, "net.onnx")


def test_files_larger_than_the_cap_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_file, "MAX_BYTES", 2**20)
    (tmp_path / "bomb.onnx.gz").write_bytes(gzip.compress(bytes(2**21)))
    (tmp_path / "big.onnx").write_bytes(bytes(2**21))
    for name in ("bomb.onnx.gz", "big.onnx"):
        with pytest.raises(ModelMistake, match=f"{name}: the network takes more than 1 MiB"):
            load_onnx(tmp_path / name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(onnx_bytes: Make, value: float) -> None:
    weights = W.copy()
    weights[1, 1] = value
    with pytest.raises(ModelMistake, match="tensor `w` holds numbers that are not finite"):
        read_onnx(onnx_bytes(two_layers(), {"w": weights, "b": B}), "f")


def test_an_infinite_bound_of_clip_is_no_bound(onnx_bytes: Make) -> None:
    arrays = {"lo": np.float32(0).reshape(()), "up": np.float32(np.inf).reshape(())}
    graph = read_onnx(onnx_bytes([make_node("Clip", ["x", "lo", "up"], ["y"])], arrays), "f")
    assert np.isinf(graph.constants["up"])


RELU = [make_node("Relu", ["x"], ["y"])]
SUBGRAPH = onnx.helper.make_graph(
    RELU, "inner", [], [onnx.helper.make_tensor_value_info("y", 1, None)]
)
REFUSED = {
    "opset 6; ibpc reads 7 to 21": {"nodes": RELU, "opset": 6},
    "opset 22; ibpc reads 7 to 21": {"nodes": RELU, "opset": 22},
    "ONNX IR version 11; ibpc reads 3 to 10": {"nodes": RELU, "ir": 11},
    "node `odd` (Fancy) is of the domain `com.vendor`": {
        "nodes": [make_node("Fancy", ["x"], ["y"], "odd", domain="com.vendor")]
    },
    "node `number 0` (If) holds a subgraph": {
        "nodes": [make_node("If", ["x"], ["y"], then_branch=SUBGRAPH, else_branch=SUBGRAPH)]
    },
    "onnx.checker finds the network invalid": {"nodes": [make_node("Relu", ["z"], ["y"])]},
    "input `x` has the shape (1x?): a size other than the batch's is open": {
        "nodes": RELU,
        "shape": (1, "n"),
    },
    "input `x` has the shape (1x99999x99999): too large": {
        "nodes": RELU,
        "shape": (1, 99999, 99999),
    },
    "input `x` does not hold floating-point numbers": {
        "nodes": [make_node("Identity", ["x"], ["y"])],
        "element": onnx.TensorProto.INT64,
    },
    "Constant `c` holds no array of numbers": {
        "nodes": [make_node("Constant", [], ["c"], value_string="hello"), *RELU]
    },
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_represented_is_refused_by_name(onnx_bytes: Make, sentence: str) -> None:
    with pytest.raises(ModelMistake) as told:
        read_onnx(onnx_bytes(**REFUSED[sentence]), "net.onnx")
    assert str(told.value).splitlines()[0].partition(": ")[2].startswith(f"net.onnx: {sentence}")
    assert told.value.diagnostics[0].code.startswith("E08")
    assert told.value.diagnostics[0].fix


def test_an_absent_file_a_folder_and_an_empty_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileMistake, match="there is no file"):
        load_onnx(tmp_path / "absent.onnx")
    with pytest.raises(FileMistake, match="is a folder"):
        load_onnx(tmp_path)
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ModelMistake, match="this is not an ONNX file"):
        load_onnx(tmp_path / "empty.onnx")


def test_a_name_that_is_not_text_is_refused(chain: Graph) -> None:
    data = write_onnx(chain).replace(b"fc1.bias", b"fc1.b\xe9\x01s")
    with pytest.raises(ModelMistake, match=r"net\.onnx: "):
        read_onnx(data, "net.onnx")
