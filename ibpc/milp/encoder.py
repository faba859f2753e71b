"""Collects the variables and rows that operators' MILP facets ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.domains import LinearForm
from ibpc.milp.encoding import Encoding, refuse_doubt

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array

NEGLIGIBLE = 1e-9
"""HiGHS drops matrix entries up to this size (its `small_matrix_value`). We take such terms out
ourselves and widen the row by their range, so that both solvers see one sound model."""


class ArrayEncoder:
    """The `Encoder` of `ibpc.domains` over numpy arrays; python-mip models are made at the end."""

    def __init__(self, relaxed: bool) -> None:
        self.relaxed = relaxed
        self._lower: list[np.ndarray] = []
        self._upper: list[np.ndarray] = []
        self._integer: list[np.ndarray] = []
        self._rows: list[csr_array] = []
        self._rhs: list[np.ndarray] = []
        self._equal: list[np.ndarray] = []
        self._columns = 0

    def continuous(self, lower: np.ndarray, upper: np.ndarray) -> LinearForm:
        """New variables within bounds, as a form of shape (n,)."""
        return self._grow(lower, upper, whole=False)

    @property
    def columns(self) -> int:
        """How many variables there are so far."""
        return self._columns

    def binary(self, count: int) -> LinearForm:
        """New 0/1 variables (continuous in [0, 1] where relaxed), as a form of shape (count,)."""
        import numpy as np

        return self._grow(np.zeros(count), np.ones(count), whole=True)

    def require(self, form: LinearForm, sense: str) -> None:
        """One row per unit: `form <= 0` (sense "<"), or `form == 0` (sense "=")."""
        import numpy as np
        from scipy.sparse import csr_array

        assert sense in ("<", "="), sense
        matrix = csr_array(form.matrix)
        matrix.sum_duplicates()
        matrix, low, high = self._without_negligible(matrix)
        equal = (low == high) if sense == "=" else np.zeros(len(low), dtype=bool)
        self._add(matrix, -form.bias - low, equal)
        split = np.flatnonzero(~equal) if sense == "=" else np.zeros(0, dtype=np.int64)
        self._add(-matrix[split], (form.bias + high)[split], np.zeros(len(split), dtype=bool))

    def finish(self, inputs: int, goal: LinearForm) -> Encoding:
        """All columns and rows, with the claim's rows as goals."""
        import numpy as np
        from scipy.sparse import csr_array, vstack

        refuse_doubt(goal.lower, goal.upper, "the claim's rows")
        rows = [self._widened(matrix) for matrix in self._rows]
        rows.append(csr_array((0, self._columns)))
        matrix = csr_array(vstack(rows))
        kept = np.diff(matrix.indptr) > 0
        rhs = np.concatenate([*self._rhs, np.zeros(0)])
        equal = np.concatenate([*self._equal, np.zeros(0, dtype=bool)])
        goal_matrix = self._widened(goal.matrix)
        goal_matrix.sum_duplicates()
        goal_matrix, _, high = self._without_negligible(goal_matrix)
        return Encoding(
            inputs,
            np.concatenate(self._lower),
            np.concatenate(self._upper),
            np.concatenate(self._integer),
            matrix[kept],
            rhs[kept],
            equal[kept],
            goal_matrix,
            goal.bias + high,
            goal.lower,
            goal.upper,
            self.relaxed,
        )

    def _grow(self, lower: np.ndarray, upper: np.ndarray, whole: bool) -> LinearForm:
        import numpy as np
        from scipy.sparse import csr_array

        lower = np.asarray(lower, dtype=np.float64).reshape(-1)
        upper = np.asarray(upper, dtype=np.float64).reshape(-1)
        refuse_doubt(lower, upper, "a variable")
        count, start = len(lower), self._columns
        self._columns += count
        self._lower.append(lower)
        self._upper.append(upper)
        self._integer.append(np.full(count, whole))
        places = (np.arange(count), start + np.arange(count))
        matrix = csr_array((np.ones(count), places), shape=(count, self._columns))
        return LinearForm(self, (count,), matrix, np.zeros(count), lower, upper)

    def _add(self, matrix: csr_array, rhs: np.ndarray, equal: np.ndarray) -> None:
        self._rows.append(matrix)
        self._rhs.append(rhs)
        self._equal.append(equal)

    def _widened(self, matrix: csr_array) -> csr_array:
        """The matrix with a column for every variable."""
        matrix = matrix.copy()
        matrix.resize(matrix.shape[0], self._columns)
        return matrix

    def _without_negligible(self, matrix: csr_array) -> tuple[csr_array, np.ndarray, np.ndarray]:
        """The matrix without its tiny entries, and the range [low, high] of what they summed to."""
        import numpy as np

        small = abs(matrix.data) <= NEGLIGIBLE
        tiny, kept = matrix.copy(), matrix.copy()
        tiny.data[~small] = 0.0
        kept.data[small] = 0.0
        kept.eliminate_zeros()
        tiny.eliminate_zeros()
        if not tiny.nnz:
            zero = np.zeros(matrix.shape[0])
            return kept, zero, zero
        lower = np.concatenate(self._lower)[: matrix.shape[1]]
        upper = np.concatenate(self._upper)[: matrix.shape[1]]
        above, below = tiny.maximum(0.0), tiny.minimum(0.0)
        return kept, above @ lower + below @ upper, above @ upper + below @ lower
