"""The LP relaxation: binaries are continuous in [0, 1]; what is left when the MIP runs out of time.

The bound is not the solver's word. For any multipliers p (p <= 0 on inequality rows) weak duality
gives, with c the objective and B the box of the columns,

    min c v  >=  p rhs + min over v in B of (c - p A) v

and the right side is computed here in float64 with its rounding subtracted, from whatever
multipliers the solver ended with (Neumaier and Shcherbina 2004, "Safe bounds in linear and
mixed-integer linear programming", is the idea). So tolerances of the solver cost tightness only.

For ReLU the relaxation of the big-M rows is the triangle of Ehlers 2017, arXiv:1705.01320.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ibpc.milp.outcome import Outcome, RowOutcome
from ibpc.milp.solve import SOLVERS, TOLERANCE
from ibpc.milp.walk import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np

    from ibpc.graph import Graph
    from ibpc.milp.encoding import Columns, Encoding
    from ibpc.milp.walk import Start

UNIT_ROUNDOFF = 2.0**-53


def lp_bounds(
    graph: Graph,
    label: int,
    lower: np.ndarray,
    upper: np.ndarray,
    bounds: Mapping[str, tuple[np.ndarray, np.ndarray]] | None,
    open_rows: Iterable[int],
    timeout_s: float,
    solver: str = "cbc",
    clauses: tuple[tuple[int, ...], ...] = (),
    start: Start | None = None,
) -> Outcome:
    """Upper bounds of the claim's rows by linear programming; a row is proved or stays open.

    Arguments as in `prove_or_refute`. Raises UnsupportedOperator, NumericalDoubt.
    """
    started = time.monotonic()
    encoding = encode(graph, label, lower, upper, bounds, relaxed=True, start=start)
    encoding = replace(encoding, clauses=clauses)
    rows: list[RowOutcome] = []
    for row in open_rows:
        left = timeout_s - (time.monotonic() - started)
        if left <= 0:
            rows.append(RowOutcome(row, "open", float("inf"), why="time-out"))
            continue
        rows.append(bound_row(encoding, row, left, solver))
    seconds = time.monotonic() - started
    return Outcome(tuple(rows), "lp relaxation, dual bound", solver, TOLERANCE, seconds)


def bound_row(encoding: Encoding, row: int, limit_s: float, solver: str = "cbc") -> RowOutcome:
    """An upper bound on one row of the claim over the relaxation."""
    import mip
    import numpy as np

    started = time.monotonic()
    columns = encoding.with_margin(row, None)
    model = columns.model(SOLVERS[solver])
    try:
        status = model.optimize(
            max_seconds=limit_s, max_solutions=mip.INT_MAX, max_nodes=mip.INT_MAX
        )
    except KeyError:  # python-mip does not know every status of HiGHS
        status = mip.OptimizationStatus.OTHER
    bound, why = float("inf"), "time-out"
    if status == mip.OptimizationStatus.OPTIMAL:
        prices = np.array([constraint.pi for constraint in model.constrs], dtype=np.float64)
        bound, why = -dual_bound(columns, prices), "the relaxation is too loose"
    seconds = time.monotonic() - started
    # The margin left covers the rounding of the rows themselves (products of weights).
    if bound < -TOLERANCE:
        return RowOutcome(row, "proved", bound, seconds=seconds)
    return RowOutcome(row, "open", bound, why=why, seconds=seconds)


def dual_bound(columns: Columns, prices: np.ndarray) -> float:
    """A lower bound on the margin from any row prices, rounding included; -inf where undefined.

    Shapes: prices (rows,), <= 0 on inequality rows of a minimisation (others are set to 0).
    """
    import numpy as np

    if not np.isfinite(prices).all():
        return float("-inf")
    prices = np.where(columns.equal, prices, np.minimum(prices, 0.0))
    reduced = -(columns.matrix.T @ prices)
    reduced[-1] += 1.0
    value = prices @ columns.rhs + np.sum(
        np.where(reduced > 0, reduced * columns.lower, reduced * columns.upper)
    )
    # Each sum of n terms errs by at most n u / (1 - n u) times the sum of their sizes.
    size = np.maximum(abs(columns.lower), abs(columns.upper))
    mass = abs(prices) @ abs(columns.rhs) + (abs(columns.matrix).T @ abs(prices)) @ size + size[-1]
    terms = sum(columns.matrix.shape) + 4
    gamma = 2 * terms * UNIT_ROUNDOFF
    result = float(value - gamma * mass)
    return result if np.isfinite(result) else float("-inf")
