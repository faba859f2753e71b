"""The sign-stop form: for each open row, is there a point with violation > 0?

The margin (minus the violation) is minimised under `margin <= TAU`, and the search ends at the
first solution:

* infeasible: every point has margin >= TAU - TOLERANCE > 0, the row holds;
* a solution with margin <= 0: a candidate, to be confirmed by replay;
* a solution inside (0, TAU), or a candidate that does not replay: solved again to optimality.

The stop is the margin variable's upper bound and not a solver's `cutoff`: CBC's cutoff ignores the
objective's constant (a false proof), HiGHS' makes it return OPTIMAL with a wrong objective, and on
random nets the bound is as fast as CBC's cutoff. `max_solutions` and `max_seconds` are sticky
between calls, so each model is solved once and both are passed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ibpc.errors import Diagnostic, SolverFailure
from ibpc.milp.outcome import Outcome, RowOutcome
from ibpc.milp.walk import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import mip
    import numpy as np

    from ibpc.graph import Graph
    from ibpc.milp.encoding import Encoding
    from ibpc.milp.walk import Start

TOLERANCE = 1e-6
"""The feasibility and integrality tolerance of both solvers (python-mip's and HiGHS' default)."""

TAU = 1e-5
"""How far above zero the sign stop cuts; above TOLERANCE, so that infeasible proves a margin."""

SOLVERS: Mapping[str, str] = {"cbc": "CBC", "highs": "HiGHS"}
"""Our words for python-mip's solver names."""


@dataclass(frozen=True)
class Attempt:
    """One run of a solver: `status` is infeasible, solved (to optimality), found or stopped."""

    status: str
    margin: float = float("inf")
    bound: float = float("-inf")
    point: np.ndarray | None = None


def prove_or_refute(
    graph: Graph,
    label: int,
    lower: np.ndarray,
    upper: np.ndarray,
    bounds: Mapping[str, tuple[np.ndarray, np.ndarray]] | None,
    open_rows: Iterable[int],
    timeout_s: float,
    solver: str = "cbc",
    confirm: Callable[[np.ndarray], bool] | None = None,
    to_optimality: bool = False,
    clauses: tuple[tuple[int, ...], ...] = (),
    start: Start | None = None,
) -> Outcome:
    """Decides each open row of the claim over the box, until one is refuted or the time is up.

    With `clauses` the rows that are meant are those: a clause is refuted by a point at which each
    of its members is violated, so its violation is the smallest of theirs.

    `graph` is prepared and carries its claim (rows `violation = C z + d`); `bounds` are known
    bounds of its values; `confirm` replays a candidate (flat float64) and says whether it really
    violates the claim (without it the solver is believed). `to_optimality` looks for the maximum
    of every row instead of its sign; `start` as in `encode`.
    Units: `timeout_s` in seconds, for all rows together.
    Raises UnsupportedOperator, NumericalDoubt, SolverFailure.
    """
    started = time.monotonic()
    encoding = encode(graph, label, lower, upper, bounds, start=start)
    encoding = replace(encoding, clauses=clauses)
    rows: list[RowOutcome] = []
    for row in sorted(open_rows, key=lambda row: -encoding.goal_upper[encoding.goals(row)].min()):
        left = timeout_s - (time.monotonic() - started)
        if left <= 0:
            rows.append(RowOutcome(row, "open", float("inf"), why="time-out"))
            continue
        if to_optimality:
            rows.append(maximise_row(encoding, row, left, solver))
            continue
        rows.append(decide_row(encoding, row, left, solver, confirm))
        if rows[-1].status == "refuted":
            break
    seconds = time.monotonic() - started
    method = "mip, to optimality" if to_optimality else "mip, sign stop"
    return Outcome(tuple(rows), method, solver, TOLERANCE, seconds)


def decide_row(
    encoding: Encoding,
    row: int,
    limit_s: float,
    solver: str = "cbc",
    confirm: Callable[[np.ndarray], bool] | None = None,
) -> RowOutcome:
    """The sign of one row's maximum; see the module's text for the form."""
    started = time.monotonic()
    first = attempt(encoding, row, limit_s, solver, TAU, solutions=1)
    if first.status == "infeasible":
        return _row(row, "proved", started, bound=TOLERANCE - TAU)
    if first.status == "stopped":
        return _row(row, "open", started, why="time-out")
    if _refutes(first, confirm):
        return _row(row, "refuted", started, value=-first.margin, point=first.point)
    if first.status != "solved":
        left = limit_s - (time.monotonic() - started)
        return _settle(encoding, row, left, solver, confirm, started)
    return _read(first, row, confirm, started)


