"""The violations of a claim's clauses at points, as one torch module around those of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np


class ClauseRows(torch.nn.Module):
    """`min over the rows of a clause of (C f(x) + d)`, for every clause of the label.

    Shapes: (x (batch, *dims), label (batch,)) -> (batch, clauses); `members` as from
    `ibpc.claims.clause_table`.
    """

    members: torch.Tensor

    def __init__(self, rows: torch.nn.Module, members: np.ndarray) -> None:
        super().__init__()
        self.rows = rows
        self.register_buffer("members", torch.from_numpy(members))

    def forward(self, x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """The clauses' violations; the gradient is that of the smallest row."""
        values: torch.Tensor = self.rows(x, label)
        index = self.members[label if len(self.members) > 1 else torch.zeros_like(label)]
        picked = values.gather(1, index.flatten(1)).view(index.shape)
        return picked.amin(2)
