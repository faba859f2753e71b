from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from test_query_engine import drawn, network, text

from ibpc.exchange import parse_property
from ibpc.verification import Clock, QuerySettings
from ibpc.verification.query import units
from ibpc.verification.query.cases import lower_property
from ibpc.verification.query.engine import Engine
from ibpc.verification.query.network import load_subject
from ibpc.verification.query.sharpening import Sharpening


def engine(seed: int, sizes: tuple[int, ...]) -> Engine:
    wanted = parse_property(text(sizes[0], 1, "(>= Y_0 0)"))
    cases = lower_property(wanted)
    subject = load_subject(network(drawn(seed, sizes)), "made.onnx", wanted, cases.forms)
    now = time.monotonic()
    settings = QuerySettings("cpu", 1, 0, lambda _: None)
    return Engine(subject, cases, settings, Clock(now, now + 60))


def points(count: int, inputs: int) -> torch.Tensor:
    draws = np.random.default_rng(0)
    share = draws.random((count, inputs))
    share[: count // 2] = share[: count // 2].round()
    return torch.from_numpy(2 * share - 1)


@pytest.mark.parametrize("seed", range(5))
def test_sharpened_bounds_hold_at_points_and_are_no_worse(seed: int) -> None:
    root = engine(seed, (4, 12, 12, 12, 1))._root(0)
    before = dict(root.known)
    Sharpening(root, Clock(time.monotonic(), time.monotonic() + 60), lambda _: None).run()
    values = root.cones.exact.values(points(4000, 4))
    gained = False
    for name, (lower, upper) in root.known.items():
        assert bool((values[name] >= lower).all())
        assert bool((values[name] <= upper).all())
        assert bool((lower >= before[name][0]).all())
        assert bool((upper <= before[name][1]).all())
        gained |= bool(((upper - lower) < 0.9 * (before[name][1] - before[name][0])).any())
    assert gained


def test_a_unit_whose_lines_are_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted error: bounds that a descent found, taken as they are and a tenth too narrow."""
    root = engine(0, (4, 12, 12, 12, 1))._root(0)
    true = root.sharpen

    def planted(value: str, index: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> None:
        true(value, index, lower + 0.45 * (upper - lower), upper - 0.45 * (upper - lower))

    monkeypatch.setattr(root, "sharpen", planted)
    Sharpening(root, Clock(time.monotonic(), time.monotonic() + 60), lambda _: None).run()
    values = root.cones.exact.values(points(4000, 4))
    assert any(
        bool((values[name] < lower).any()) or bool((values[name] > upper).any())
        for name, (lower, upper) in root.known.items()
    )


@pytest.mark.parametrize("seed", range(4))
def test_influences_add_up_to_the_distance_between_bound_and_value(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "LEAST", 0.0)
    root = engine(seed, (4, 10, 10, 1))._root(0)
    crown = root.cones.exact
    found = crown.alpha_bounds(root.problem(1, None))
    row = torch.zeros(1, dtype=torch.int64)
    corner = torch.where(found.slopes[:, 0] > 0, root.upper, root.lower)
    values = crown.values(corner)
    shares = units.splittable(crown).influence(found, row, values)
    true = values[crown.plan.output][0, 0]
    at_corner = (found.slopes[0, 0] * corner[0]).sum() + found.offset[0, 0]
    torch.testing.assert_close(shares.sum(), at_corner - true, rtol=1e-6, atol=1e-6)


def test_constants_do_not_count_as_width() -> None:
    assert engine(0, (2, 8, 1)).bounder.width < 60


def test_inputs_vary_by_more_than_rounding() -> None:
    """0.1 is no float64: its outward box has a width, and yet it is one number."""
    wanted = text(3, 1, "(>= Y_0 0)")
    for place in (0, 1):
        wanted = wanted.replace(f"(<= X_{place} 1)", f"(<= X_{place} 0.1)")
        wanted = wanted.replace(f"(>= X_{place} -1)", f"(>= X_{place} 0.1)")
    prop = parse_property(wanted)
    cases = lower_property(prop)
    subject = load_subject(network(drawn(0, (3, 4, 1))), "made.onnx", prop, cases.forms)
    now = time.monotonic()
    found = Engine(subject, cases, QuerySettings("cpu", 1, 0, print), Clock(now, now + 9))
    assert bool((cases.outer_lower < cases.outer_upper).all())
    assert found.varying == 1
