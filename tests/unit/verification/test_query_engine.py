from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest

from ibpc.errors import ModelMistake
from ibpc.exchange import parse_property
from ibpc.verification import Clock, QueryAnswer, QuerySettings, decide_query
from ibpc.verification.query import engine

if TYPE_CHECKING:
    from collections.abc import Sequence


def network(layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """Gemm and Relu in turn; the last layer without Relu."""
    nodes, arrays, value = [], [], "x"
    for place, (weight, bias) in enumerate(layers):
        arrays += [
            onnx.numpy_helper.from_array(weight.astype(np.float32), f"w{place}"),
            onnx.numpy_helper.from_array(bias.astype(np.float32), f"b{place}"),
        ]
        operands = [value, f"w{place}", f"b{place}"]
        value = f"z{place}"
        nodes.append(onnx.helper.make_node("Gemm", operands, [value], transB=1))
        if place < len(layers) - 1:
            nodes.append(onnx.helper.make_node("Relu", [value], [f"h{place}"]))
            value = f"h{place}"
    element = onnx.TensorProto.FLOAT
    ends = [
        onnx.helper.make_tensor_value_info(name, element, [1, size])
        for name, size in (("x", layers[0][0].shape[1]), (value, layers[-1][0].shape[0]))
    ]
    graph = onnx.helper.make_graph(nodes, "made", ends[:1], ends[1:], arrays)
    opsets = [onnx.helper.make_opsetid("", 17)]
    return bytes(
        onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString()
    )


def drawn(seed: int, sizes: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    draws = np.random.default_rng(seed)
    return [
        (draws.normal(size=(after, before)), draws.normal(size=after) * 0.5)
        for before, after in itertools.pairwise(sizes)
    ]


def text(inputs: int, outputs: int, unsafe: str) -> str:
    names = [f"X_{place}" for place in range(inputs)] + [f"Y_{place}" for place in range(outputs)]
    lines = [f"(declare-const {name} Real)" for name in names]
    for place in range(inputs):
        lines += [f"(assert (<= X_{place} 1))", f"(assert (>= X_{place} -1))"]
    return "\n".join([*lines, f"(assert {unsafe})"])


def ask(data: bytes, wanted: str, seconds: float = 20.0) -> QueryAnswer:
    now = time.monotonic()
    settings = QuerySettings("cpu", 1, 0, lambda _: None)
    clock = Clock(now, now + seconds)
    return decide_query(data, "made.onnx", parse_property(wanted), settings, clock)


def largest(layers: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The largest output 0 over a fine grid of [-1, 1]^2."""
    side = np.linspace(-1, 1, 201)
    values = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    for place, (weight, bias) in enumerate(layers):
        values = values @ weight.astype(np.float32).T + bias.astype(np.float32)
        values = values if place == len(layers) - 1 else np.maximum(values, 0)
    return float(values[:, 0].max())


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_on_either_side_of_the_maximum_are_told_apart(seed: int) -> None:
    layers = drawn(seed, (2, 8, 8, 1))
    data, most = network(layers), largest(layers)
    spread = 0.05 * (1 + abs(most))
    above = ask(data, text(2, 1, f"(>= Y_0 {most + spread:.6f})"))
    below = ask(data, text(2, 1, f"(>= Y_0 {most - spread:.6f})"))
    assert (above.word, below.word) == ("unsat", "sat")
    assert below.witness is not None
    assert below.witness.y[0] >= most - spread - 1e-6


@pytest.mark.parametrize("seed", [1, 2])
def test_splitting_units_decides_as_splitting_inputs_does(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibpc.verification.query.engine.FEW_INPUTS", 0)
    monkeypatch.setattr("ibpc.verification.query.exact.MOST_UNDECIDED", -1)
    layers = drawn(seed, (2, 8, 8, 1))
    data, most = network(layers), largest(layers)
    spread = 0.05 * (1 + abs(most))
    above = ask(data, text(2, 1, f"(>= Y_0 {most + spread:.6f})"))
    below = ask(data, text(2, 1, f"(>= Y_0 {most - spread:.6f})"))
    assert (above.word, below.word) == ("unsat", "sat")


def test_mip_beside_the_tree_decides_what_multipliers_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ibpc.verification.query.engine.FEW_INPUTS", 0)
    layers = drawn(0, (2, 8, 8, 1))
    most = largest(layers)
    wanted = text(2, 1, f"(>= Y_0 {most + 0.05 * (1 + abs(most)):.6f})")
    assert ask(network(layers), wanted, 60).word == "unsat"


def test_rows_of_a_case_must_hold_together() -> None:
    # y = (x0, -x0): both at least 0.5 is impossible, either alone is not.
    data = network([(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.zeros(2))])
    together = text(2, 2, "(and (>= Y_0 0.5) (>= Y_1 0.5))")
    either = text(2, 2, "(or (>= Y_0 0.5) (>= Y_1 0.5))")
    assert ask(data, together).word == "unsat"
    assert ask(data, either).word == "sat"


def test_rows_may_mix_inputs_and_outputs() -> None:
    data = network([(np.array([[2.0, 0.0]]), np.zeros(1))])
    assert ask(data, text(2, 1, "(>= (- Y_0 X_0) 0.9)")).word == "sat"
    assert ask(data, text(2, 1, "(>= (- Y_0 X_0) 1.1)")).word == "unsat"


def test_a_maximum_that_is_reached_exactly_is_a_violation() -> None:
    data = network([(np.array([[1.0, 0.0]]), np.zeros(1))])
    assert ask(data, text(2, 1, "(>= Y_0 1)")).word == "sat"


def test_a_property_for_another_network_is_a_mistake() -> None:
    data = network(drawn(0, (3, 4, 1)))
    with pytest.raises(ModelMistake, match="declares 2 inputs"):
        ask(data, text(2, 1, "(>= Y_0 0)"))


def test_a_reading_that_differs_from_onnxruntimes_gives_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = network(drawn(0, (2, 4, 1)))
    monkeypatch.setattr("ibpc.bounds.agree", lambda *_, **__: 0.5, raising=False)
    answer = ask(data, text(2, 1, "(>= Y_0 1000)"))
    assert answer.word == "unknown"
    assert "differs from onnxruntime" in answer.why


def test_even_an_empty_set_needs_a_network_that_can_be_read() -> None:
    layers = drawn(0, (2, 3, 1))
    nothing = text(2, 1, "(<= X_0 -2)")
    assert ask(network(layers), nothing).word == "unsat"
    with pytest.raises(ModelMistake):
        ask(network(layers)[:60], nothing)


def test_a_proof_and_a_float32_witness_together_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """y = x * 3 * (1/3) - x is 3e-8 x in real arithmetic, and up to 6e-8 in float32."""
    monkeypatch.setattr(engine, "QUICK_STARTS", 1)  # the centre alone, which is no witness
    monkeypatch.setattr(engine, "QUICK_STEPS", 0)
    nodes = [
        onnx.helper.make_node("Mul", ["x", "three"], ["a"]),
        onnx.helper.make_node("Mul", ["a", "third"], ["b"]),
        onnx.helper.make_node("Sub", ["b", "x"], ["y"]),
    ]
    held = {"three": [[3.0]], "third": [[1 / 3]]}
    arrays = [onnx.numpy_helper.from_array(np.array(v, np.float32), n) for n, v in held.items()]
    kind = onnx.TensorProto.FLOAT
    ends = [onnx.helper.make_tensor_value_info(name, kind, [1, 1]) for name in "xy"]
    graph = onnx.helper.make_graph(nodes, "noise", ends[:1], ends[1:], arrays)
    opsets = [onnx.helper.make_opsetid("", 17)]
    data = onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString()
    wanted = text(1, 1, "(>= Y_0 0.00000004)").replace("X_0 -1", "X_0 0.5")
    found = ask(bytes(data), wanted)
    assert (found.word, found.why) == ("unknown", "decided only by rounding")
    assert found.method == "crown over intervals"
    assert found.witness is not None
    assert found.witness.y[0] >= 4e-8
    assert found.facts["decided by rounding"] == 1
    assert found.plain()["inputs"] == [float(found.witness.x[0])]