def maximise_row(encoding: Encoding, row: int, limit_s: float, solver: str = "cbc") -> RowOutcome:
    """The maximum of one row's violation, to the solver's tolerance."""
    started = time.monotonic()
    found = attempt(encoding, row, limit_s, solver, None, solutions=None)
    if found.status == "infeasible":
        problem = "the solver calls a network's encoding infeasible"
        fix = "try another solver (`solver = highs`); please report it with the network"
        raise SolverFailure(Diagnostic("E0755", f"{problem} ({solver}, row {row})", fix=fix))
    status = "open"
    if found.bound > TOLERANCE:
        status = "proved"
    elif found.margin < -TOLERANCE:
        status = "refuted"
    why = "the maximum is within rounding of zero" if status == "open" else ""
    why = why if found.status == "solved" else "time-out"
    return RowOutcome(
        row,
        status,  # type: ignore[arg-type]
        -found.bound,
        -found.margin,
        found.point,
        why,
        time.monotonic() - started,
    )


def attempt(
    encoding: Encoding,
    row: int,
    limit_s: float,
    solver: str,
    ceiling: float | None,
    solutions: int | None,
) -> Attempt:
    """One solve of one fresh model; `ceiling` bounds the margin, `solutions` ends the search."""
    import mip

    if solver not in SOLVERS:
        problem = f"unknown solver `{solver}`"
        raise SolverFailure(Diagnostic("E0756", problem, fix=f"one of {', '.join(SOLVERS)}"))
    if limit_s <= 0:
        return Attempt("stopped")
    started = time.monotonic()
    columns = encoding.with_margin(row, ceiling)
    model = columns.model(SOLVERS[solver])
    model.max_mip_gap, model.max_mip_gap_abs = 0.0, TOLERANCE / 10
    left = limit_s - (time.monotonic() - started)
    if left <= 0:
        return Attempt("stopped")
    try:
        status = model.optimize(
            max_seconds=left,
            max_solutions=mip.INT_MAX if solutions is None else solutions,
            max_nodes=mip.INT_MAX,
        )
    except KeyError:  # python-mip does not know every status of HiGHS
        return Attempt("stopped")
    # A proof of infeasibility is not believed from a solver that ran out of time.
    late = time.monotonic() - started >= limit_s
    return _outcome(model, status, encoding, late)


def _outcome(
    model: mip.Model, status: mip.OptimizationStatus, encoding: Encoding, late: bool
) -> Attempt:
    import mip
    import numpy as np

    known = mip.OptimizationStatus
    if status in (known.INFEASIBLE, known.INT_INFEASIBLE):
        return Attempt("stopped" if late else "infeasible")
    if status not in (known.OPTIMAL, known.FEASIBLE) or not model.num_solutions:
        return Attempt("stopped")
    columns = model.vars
    margin = columns[-1].x
    point = np.array([columns[number].x for number in range(encoding.inputs)])
    point = np.clip(point, encoding.lower[: encoding.inputs], encoding.upper[: encoding.inputs])
    solved = status == known.OPTIMAL
    bound = _bound(model, encoding) if solved else float("-inf")
    if not (np.isfinite(margin) and np.isfinite(point).all()):
        return Attempt("stopped")
    return Attempt("solved" if solved else "found", float(margin), bound, point)


def _bound(model: mip.Model, encoding: Encoding) -> float:
    """The proven lower bound on the margin of a model solved to optimality."""
    # HiGHS reports a bound of 0 for a model without integers: its optimum is the bound.
    discrete = bool(encoding.integer.any()) and not encoding.relaxed
    return float(model.objective_bound if discrete else model.objective_value)


def _settle(
    encoding: Encoding,
    row: int,
    limit_s: float,
    solver: str,
    confirm: Callable[[np.ndarray], bool] | None,
    started: float,
) -> RowOutcome:
    """Solves again to optimality, below the same ceiling."""
    again = attempt(encoding, row, limit_s, solver, TAU, solutions=None)
    if again.status == "infeasible":
        why = "the solver found a point and then called the model infeasible"
        return _row(row, "open", started, why=why)
    if again.status == "stopped":
        return _row(row, "open", started, why="time-out")
    return _read(again, row, confirm, started)


def _read(
    found: Attempt, row: int, confirm: Callable[[np.ndarray], bool] | None, started: float
) -> RowOutcome:
    """The verdict of a search that was not cut short by its first solution."""
    if found.status == "solved" and found.bound > TOLERANCE:
        return _row(row, "proved", started, bound=-found.bound, value=-found.margin)
    if _refutes(found, confirm):
        return _row(row, "refuted", started, value=-found.margin, point=found.point)
    why = "time-out" if found.status != "solved" else "the maximum is within rounding of zero"
    return _row(row, "open", started, bound=-found.bound, value=-found.margin, why=why)


def _refutes(found: Attempt, confirm: Callable[[np.ndarray], bool] | None) -> bool:
    if found.point is None or found.margin > TOLERANCE:
        return False
    return found.margin < -TOLERANCE if confirm is None else confirm(found.point)


def _row(
    row: int,
    status: str,
    started: float,
    bound: float = float("inf"),
    value: float = float("-inf"),
    point: np.ndarray | None = None,
    why: str = "",
) -> RowOutcome:
    seconds = time.monotonic() - started
    return RowOutcome(row, status, bound, value, point, why, seconds)  # type: ignore[arg-type]
