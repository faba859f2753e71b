"""Networks that others made: each is read, agrees with onnxruntime, and has bounds that hold.

The suite's part needs IBPC_VNNCOMP, a folder with instances.csv; the rest is exported here by
torch, by scikit-learn's converter, and by hand.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import os
import random
import re
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from ibpc.bounds import Weights, agree, lower_forward, lower_interval
from ibpc.errors import IbpcError
from ibpc.graph import Graph, broken_laws, load_onnx, model_bytes, read_onnx
from ibpc.passes import prepare

CLOSE = 1e-4
"""The relative difference from which on two readings differ by more than rounding."""

PATIENCE = 20.0
"""Seconds that reading, preparing and lowering one network may take on a busy machine."""

_FOLDER = os.environ.get("IBPC_VNNCOMP", "")
SUITE = Path(_FOLDER) if _FOLDER and Path(_FOLDER, "instances.csv").is_file() else None
_BOUND = re.compile(r"\((<=|>=)\s+X_(\d+)\s+([-+.\deE]+)\s*\)")
_READ_ON = 2**21
"""Characters of a property's file that are searched for its box."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def instances() -> list[Any]:
    """Each network of the suite with one of its properties."""
    if SUITE is None:
        reason = "needs IBPC_VNNCOMP to name a folder that holds instances.csv"
        return [pytest.param("", "", marks=pytest.mark.skip(reason=reason), id="suite")]
    with (SUITE / "instances.csv").open(encoding="utf-8") as file:
        first = {row["onnx"]: row["vnnlib"] for row in reversed(list(csv.DictReader(file)))}
    return [pytest.param(net, first[net], id=Path(net).name) for net in sorted(first)]


def hull(path: Path, inputs: int) -> tuple[np.ndarray, np.ndarray] | None:
    """A box around the inputs of a property; None where its file does not say it plainly."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        text = file.read(_READ_ON)
    lower, upper = np.full(inputs, np.inf), np.full(inputs, -np.inf)
    for sense, index, number in _BOUND.findall(text):
        place = int(index)
        if sense == ">=":
            lower[place] = min(lower[place], float(number))
        else:
            upper[place] = max(upper[place], float(number))
    return (lower, upper) if np.isfinite([lower, upper]).all() and (lower <= upper).all() else None


def check_bounds(graph: Graph, lower: np.ndarray, upper: np.ndarray) -> None:
    """Bounds over a hundredth of the box, in float64 with rounding covered, hold 64 samples."""
    (shape,) = graph.inputs.values()
    low, high = (torch.from_numpy(np.asarray(v, np.float64)).reshape(shape) for v in (lower, upper))
    middle, reach = (low + high) / 2, (high - low) / 200
    weights = Weights(graph, torch.float64)
    share = torch.rand(64, *shape[1:], dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        bounds = lower_interval(graph, weights, 2.0**-53)(middle - reach, middle + reach)
        values = lower_forward(graph, weights)(middle + share * reach)
    doubt = torch.isnan(bounds[0]) | torch.isnan(bounds[1])
    assert bool((doubt | (values >= bounds[0])).all())
    assert bool((doubt | (values <= bounds[1])).all())


def check(graph: Graph, data: bytes, box: tuple[np.ndarray, np.ndarray] | None) -> None:
    """Law, agreement, bounds."""
    assert broken_laws(graph) == ()
    assert agree(graph, data, 8, box) < CLOSE
    entries = int(np.prod(next(iter(graph.inputs.values()))))
    lower, upper = (np.zeros(entries), np.ones(entries)) if box is None else box
    check_bounds(graph, lower, upper)


@pytest.mark.parametrize(("network", "claim"), instances())
def test_a_network_of_the_suite_agrees_with_onnxruntime(network: str, claim: str) -> None:
    assert SUITE is not None
    started = time.perf_counter()
    graph = prepare(load_onnx(SUITE / network), "evaluation")
    lower_forward(graph, Weights(graph))
    assert time.perf_counter() - started < PATIENCE
    entries = int(np.prod(next(iter(graph.inputs.values()))))
    check(graph, model_bytes(SUITE / network), hull(SUITE / claim, entries))


@pytest.mark.skipif(SUITE is None, reason="needs IBPC_VNNCOMP")
def test_damaged_networks_of_the_suite_never_crash() -> None:
    assert SUITE is not None
    chance = random.Random(3)
    files = sorted((SUITE / "onnx").iterdir(), key=lambda path: path.stat().st_size)[:20]
    refused = 0
    for turn in range(200):
        damaged = bytearray(model_bytes(files[turn % len(files)]))
        for _ in range(chance.randrange(1, 12)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            prepare(read_onnx(bytes(damaged), "damaged.onnx"), "evaluation")
        except IbpcError:
            refused += 1
    assert 10 < refused < 200


class Attention(torch.nn.Module):
    """Two tokens' worth of everything that transformers bring: softmax, products, means."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(6)
        self.key, self.value = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6)
        self.out = torch.nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, 4, 6) -> (batch, 3)."""
        tokens = self.norm(x)
        keys = self.key(tokens)
        mixed = torch.softmax(keys @ tokens.transpose(1, 2) / 2.0, -1) @ self.value(tokens)
        return self.out(torch.nn.functional.gelu(mixed + x).mean(1))


class Gates(torch.nn.Module):
    """Slices, chunks, gates and trigonometry."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, 8) -> (batch, 7)."""
        left, right = x.chunk(2, 1)
        mixed = torch.sigmoid(left) * torch.tanh(right) + torch.sin(left[:, [0, 2, 1, 3]])
        far = torch.where(torch.tensor([True, False, True, False]), mixed, right.abs())
        top = torch.maximum(far, left).clamp(-1.0, 0.75)
        return torch.cat([top, torch.cos(x[:, 1:4]) ** 2 / (2 + x[:, 5:6].exp())], 1)


