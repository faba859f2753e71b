"""onnx2torch, an independent reader, finds the same function in what we write."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest

from ibpc.graph import emit, run_onnxruntime, write_onnx
from ibpc.language.program import DeclaredNet


@pytest.mark.slow
def test_onnx2torch_computes_what_onnxruntime_does(plan: DeclaredNet) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that it imports
        from onnx2torch import convert

        data = write_onnx(emit(plan, seed=4))
        module = convert(onnx.load_model_from_string(data))
    x = np.random.default_rng(0).normal(size=(3, 2, 7, 7)).astype(np.float32)
    with torch.no_grad():
        second = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(second, run_onnxruntime(data, {"x": x})["out"], rtol=1e-5, atol=1e-5)
