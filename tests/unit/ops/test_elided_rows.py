"""The claim operators' MILP forms say what their forward passes compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.sparse import eye_array

from ibpc.domains import LinearForm
from ibpc.ops import Site, operator

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAWS = np.random.default_rng(7)
TABLE = DRAWS.standard_normal((3, 2, 4)), DRAWS.standard_normal((3, 2))
ONE = DRAWS.standard_normal((1, 2, 4)), DRAWS.standard_normal((1, 2))
LAYER = DRAWS.standard_normal((4, 5)), DRAWS.standard_normal(4)

CASES: list[tuple[str, int, Sequence[Any]]] = [
    ("ibpc.ClaimRows", 4, TABLE),
    ("ibpc.ClaimRows", 4, ONE),
    ("ibpc.ArgmaxRows", 4, ()),
    ("ibpc.ElidedRows", 5, (*LAYER, *TABLE)),
    ("ibpc.ElidedRows", 5, (*LAYER, *ONE)),
    ("ibpc.ElidedRows", 5, LAYER),
    ("ibpc.ElidedRows", 5, (LAYER[0], None, *TABLE)),
]


@pytest.mark.parametrize("label", [0, 2])
@pytest.mark.parametrize(("op", "size", "constants"), CASES, ids=lambda case: str(case)[:20])
def test_the_milp_form_is_the_forward_pass(
    op: str, size: int, constants: Sequence[Any], label: int
) -> None:
    record, given = operator(op), np.array([label])
    shapes = ((1, size), (1,), *(None if c is None else c.shape for c in constants))
    site = Site(op, op, {"transB": 1}, shapes, (None, None, *constants))
    site = Site(op, op, {"transB": 1}, shapes, site.values, record.shape(site))
    point = DRAWS.standard_normal(size)
    lower, upper = point - 0.1, point + 0.1
    z = LinearForm(None, (1, size), eye_array(size).tocsr(), np.zeros(size), lower, upper)  # type: ignore[arg-type]
    form = record.milp(site, z, given, *constants)
    tensors = [None if c is None else torch.from_numpy(c) for c in constants]
    value = record.forward(site, torch.from_numpy(point[None]), torch.from_numpy(given), *tensors)
    np.testing.assert_allclose(form.matrix @ point + form.bias, value[0].numpy(), atol=1e-12)
    assert form.shape == record.shape(site)[0]
