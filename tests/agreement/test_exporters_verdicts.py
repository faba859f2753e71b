"""What real exporters write is verified too: verdicts that are known by construction.

Every network computes y = |x_0 - x_1| + shift, which on the box [0, 1]^2 takes each value from
shift to 1 + shift, and no other.
"""

from __future__ import annotations

import importlib.util
import io
import time
import warnings
from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from ibpc.exchange import parse_property
from ibpc.verification import Clock, QueryAnswer, QuerySettings, decide_query

BOX = "".join(
    f"(declare-const X_{i} Real)(assert (<= X_{i} 1))(assert (>= X_{i} 0))" for i in range(2)
)
SHIFT = 0.25
LAYERS = ([[1.0, -1.0], [-1.0, 1.0]], [[1.0, 1.0]])


def answer(data: bytes, unsafe: str) -> QueryAnswer:
    wanted = parse_property(f"{BOX}(declare-const Y_0 Real)(assert {unsafe})")
    now = time.monotonic()
    settings = QuerySettings("cpu", 1, 0, lambda _: None)
    return decide_query(data, "exported.onnx", wanted, settings, Clock(now, now + 60))


def dense() -> torch.nn.Module:
    """Two linear layers, in torch."""
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    with torch.no_grad():
        for layer, weight in ((net[0], LAYERS[0]), (net[2], LAYERS[1])):
            layer.weight.copy_(torch.tensor(weight))  # type: ignore[operator, union-attr]
            layer.bias.zero_()  # type: ignore[operator, union-attr]
        net[2].bias.fill_(SHIFT)  # type: ignore[operator, union-attr]
    return net


class Image(torch.nn.Module):
    """The same as a convolution over an image of two pixels, with batch norm and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, (1, 2), bias=False)
        self.norm = torch.nn.BatchNorm2d(2, eps=0.0)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor(LAYERS[0]).reshape(2, 1, 1, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, 2) -> (batch, 1)."""
        sides = torch.relu(self.norm(self.conv(x.reshape(-1, 1, 1, 2))))
        return sides.flatten(1).mean(1, keepdim=True) * 2 + SHIFT


def by_torch(module: torch.nn.Module, dynamo: bool) -> bytes:
    module.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters
        torch.onnx.export(module, (torch.zeros(1, 2),), buffer, dynamo=dynamo, verbose=False)
    return buffer.getvalue()


def by_scikit_learn() -> bytes:
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPRegressor

    x = np.random.default_rng(0).random((80, 2)).astype(np.float32)
    net = MLPRegressor(hidden_layer_sizes=(2,), max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three steps are no convergence
        net.fit(x, x.sum(1))
    net.coefs_ = [np.array(weight).T for weight in LAYERS]
    net.intercepts_ = [np.zeros(2), np.full(1, SHIFT)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bytes(to_onnx(net, x[:1]).SerializeToString())


def by_hand() -> bytes:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("ReduceSum", ["r", "axis"], ["s"], keepdims=1),
        helper.make_node("Add", ["s", "shift"], ["y"]),
    ]
    held = {
        "w": np.array(LAYERS[0], np.float32).T,
        "axis": np.array([1]),
        "shift": np.array([SHIFT], np.float32),
    }
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in (("x", 2), ("y", 1))
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in held.items()]
    graph = helper.make_graph(nodes, "by_hand", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def needs(package: str) -> pytest.MarkDecorator:
    there = importlib.util.find_spec(package) is not None
    return pytest.mark.skipif(not there, reason=f"needs {package} (the `test` extra)")


SCRIPT = needs("onnxscript")
EXPORTERS = [
    pytest.param(lambda: by_torch(dense(), dynamo=False), id="torch, dense"),
    pytest.param(lambda: by_torch(Image(), dynamo=False), id="torch, image"),
    pytest.param(
        lambda: by_torch(dense(), dynamo=True), id="dynamo, dense", marks=needs("onnxscript")
    ),
    pytest.param(
        lambda: by_torch(Image(), dynamo=True), id="dynamo, image", marks=needs("onnxscript")
    ),
    pytest.param(by_scikit_learn, id="skl2onnx", marks=needs("skl2onnx")),
    pytest.param(by_hand, id="onnx.helper"),
]


@pytest.mark.parametrize("export", EXPORTERS)
def test_verdicts_on_what_an_exporter_writes(export: Callable[[], bytes]) -> None:
    data = export()
    for threshold, verdict in ((1.2, "sat"), (1.3, "unsat")):
        found = answer(data, f"(>= Y_0 {threshold})")
        assert (found.word, found.why) == (verdict, "")
    assert answer(data, "(<= Y_0 0.2)").word == "unsat"
    low = answer(data, "(<= Y_0 0.3)")
    assert low.witness is not None
    assert abs(low.witness.x[0] - low.witness.x[1]) <= 0.3 - SHIFT + 1e-6
