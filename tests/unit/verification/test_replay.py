"""Witnesses count only as float32 points of the exact set, with zero tolerance."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ibpc.errors import Span
from ibpc.graph import Graph, Node, write_onnx
from ibpc.language.program import Claim, InputSet, Row
from ibpc.sets import into_box, within
from ibpc.verification.replay import Replayer, exact_violation

HERE = Span("spec.ibp", 1, 1, 1, 2)
LOWER, UPPER = np.float32([0.25, -1.0]), np.float32([0.75, 1.0])


def identity_net() -> bytes:
    constants = {"W": np.eye(2, dtype=np.float32)}
    node = Node("same", "Gemm", ("x", "W"), ("y",))
    return write_onnx(Graph("same", {"x": (1, 2)}, ("y",), (node,), constants))


def claim(*rows: Row, argmax: bool = False, strict: bool = False) -> Claim:
    table = () if argmax else (rows,)
    return Claim("c", InputSet("domain"), 2, table, argmax, strict, "", HERE)


def at_most(limit: Fraction, strict: bool = False) -> Row:
    """z[0] <= limit."""
    return Row(((0, Fraction(1)),), -limit, strict)


def replay(point: list[float] | np.ndarray, which: Claim) -> bool:
    replayer = Replayer(identity_net(), which, (1, 2))
    found = replayer.replay(np.asarray(point, dtype=np.float32), 0, LOWER, UPPER, "test")
    return found is not None


def test_a_point_outside_by_one_ulp_is_rejected() -> None:
    rule = claim(at_most(Fraction(0)))
    assert replay([0.75, 0.0], rule)
    assert not replay([np.nextafter(np.float32(0.75), np.float32(2)), 0.0], rule)
    assert not replay([0.5, np.nextafter(np.float32(-1.0), np.float32(-2))], rule)


def test_a_point_that_is_not_finite_is_rejected() -> None:
    assert not replay([np.nan, 0.0], claim(at_most(Fraction(0))))


def test_the_claim_is_judged_with_zero_tolerance() -> None:
    half = Fraction(1, 2)
    assert not replay([0.5, 0.0], claim(at_most(half)))
    assert replay([0.5, 0.0], claim(at_most(half, strict=True), strict=True))
    above = float(np.nextafter(np.float32(0.5), np.float32(1)))
    assert replay([above, 0.0], claim(at_most(half)))
    # A limit that no float64 holds: 1/3 is above the float32 below it by 1e-8.
    third = np.float32(1 / 3)
    exact = Fraction(float(third)) > Fraction(1, 3)
    assert replay([third, 0.0], claim(at_most(Fraction(1, 3)))) == exact


def test_ties_do_not_violate_an_argmax_claim() -> None:
    assert not replay([0.5, 0.5], claim(argmax=True))
    assert replay([0.5, 0.5], claim(argmax=True, strict=True))
    assert replay([0.5, np.nextafter(np.float32(0.5), np.float32(1))], claim(argmax=True))


def test_rows_are_summed_exactly() -> None:
    row = Row(((0, Fraction(1, 3)), (1, Fraction(-1, 3))), Fraction(1, 10**30), strict=False)
    assert exact_violation(row, np.float32([0.1, 0.1])) == Fraction(1, 10**30)


def test_a_coordinate_without_a_float32_takes_the_nearest_and_says_so() -> None:
    lower, upper = np.float32([0.5000001]), np.float32([0.5])
    assert lower > upper
    assert within(upper, lower, upper)
    assert within(np.float32([0.6]), lower, upper) is None


@pytest.mark.parametrize("value", [0.1, 0.3, 0.9, -3.0])
def test_candidates_are_rounded_into_the_box(value: float) -> None:
    point = into_box(np.array([value, value]), LOWER, UPPER)
    assert within(point, LOWER, UPPER) == ""


def test_networks_for_one_input_at_a_time_are_run_so() -> None:
    import onnx

    model = onnx.load_from_string(identity_net())
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    replayer = Replayer(model.SerializeToString(), claim(argmax=True), (1, 2))
    points = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    assert np.array_equal(replayer.outputs(points), points)
