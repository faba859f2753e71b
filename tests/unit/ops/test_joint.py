"""Operators whose two training passes depend on each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ibpc.domains import Interval
from ibpc.ops import OPERATORS, Site, Unsupported


def batch_norm_site(rank: int = 4) -> Site:
    shape = (1, 3, 2, 2)[:rank]
    held = [np.zeros(3, np.float32)] * 4
    return Site(
        "bn",
        "BatchNormalization",
        {"momentum": 0.9},
        (shape, *[(3,)] * 4),
        (None, *held),
        (shape,),
    )


def test_batch_norm_takes_its_statistics_from_the_clean_pass() -> None:
    torch.manual_seed(0)
    layer = torch.nn.BatchNorm2d(3, momentum=0.1)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x, radius = torch.randn(8, 3, 2, 2, requires_grad=True), torch.rand(8, 3, 2, 2)
    constants = [layer.weight, layer.bias, torch.zeros(3), torch.ones(3)]
    box = Interval.from_center(x + 5, radius)
    clean, bounds = OPERATORS["BatchNormalization"].joint(
        batch_norm_site(), [x, *constants], [box, *constants]
    )
    wanted = layer(x)
    torch.testing.assert_close(clean, wanted)
    torch.testing.assert_close(constants[2], layer.running_mean)
    torch.testing.assert_close(constants[3], layer.running_var)
    along = (1, 3, 1, 1)
    factor = (layer.weight / (x.var((0, 2, 3), correction=0) + layer.eps).sqrt()).reshape(along)
    torch.testing.assert_close(bounds.center, clean + 5 * factor)
    torch.testing.assert_close(bounds.radius, radius * factor.abs())


def test_the_box_of_a_point_is_the_clean_value_in_training() -> None:
    x = torch.randn(8, 3, 2, 2)
    constants = [torch.randn(3), torch.randn(3), torch.zeros(3), torch.ones(3)]
    clean, box = OPERATORS["BatchNormalization"].joint(
        batch_norm_site(), [x, *constants], [Interval.from_bounds(x, x), *constants]
    )
    torch.testing.assert_close(box.lower, clean)
    torch.testing.assert_close(box.upper, clean)


def test_the_bound_has_a_gradient_through_the_statistics() -> None:
    x = torch.randn(8, 3, dtype=torch.float64, requires_grad=True)
    scale = torch.ones(3, dtype=torch.float64)
    fixed = torch.randn(8, 3, dtype=torch.float64)

    def upper(value: torch.Tensor) -> torch.Tensor:
        running = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
        constants = [scale, scale, *running]
        boxes = [Interval.from_center(fixed, fixed.abs()), *constants]
        joint = OPERATORS["BatchNormalization"].joint
        bound: torch.Tensor = joint(batch_norm_site(2), [value, *constants], boxes)[1].upper
        return bound

    assert torch.autograd.gradcheck(upper, (x,))


def test_dropout_drops_the_same_entries_in_both_passes() -> None:
    site = Site("drop", "Dropout", {"ratio": 0.25}, ((1, 500),), (None,), ((1, 500),))
    x = torch.full((4, 500), 3.0)
    clean, box = OPERATORS["Dropout"].joint(site, [x], [Interval.from_center(x, x)])
    assert 0.15 < float((clean == 0).float().mean()) < 0.35
    assert torch.equal(box.center, clean)
    assert torch.equal(box.radius, clean)
    assert set(clean.unique().tolist()) == {0.0, 4.0}


def test_dropout_with_rate_zero_changes_nothing() -> None:
    site = Site("drop", "Dropout", {}, ((1, 5), ()), (None, np.float32(0.0)), ((1, 5),))
    x, ratio = torch.randn(4, 5), torch.tensor(0.0)
    box = Interval.from_center(x, x)
    found = OPERATORS["Dropout"].joint(site, [x, ratio], [box, ratio])
    assert found == (x, box)


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "Gemm", "BatchNormalization"])
def test_weights_that_depend_on_the_input_are_refused_with_a_reason(op: str) -> None:
    from operator_cases import Case

    case = Case(OPERATORS[op], 0)
    moved = replace(case.site, values=(None,) * len(case.site.values))
    operands = case.operands([lower for lower, _ in case.box(0, torch.float64)], torch.float64)
    with pytest.raises(Unsupported, match=r"constant|statistics") as caught:
        OPERATORS[op].interval(moved, *operands)
    assert len(caught.value.why) >= 20


def test_a_leaky_relu_with_a_negative_slope_is_refused() -> None:
    site = Site("leaky", "LeakyRelu", {"alpha": -0.5}, ((1, 2),), (None,), ((1, 2),))
    x = torch.zeros(1, 2)
    with pytest.raises(Unsupported, match="not monotone"):
        OPERATORS["LeakyRelu"].interval(site, Interval.from_bounds(x, x))


def test_a_constant_takes_every_form_of_its_attribute() -> None:
    forms = [
        ({"value": np.ones((2, 3), np.float32)}, (2, 3), torch.float32),
        ({"value_float": 0.5}, (), torch.float32),
        ({"value_int": 3}, (), torch.int64),
        ({"value_floats": (0.5, 1.0)}, (2,), torch.float32),
        ({"value_ints": [1, 2, 3]}, (3,), torch.int64),
    ]
    constant = OPERATORS["Constant"]
    for attributes, shape, dtype in forms:
        site = Site("c", "Constant", attributes, ())
        assert constant.shape(site) == (shape,)
        found = constant.forward(site)
        assert (tuple(found.shape), found.dtype) == (shape, dtype)
    with pytest.raises(Unsupported, match="no dense numbers"):
        constant.shape(Site("c", "Constant", {"value_string": "x"}, ()))
