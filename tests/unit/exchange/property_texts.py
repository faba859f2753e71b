"""Property texts and values for the tests of the exchange room."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import strategies as st

from ibpc.exchange import Constraint, Disjunct, Interface, Property, Tensor

SMALL = """\
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (<= X_0 0.75))
(assert (>= X_0 -0.5))
(assert (<= X_1 1.0))
(assert (>= X_1 0))
(assert (or
  (and (<= Y_0 Y_1))
  (and (>= Y_1 3.5) (<= (+ Y_0 (* 2.0 X_1)) 1.0))
))
"""

SMALL_2 = """\
(vnnlib-version <2.0>)
(declare-network f
  (declare-input X real [1,2])
  (declare-output Y real [2])
)
(assert (<= X[0,0] 0.75))
(assert (>= X[0,0] -0.5))
(assert (<= X[0,1] 1.0))
(assert (>= X[0,1] 0.0))
(assert (or
  (<= Y[0] Y[1])
  (and (>= Y[1] 3.5) (<= (+ Y[0] (* 2.0 X[0,1])) 1.0))
))
"""


def image(pixels: int, outputs: int, seed: int = 0) -> str:
    """The usual file about an image: a box, and one case for each other class."""
    draw = random.Random(seed)
    lines = [f"(declare-const X_{index} Real)" for index in range(pixels)]
    lines += [f"(declare-const Y_{index} Real)" for index in range(outputs)]
    for index in range(pixels):
        low = draw.randrange(10**16)
        lines.append(f"(assert (<= X_{index} 1.{low:016d}))")
        lines.append(f"(assert (>= X_{index} 0.{low:016d}))")
    lines += ["(assert (or", *(f"  (and (>= Y_{j} Y_0))" for j in range(1, outputs)), "))"]
    return "\n".join(lines) + "\n"


decimals = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(-(10**9), 10**9),
    st.integers(0, 12),
)


@st.composite
def properties(draw: st.DrawFn) -> Property:
    """Properties with finite decimals; no two rows of a case are equal."""
    inputs, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 4))

    def terms(count: int, least: int) -> st.SearchStrategy[tuple[tuple[int, Decimal], ...]]:
        chosen = st.sets(st.integers(0, count - 1), min_size=least)
        ones = st.sampled_from([Decimal(1), Decimal(-1)])
        values = (decimals | ones).filter(bool)
        return chosen.flatmap(
            lambda found: st.tuples(*(st.tuples(st.just(index), values) for index in sorted(found)))
        )

    row = st.builds(
        Constraint,
        terms(outputs, 1),
        st.just(()) | terms(inputs, 0),
        decimals | st.just(Decimal(0)),
        st.booleans(),
    )

    def box() -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
        pairs = [sorted((draw(decimals), draw(decimals))) for _ in range(inputs)]
        return tuple(low for low, _ in pairs), tuple(high for _, high in pairs)

    shared = box() if draw(st.booleans()) else None
    rows = st.lists(row, min_size=1, max_size=3, unique=True).map(tuple)
    count = draw(st.integers(1, 4))
    cases = tuple(Disjunct(*(shared or box()), draw(rows)) for _ in range(count))
    interface = Interface(
        "2.0", "f", Tensor("X", "real", (1, inputs)), Tensor("Y", "real", (outputs,))
    )
    return Property(inputs, outputs, cases, interface)
