"""The rows and columns of one encoded example, and the python-mip models made from them.

    minimise  margin
    where     margin = -(goal @ v + goal_bias)      (one row of the claim; the largest of several)
              matrix @ v <= rhs, or == where `equal`
              lower <= v <= upper, v integer where `integer`

The margin is one variable without a constant in the objective: CBC's cutoff ignores the
objective's constant, and a bound on a variable cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, NumericalDoubt

if TYPE_CHECKING:
    import mip
    import numpy as np
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class Encoding:
    """One example's network as columns and rows.

    Shapes: lower, upper, integer (columns,); matrix (rows, columns); rhs, equal (rows,);
    goal (spec, columns), goal_bias, goal_lower, goal_upper (spec,). The first `inputs` columns
    describe the network's input: they are its entries, flat, unless a set begins otherwise.
    `relaxed`: integers are dropped. `clauses`: where the claim is no conjunction, its clauses are
    what is decided, each over several goals.
    """

    inputs: int
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    matrix: csr_array
    rhs: np.ndarray
    equal: np.ndarray
    goal: csr_array
    goal_bias: np.ndarray
    goal_lower: np.ndarray
    goal_upper: np.ndarray
    relaxed: bool
    clauses: tuple[tuple[int, ...], ...] = ()

    def goals(self, row: int) -> list[int]:
        """The goals that a row of the claim is, or that make up a clause of it."""
        return list(self.clauses[row]) if self.clauses else [row]

    def with_margin(self, row: int, ceiling: float | None) -> Columns:
        """The columns and rows of one goal, with the margin as last column, at most `ceiling`.

            margin = max over the row's goals of -(goal @ v + goal_bias)

        One goal is an equation; of several the margin is at least each, and its minimum is exact.
        """
        import numpy as np
        from scipy.sparse import csr_array, vstack

        chosen, columns = self.goals(row), len(self.lower)
        goal = csr_array(self.goal[chosen])
        goal.resize(len(chosen), columns + 1)
        last = (range(len(chosen)), [columns] * len(chosen))
        unit = csr_array(([1.0] * len(chosen), last), shape=(len(chosen), columns + 1))
        matrix = self.matrix.copy()
        matrix.resize(matrix.shape[0], columns + 1)
        top = 1.0 - self.goal_lower[chosen].min() if ceiling is None else ceiling
        bottom = min(-self.goal_upper[chosen].min() - 1.0, top - 1.0)
        single = len(chosen) == 1
        sign = 1.0 if single else -1.0
        return Columns(
            np.append(self.lower, bottom),
            np.append(self.upper, top),
            np.append(self.integer & (not self.relaxed), False),
            csr_array(vstack([matrix, sign * (goal + unit)])),
            np.append(self.rhs, -sign * self.goal_bias[chosen]),
            np.append(self.equal, [single] * len(chosen)),
        )


@dataclass(frozen=True)
class Columns:
    """Columns and rows of one model; its last column is the margin, to be minimised."""

    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    matrix: csr_array
    rhs: np.ndarray
    equal: np.ndarray

    def model(self, solver: str) -> mip.Model:
        """A fresh python-mip model: one thread, silent, the solver named."""
        import mip

        model = mip.Model(sense=mip.MINIMIZE, solver_name=solver)
        model.verbose = 0
        model.threads = 1
        variables = [
            model.add_var(lb=lo, ub=up, var_type=mip.INTEGER if whole else mip.CONTINUOUS)
            for lo, up, whole in zip(
                self.lower.tolist(), self.upper.tolist(), self.integer.tolist(), strict=True
            )
        ]
        for columns, entries, rhs, equal in self._rows():
            chosen = [variables[column] for column in columns]
            model.add_constr(mip.LinExpr(chosen, entries, -rhs, "=" if equal else "<"))
        model.objective = mip.LinExpr([variables[-1]], [1.0], 0.0)
        return model

    def _rows(self) -> Any:
        """(column numbers, entries, rhs, equal) of each row, as Python numbers."""
        starts = self.matrix.indptr.tolist()
        columns, entries = self.matrix.indices.tolist(), self.matrix.data.tolist()
        sides = zip(self.rhs.tolist(), self.equal.tolist(), strict=True)
        for number, (rhs, equal) in enumerate(sides):
            span = slice(starts[number], starts[number + 1])
            yield columns[span], entries[span], rhs, equal


def write_lp(encoding: Encoding, row: int, path: str) -> None:
    """Writes the model that minimises the margin of one row, in CPLEX's LP format."""
    import mip

    encoding.with_margin(row, None).model(mip.CBC).write(path)


def refuse_doubt(lower: np.ndarray, upper: np.ndarray, what: str) -> None:
    """Raises NumericalDoubt where bounds are not finite or cross."""
    import numpy as np

    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        fix = "take a smaller input set, or look at the network's numbers: they overflow"
        raise NumericalDoubt(Diagnostic("E0751", f"the bounds of {what} are not finite", fix=fix))
    if (lower > upper).any():
        gap = float((lower - upper).max())
        fix = "where the input set is not empty, please report it with the network"
        problem = f"the bounds of {what} cross by {gap:.3g}"
        raise NumericalDoubt(Diagnostic("E0752", problem, fix=fix))
