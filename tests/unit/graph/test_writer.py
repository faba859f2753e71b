from __future__ import annotations

import numpy as np
import onnx
import pytest

from ibpc.errors import ModelMistake
from ibpc.graph import Graph, Node, read_onnx, run_onnxruntime, structure_hash, write_onnx


def test_the_file_says_what_it_is(chain: Graph) -> None:
    model = onnx.load_model_from_string(write_onnx(chain))
    assert (model.ir_version, model.producer_name) == (8, "ibpc")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    keys = [entry.key for entry in model.metadata_props]
    assert keys == sorted(["ibpc.graph", "ibpc.weights", "made"])
    assert model.metadata_props[0].value == structure_hash(chain)


def test_every_value_has_a_type_and_the_batch_axis_is_open(chain: Graph) -> None:
    graph = onnx.load_model_from_string(write_onnx(chain)).graph
    typed = {value.name for value in graph.value_info} | {value.name for value in graph.output}
    assert {"fc1", "h", "y"} <= typed
    axes = [value.type.tensor_type.shape.dim[0] for value in (*graph.input, *graph.output)]
    assert [axis.dim_param for axis in axes] == ["batch", "batch"]


def test_the_order_in_which_constants_were_added_does_not_matter(chain: Graph) -> None:
    turned = dict(reversed(chain.constants.items()))
    assert write_onnx(chain.replace(constants=turned)) == write_onnx(chain)


def test_hashes_survive_the_way_through_a_file(chain: Graph) -> None:
    again = read_onnx(write_onnx(chain), "again")
    assert again.metadata == {"made": "by hand"}
    assert write_onnx(again) == write_onnx(chain)


def test_float64_constants_are_rounded_to_the_one_type_of_the_file(chain: Graph) -> None:
    wide = {**chain.constants, "fc1.bias": np.full(3, 0.1)}
    data = write_onnx(chain.replace(constants=wide))
    assert read_onnx(data, "again").constants["fc1.bias"].dtype == np.float32
    found = run_onnxruntime(data, {"x": np.zeros((4, 2))})["y"]
    assert found.shape == (4, 3, 1)
    np.testing.assert_array_equal(found, np.float32(0.1))


def test_a_double_network_can_be_written(chain: Graph) -> None:
    data = write_onnx(chain, element="float64")
    assert run_onnxruntime(data, {"x": np.zeros((1, 2), np.float32)})["y"].dtype == np.float64


def test_our_own_operators_are_not_onnx(chain: Graph) -> None:
    claim = Node("claim", "ibpc.ClaimRows", ("y",), ("violation",))
    with pytest.raises(ModelMistake, match=r"node `claim` \(ibpc.ClaimRows\)"):
        write_onnx(chain.replace(nodes=(*chain.nodes, claim), outputs=("violation",)))


def test_a_node_that_onnx_does_not_accept_is_refused(chain: Graph) -> None:
    bad = Node("bad", "Relu", ("y",), ("z",), {"slope": 1.0})
    with pytest.raises(ModelMistake, match="cannot be written as ONNX"):
        write_onnx(chain.replace(nodes=(*chain.nodes, bad), outputs=("z",)))


def test_the_referee_says_what_it_does_not_accept(chain: Graph) -> None:
    with pytest.raises(ModelMistake, match="onnxruntime cannot load the network"):
        run_onnxruntime(b"not a network", {})
    with pytest.raises(ModelMistake, match="onnxruntime cannot run the network"):
        run_onnxruntime(write_onnx(chain), {"x": np.zeros((1, 3))})
