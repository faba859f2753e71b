from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpc.exchange import PropertyMistake, read_witness, witness_text

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(floats, min_size=1, max_size=20), st.lists(floats, min_size=1, max_size=5))
def test_what_is_printed_reads_back_as_the_same_float32(x: list[float], y: list[float]) -> None:
    found = read_witness(witness_text(x, y), len(x), len(y))
    for values, back in zip((x, y), found, strict=True):
        assert back.dtype == np.float32
        np.testing.assert_array_equal(back, np.array(values, dtype=np.float32))


def test_a_witness_looks_as_the_competition_writes_it() -> None:
    text = witness_text(np.array([[0.1, -2.0]], dtype=np.float32), [1e-8])
    assert text == "((X_0 0.100000001)\n(X_1 -2)\n(Y_0 9.99999994e-09))\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "((X_0 1) (Y_0 2)",
        "((X_0 1) (X_0 1) (Y_0 2))",
        "((X_0 1) (X_1 nan) (Y_0 2))",
        "((X_0 1) (X_1 one) (Y_0 2))",
        "((X_0 1) (X_7 1) (Y_0 2))",
        "((X_0 1) (Y_0 2))",
        "((X_0 1) (X_1 1))",
        "((X_0 1) and (X_1 1) (Y_0 2))",
    ],
)
def test_a_witness_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PropertyMistake):
        read_witness(text, 2, 1)
