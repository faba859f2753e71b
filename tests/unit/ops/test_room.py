"""The room of operators: found by file, light to import, clear about what it cannot do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ibpc.errors import UnsupportedOperator
from ibpc.language import LayerMistake
from ibpc.ops import LAYERS, OPERATORS, ShapeMistake, Site, Unsupported, infer, operator

HEAVY = ("torch", "numpy", "onnx", "mip", "networkx", "scipy")


def test_importing_the_room_imports_nothing_heavy() -> None:
    code = f"import ibpc.ops, sys; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_operator_file_is_found() -> None:
    files = Path(sys.modules["ibpc.ops"].__file__ or "").parent.glob("*.py")
    written = [file for file in files if "\nOPERATOR = Operator(" in file.read_text("utf-8")]
    assert len(written) == len(OPERATORS)


def test_every_record_says_where_it_comes_from() -> None:
    for record in OPERATORS.values():
        assert record.source
        assert record.examples
        assert record.versions == tuple(sorted(record.versions))


def test_an_unknown_operator_gets_a_suggestion() -> None:
    with pytest.raises(UnsupportedOperator, match="unknown operator Rleu") as caught:
        operator("Rleu")
    assert "`Relu`" in caught.value.diagnostics[0].fix


def test_inferred_shapes_need_no_arrays() -> None:
    assert infer("Conv", {"strides": (2, 2)}, ((1, 1, 28, 28), (16, 1, 4, 4))) == (1, 16, 13, 13)
    assert infer("Reshape", {}, ((1, 12), (3,)), (None, (0, 3, -1))) == (1, 3, 4)
    with pytest.raises(LayerMistake, match="Gemm multiplies 12 entries with a matrix for 11"):
        infer("Gemm", {"transB": 1}, ((1, 12), (5, 11)))
    with pytest.raises(LayerMistake, match="moves the batch axis"):
        infer("Transpose", {}, ((1, 12),))


def site(op: str, *operands: object, **attributes: object) -> Site:
    """Tuples are shapes of variable operands, lists constants."""
    arrays = [None if isinstance(o, tuple) else np.asarray(o) for o in operands]
    shapes = [o if isinstance(o, tuple) else a.shape for o, a in zip(operands, arrays, strict=True)]
    return Site("node", op, attributes, tuple(shapes), tuple(arrays))


MIXING = [
    site("Add", (1, 3), [[1.0], [2.0]]),
    site("Add", (1, 3), [[[1.0]]]),
    site("Mul", (1, 3), (1, 2, 3)),
    site("Concat", (1, 3), (1, 3), axis=0),
    site("Concat", (1, 3), (1, 3), axis=-2),
    site("Flatten", (1, 3), axis=0),
    site("Flatten", (1, 3, 2), axis=2),
    site("Reshape", (1, 6), [2, 3]),
    site("Reshape", (1, 6), [6]),
    site("Transpose", (1, 3, 2), perm=(1, 0, 2)),
    site("Transpose", (1, 3)),
    site("Pad", (1, 3), [1, 0, 0, 0]),
    site("MatMul", [[1.0]], (1, 3)),
    site("MatMul", (1, 2, 1), [[[1.0]], [[2.0]]]),
    site("MatMul", (1, 2), [[[1.0], [2.0]]]),
    site("MatMul", (1, 2), (1, 2, 3)),
]


@pytest.mark.parametrize("place", MIXING, ids=lambda place: place.op)
def test_mixing_the_examples_of_a_batch_is_refused(place: Site) -> None:
    with pytest.raises(Unsupported) as caught:
        operator(place.op).shape(place)
    assert "batch" in caught.value.why


@pytest.mark.parametrize("place", MIXING, ids=lambda place: place.op)
def test_constants_have_no_batch_axis(place: Site) -> None:
    """What is refused for variables goes for constants, where the shapes fit."""
    arrays = tuple(
        np.zeros(shape) if value is None else value
        for shape, value in zip(place.shapes, place.values, strict=True)
    )
    held = Site(place.name, place.op, place.attributes, place.shapes, arrays)
    if place.op == "MatMul" and len(place.shapes[0] or ()) == 2 and place.values[1] is None:
        return
    assert operator(place.op).shape(held)


MISFITS = [
    (site("Add", (1, 3), [1.0, 2.0]), "do not broadcast"),
    (site("Div", (1, 2), [1.0, 0.0]), "holds a zero"),
    (site("Gemm", (1, 3), [[1.0, 2.0]]), "multiplies 3 entries"),
    (site("Gemm", (1, 2), [[1.0], [2.0]], [1.0, 2.0]), "adds a bias"),
    (site("MatMul", (1, 3), [[1.0, 2.0]]), "multiplies 3 entries"),
    (site("Conv", (1, 3, 5, 5), np.zeros((4, 2, 3, 3))), "has weights for 2 channels"),
    (site("Conv", (1, 2, 2, 2), np.zeros((4, 2, 3, 3))), "3x3 kernel does not fit"),
    (site("Conv", (1, 2, 9), np.zeros((4, 2, 3, 3))), "kernel of shape"),
    (site("MaxPool", (1, 2, 4, 4)), "lacks its attribute"),
    (site("MaxPool", (1, 2, 4, 4), kernel_shape=(2,)), "kernel of 1 axes"),
    (site("Concat", (1, 2, 3), (1, 2, 4), axis=1), "Concat along axis 1"),
    (site("Concat", (1, 2), axis=5), "names axis 5"),
    (site("Reshape", (1, 6), [1, 4]), "6 entries do not fit"),
    (site("Reshape", (1, 6), [1, 6, 0]), "copies an axis"),
    (site("Transpose", (1, 2, 3), perm=(0, 1)), "orders axes"),
    (site("Flatten", (1, 2), axis=3), "names axis 3"),
    (site("Pad", (1, 2), [0, 1]), "2 pads for 2 axes"),
    (site("Pad", (1, 2), [0, -1, 0, -1]), "leaves nothing"),
    (site("BatchNormalization", (1, 3), *[[1.0, 2.0]] * 4), "3 channels with operand 1"),
    (site("GlobalAveragePool", (1, 3)), "needs spatial axes"),
]


@pytest.mark.parametrize(("place", "told"), MISFITS, ids=[told for _, told in MISFITS])
def test_operands_that_do_not_fit_are_told_so(place: Site, told: str) -> None:
    with pytest.raises(ShapeMistake, match=told):
        operator(place.op).shape(place)


def test_layers_name_operators_that_exist() -> None:
    assert {"conv", "fc", "out", "relu", "batch_norm", "max_pool", "normalise"} <= set(LAYERS)
