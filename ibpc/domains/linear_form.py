"""Values as affine functions of a model's variables: what MILP facets compute with.

A `LinearForm` says value = matrix @ v + bias, where v are the variables that the encoder has made
so far. Affine operators only multiply the matrix; a nonlinear one asks the encoder for new
variables and rows. Stable ReLUs therefore cost nothing or one row, and no variable stands for a
pre-activation (Tjeng et al. 2019, arXiv:1711.07356, section 4: formulation and presolve).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array

Shape = tuple[int, ...]


class Encoder(Protocol):
    """Makes variables and rows; `ibpc.milp` implements it over python-mip.

    `relaxed`: binaries are continuous in [0, 1] (the LP relaxation).
    """

    relaxed: bool

    def continuous(self, lower: np.ndarray, upper: np.ndarray) -> LinearForm:
        """New variables within bounds, as a form of shape (n,)."""

    def binary(self, count: int) -> LinearForm:
        """New 0/1 variables, as a form of shape (count,)."""

    def require(self, form: LinearForm, sense: str) -> None:
        """One row per unit: `form <= 0` (sense "<"), or `form == 0` (sense "=")."""


@dataclass(frozen=True)
class LinearForm:
    """value = matrix @ v + bias, within [lower, upper].

    Shapes: matrix (units, variables), bias, lower, upper (units,); `shape` is the value's shape,
    batch axis (extent 1) first; row-major. A matrix with fewer columns than there are variables
    is zero in the missing ones.
    """

    encoder: Encoder
    shape: Shape
    matrix: csr_array
    bias: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def affine(self, weight: csr_array, bias: Any, shape: Shape) -> LinearForm:
        """The image under u -> weight @ u + bias; weight is sparse (units', units)."""
        import numpy as np
        from scipy.sparse import csr_array

        weight = csr_array(weight)
        bias = np.broadcast_to(np.asarray(bias, dtype=np.float64), (weight.shape[0],))
        center, radius = (self.upper + self.lower) / 2, (self.upper - self.lower) / 2
        middle, reach = weight @ center + bias, abs(weight) @ radius
        # Rounding of sums in float64: gamma_n of `ibpc.domains.interval`, doubled.
        terms = int(np.diff(weight.indptr).max(initial=0)) + 8
        slack = terms * 2.0**-52 * (abs(weight) @ (abs(center) + radius) + abs(bias))
        return LinearForm(
            self.encoder,
            shape,
            csr_array(weight @ self.matrix),
            weight @ self.bias + bias,
            middle - reach - slack,
            middle + reach + slack,
        )

    def scaled(self, factors: Any, offset: Any = 0.0) -> LinearForm:
        """Factors * form + offset, unit by unit."""
        import numpy as np
        from scipy.sparse import diags_array

        spread = np.broadcast_to(np.asarray(factors, dtype=np.float64), self.bias.shape)
        return self.affine(diags_array(spread, format="csr"), offset, self.shape)

    def minus(self, other: LinearForm) -> LinearForm:
        """The difference of two forms of one shape."""
        return self.plus(other.scaled(-1.0))

    def take(self, indices: Any, shape: Shape) -> LinearForm:
        """Units re-arranged or selected: `indices` are flat positions, row-major."""
        import numpy as np

        chosen = np.asarray(indices, dtype=np.int64).reshape(-1)
        return LinearForm(
            self.encoder,
            shape,
            self.matrix[chosen],
            self.bias[chosen],
            self.lower[chosen],
            self.upper[chosen],
        )

    def scatter(self, indices: Any, units: int, shape: Shape) -> LinearForm:
        """A form of `units` units that are zero but for ours, which stand at flat `indices`."""
        import numpy as np
        from scipy.sparse import csr_array

        chosen = np.asarray(indices, dtype=np.int64).reshape(-1)
        ones = np.ones(len(chosen))
        place = csr_array((ones, (chosen, np.arange(len(chosen)))), shape=(units, len(chosen)))
        return self.affine(place, np.zeros(units), shape)

    def plus(self, other: LinearForm) -> LinearForm:
        """The sum of two forms of one shape."""
        import numpy as np
        from scipy.sparse import csr_array

        width = max(self.matrix.shape[1], other.matrix.shape[1])
        left, right = self.matrix.copy(), other.matrix.copy()
        left.resize(left.shape[0], width)
        right.resize(right.shape[0], width)
        return LinearForm(
            self.encoder,
            self.shape,
            csr_array(left + right),
            self.bias + other.bias,
            np.nextafter(self.lower + other.lower, -np.inf),
            np.nextafter(self.upper + other.upper, np.inf),
        )

    def within(self, lower: Any, upper: Any) -> LinearForm:
        """The same form with bounds cut by others that are known to hold."""
        import numpy as np

        return LinearForm(
            self.encoder,
            self.shape,
            self.matrix,
            self.bias,
            np.maximum(self.lower, np.asarray(lower, dtype=np.float64).reshape(-1)),
            np.minimum(self.upper, np.asarray(upper, dtype=np.float64).reshape(-1)),
        )
