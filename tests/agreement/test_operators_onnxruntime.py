"""Every operator's forward and shape facets against onnxruntime, version by version."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from operator_cases import Case, cases, one_thread

from ibpc.ops import OPERATORS, Operator

__all__ = ["one_thread"]

TYPES = {
    torch.float32: TensorProto.FLOAT,
    torch.int64: TensorProto.INT64,
    torch.bool: TensorProto.BOOL,
}
FIRST, LAST = 7, 23
"""The first opset that onnxruntime vouches for, and the last that these tests go to."""


def opsets(case: Case) -> list[int]:
    """The opsets that begin with a version of this operator (or the first that can run)."""
    return sorted({max(version, FIRST) for version in case.record.versions if version <= LAST})


def model(case: Case, opset: int) -> onnx.ModelProto | None:
    """A model of this one node; None where this version of the operator has another form."""
    names, inputs, held = [], [], []
    for i, (array, shape) in enumerate(zip(case.constants, case.site.shapes, strict=True)):
        if shape is None:
            names.append("")
        elif array is None:
            names.append(f"x{i}")
            inputs.append(helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, shape))
        else:
            names.append(f"c{i}")
            held.append(numpy_helper.from_array(array, f"c{i}"))
    node = helper.make_node(case.record.op, names, ["y"], **case.example.attributes)
    element = TYPES[case.forward([lower for lower, _ in case.box(0, torch.float32)]).dtype]
    output = helper.make_tensor_value_info("y", element, case.site.out_shapes[0])
    graph = helper.make_graph([node], "one", inputs, [output], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    try:
        onnx.checker.check_model(made, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        return None
    return made


def run(made: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        made.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    found: np.ndarray = session.run(None, feeds)[0]
    return found


def check_forward(case: Case, seed: int, opset: int) -> bool:
    """Whether this version takes the example, once its results are found to agree."""
    made = model(case, opset)
    if made is None:
        return False
    values = [lower for lower, _ in case.box(seed, torch.float32)]
    feeds = {f"x{i}": v.numpy() for i, v in zip(case.variable, values, strict=True)}
    wanted, found = run(made, feeds), case.forward(values).numpy()
    assert found.shape == wanted.shape == case.site.out_shapes[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())
    return True


OF_ONNX = [case for case in cases() if not case.values[0].record.op.startswith("ibpc.")]


@pytest.mark.parametrize("case", OF_ONNX)
def test_forward_is_what_onnxruntime_computes(case: Case) -> None:
    taken = [check_forward(case, seed, opset) for opset in opsets(case) for seed in range(3)]
    assert any(taken), "no version of the operator takes this example"


# Before opset 12, a Constant holds a tensor only: an attribute that examples do not write.
WITH_EXAMPLES = [r for r in OPERATORS.values() if "." not in r.op and r.op != "Constant"]


@pytest.mark.parametrize("record", WITH_EXAMPLES, ids=lambda record: record.op)
def test_every_version_has_an_example(record: Operator) -> None:
    examples = [Case(record, number) for number in range(len(record.examples))]
    for opset in opsets(examples[0]):
        assert any(model(case, opset) is not None for case in examples), opset


def test_every_version_is_one_that_onnx_defines() -> None:
    known: dict[str, set[int]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        known.setdefault(schema.name, set()).add(schema.since_version)
    for record in OPERATORS.values():
        if "." not in record.op:
            assert set(record.versions) <= known[record.op], record.op


def test_a_planted_wrong_forward_is_caught() -> None:
    conv = OPERATORS["Conv"]
    flipped = replace(conv, forward=lambda site, *v: -conv.forward(site, *v))
    with pytest.raises(AssertionError):
        check_forward(Case(flipped, 0), 0, 11)