def convolutions(channels: int) -> torch.nn.Module:
    """Convolution, batch norm, pooling, transposed convolution, upsampling."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, channels, 3, padding=1),
        torch.nn.BatchNorm2d(channels),
        torch.nn.LeakyReLU(0.1),
        torch.nn.MaxPool2d(2),
        torch.nn.ConvTranspose2d(channels, 2, 3, stride=2, padding=1, output_padding=1),
        torch.nn.ELU(),
        torch.nn.Upsample(scale_factor=2, mode="nearest"),
        torch.nn.AvgPool2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(32, 3),
        torch.nn.Softplus(),
    )


MODULES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "attention": (Attention, (1, 4, 6)),
    "gates": (Gates, (1, 8)),
    "convolutions": (lambda: convolutions(3), (1, 2, 8, 8)),
    "hard sigmoid": (
        lambda: torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Hardsigmoid()),
        (1, 5),
    ),
    "no batch axis": (lambda: torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU()), (5,)),
}


def exported(module: torch.nn.Module, shape: tuple[int, ...], dynamo: bool, opset: int) -> bytes:
    """The module as torch's exporter writes it."""
    module.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters
        torch.onnx.export(module, (torch.zeros(shape),), buffer, dynamo=dynamo, opset_version=opset)
    return buffer.getvalue()


@pytest.mark.parametrize("opset", [11, 13, 17, 18])
@pytest.mark.parametrize("name", MODULES)
def test_what_torch_writes_agrees_with_onnxruntime(name: str, opset: int) -> None:
    torch.manual_seed(1)
    make, shape = MODULES[name]
    if name == "hard sigmoid" and opset < 14:
        pytest.skip("torch writes Hardsigmoid from opset 14 on")
    data = exported(make(), shape, dynamo=False, opset=opset)
    check(prepare(read_onnx(data, name), "evaluation"), data, None)


NOT_BY_DYNAMO = {
    "gates": r"node `\w+` \((Transpose|GatherND)\)",  # a list as an index
    "convolutions": r"node `\w+` \(Greater\) has no interval rule",  # softplus, in pieces
}
"""What torch's newer exporter writes in forms that ibpc refuses, saying which node and why."""


@pytest.mark.skipif(
    importlib.util.find_spec("onnxscript") is None,
    reason="torch's dynamo exporter needs onnxscript",
)
@pytest.mark.parametrize("name", MODULES)
def test_what_torch_writes_by_dynamo_agrees_with_onnxruntime(name: str) -> None:
    torch.manual_seed(1)
    make, shape = MODULES[name]
    data = exported(make(), shape, dynamo=True, opset=18)
    if name in NOT_BY_DYNAMO:
        with pytest.raises(IbpcError, match=NOT_BY_DYNAMO[name]):
            check(prepare(read_onnx(data, name), "evaluation"), data, None)
        return
    check(prepare(read_onnx(data, name), "evaluation"), data, None)


