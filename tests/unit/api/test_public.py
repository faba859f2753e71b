"""The public names: exactly these, typed, documented, and loaded only when they are used."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import ibpc
from ibpc import api

ROOT = Path(__file__).resolve().parents[3]

FUNCTIONS = {
    "bounds": ("model", "lower", "upper", "method"),
    "load": ("path", "params"),
    "robustness": ("x", "eps", "label", "classes", "low", "high"),
    "run": ("spec", "target", "folder", "data_dir", "device", "jobs", "threads"),
    "train": ("spec", "recipe", "folder", "data_dir", "device", "threads"),
    "verify": ("model", "claim", "timeout", "device", "jobs", "seed"),
}
CLASSES = {"Answer", "Block", "Bounds", "IbpcError", "NetView", "Plan", "Spec"}


def test_the_public_names_are_these() -> None:
    assert set(ibpc.__all__) == {*FUNCTIONS, *CLASSES, "__version__"}
    assert set(api.__all__) == {*FUNCTIONS, *CLASSES} - {"IbpcError"}
    for name in ibpc.__all__:
        assert getattr(ibpc, name) is not None


def test_functions_are_typed_and_documented() -> None:
    for name, parameters in FUNCTIONS.items():
        function = getattr(api, name)
        signature = inspect.signature(function)
        assert tuple(signature.parameters) == parameters
        assert all(
            one.annotation is not inspect.Parameter.empty for one in signature.parameters.values()
        )
        assert signature.return_annotation is not inspect.Signature.empty
        assert len(inspect.getdoc(function) or "") > 60
    for name in CLASSES:
        assert inspect.getdoc(getattr(ibpc, name))


def test_the_room_and_the_function_named_bounds_are_both_there() -> None:
    import ibpc.bounds.programs
    from ibpc.bounds import Weights

    assert ibpc.bounds.Weights is Weights
    assert callable(ibpc.bounds)
    parameters = inspect.signature(type(ibpc.bounds).__call__).parameters
    assert tuple(parameters)[1:] == FUNCTIONS["bounds"]
    assert typing.get_type_hints(type(ibpc.bounds).__call__)["method"] is not None


def test_importing_loads_nothing() -> None:
    script = (
        "import sys, ibpc\n"
        "heavy = [name for name in ('torch', 'numpy', 'onnx', 'lark', 'ibpc.api', 'ibpc.language')"
        " if name in sys.modules]\n"
        "print(heavy)\n"
        "ibpc.load('specs/mnist.ibp')\n"
        "print([name for name in ('torch', 'onnx', 'mip', 'networkx') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == ["[]", "[]"]