@pytest.mark.skipif(importlib.util.find_spec("skl2onnx") is None, reason="needs skl2onnx")
def test_what_scikit_learn_writes_agrees_with_onnxruntime() -> None:
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPRegressor

    x = np.random.default_rng(0).random((80, 4)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # twenty steps are no convergence
        net = MLPRegressor(hidden_layer_sizes=(8, 8), max_iter=20, random_state=0).fit(x, x.sum(1))
    data = to_onnx(net, x[:1], target_opset=15).SerializeToString()
    check(prepare(read_onnx(data, "sklearn"), "evaluation"), data, None)


def test_a_file_of_the_oldest_kind_agrees_with_onnxruntime() -> None:
    """Weights listed as inputs, an old dropout, two names for one opset, NHWC."""
    random_ = np.random.default_rng(2)
    held = {
        "kernel": random_.normal(size=(3, 2, 3, 3)),
        "mean": random_.normal(size=3),
        "variance": random_.uniform(0.5, 2.0, 3),
        "weight": random_.normal(size=(27, 4)),
    }
    tensors = [numpy_helper.from_array(a.astype(np.float32), name) for name, a in held.items()]
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("N", 5, 5, 2))]
    inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors]
    nodes = [
        helper.make_node("Transpose", ["image"], ["chw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["chw", "kernel"], ["c"]),
        helper.make_node("BatchNormalization", ["c", "mean", "mean", "mean", "variance"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Transpose", ["r"], ["hwc"], perm=[0, 2, 3, 1]),
        helper.make_node("Dropout", ["hwc"], ["d"], ratio=0.5),
        helper.make_node("Flatten", ["d"], ["f"]),
        helper.make_node("MatMul", ["f", "weight"], ["m"]),
        helper.make_node("Softmax", ["m"], ["y"]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", 4))]
    graph = helper.make_graph(nodes, "old", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", 8), helper.make_opsetid("ai.onnx", 8)]
    model = helper.make_model(graph, ir_version=3, opset_imports=opsets)
    data = model.SerializeToString()
    check(prepare(read_onnx(data, "old"), "evaluation"), data, None)


def test_a_network_in_double_precision_agrees_with_onnxruntime() -> None:
    random_ = np.random.default_rng(2)
    held = {"w": random_.normal(size=(5, 4)), "b": random_.normal(size=4)}
    tensors = [numpy_helper.from_array(array, name) for name, array in held.items()]
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Cast", ["r"], ["y"], to=TensorProto.FLOAT),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, (3, 5))]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, (3, 4))]
    graph = helper.make_graph(nodes, "double", inputs, outputs, tensors)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    check(prepare(read_onnx(data, "double"), "evaluation"), data, None)


COMPOSED = {
    "Gelu": (20, {}, []),
    "Gelu by tanh": (20, {"approximate": "tanh"}, []),
    "HardSwish": (14, {}, []),
    "LayerNormalization": (17, {"epsilon": 0.01}, ["scale", "bias"]),
    "PRelu": (16, {}, ["bias"]),
    "Sum": (8, {}, ["scale", "bias"]),
}


@pytest.mark.parametrize("case", COMPOSED)
def test_what_is_written_out_computes_what_the_operator_does(case: str) -> None:
    opset, attributes, operands = COMPOSED[case]
    tensors = [
        numpy_helper.from_array(np.float32(np.linspace(0.25, 1.0, 6) * sign), name)
        for name, sign in (("scale", -1), ("bias", 1))
    ]
    node = helper.make_node(case.split()[0], ["x", *operands], ["y"], **attributes)
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 4, 6))]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 4, 6))]
    graph = helper.make_graph([node], "one", inputs, outputs, tensors)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])
    data = model.SerializeToString()
    box = (np.full(24, -3.0), np.full(24, 3.0))
    check(prepare(read_onnx(data, "one"), "evaluation"), data, box)
