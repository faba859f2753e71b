"""What all stages of one task look at: network, claim, examples, and what is computed from them.

Programs and weights are made when a stage first asks for them, and kept for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ibpc.verification.replay import Replayer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch
    from torch.fx import GraphModule

    from ibpc.data import Examples
    from ibpc.graph import Graph
    from ibpc.language import Claim, InputSet, TensorType
    from ibpc.sets import Ground
    from ibpc.verification.verdict import Answer


@dataclass(frozen=True)
class Case:
    """One open example: its index, its label, and the rows that exact stages proved before."""

    index: int
    label: int
    proved: tuple[int, ...] = ()


Answered: TypeAlias = "list[tuple[Case, Answer]]"
"""What a stage came to know at once."""


@dataclass(frozen=True)
class Subject:
    """The network's bytes, the claim over the input's type, and the examples (None: no data).

    `device` is a torch device; `jobs` counts worker processes; `cluster` is the address of the Dask
    scheduler whose workers solve instead of these, if any.
    """

    data: bytes
    origin: str
    claim: Claim
    kind: TensorType
    examples: Examples | None
    jobs: int
    device: str
    cluster: str | None = None

    def __len__(self) -> int:
        """How many examples there are; a claim without data is asked once."""
        return 1 if self.examples is None else len(self.examples)

    def label(self, index: int) -> int:
        """The label of one example."""
        return 0 if self.examples is None else int(self.examples.labels[index])

    def pixels(self, indices: list[int]) -> np.ndarray:
        """The examples as float32, shape (batch, *dims)."""
        import numpy as np

        if self.examples is None:
            return np.zeros((len(indices), *self.kind.shape), dtype=np.float32)
        return self.examples.pixels(np.asarray(indices))

    def digest(self, index: int) -> str:
        """The content hash of one example."""
        return "no data" if self.examples is None else self.examples.digest(index)

    @cached_property
    def parts(self) -> tuple[InputSet, ...]:
        """The sets that the claim's set is the union of; mostly one."""
        from ibpc.sets import members

        return members(self.claim.set)

    def ground(self, indices: list[int], member: InputSet) -> Ground:
        """One member around each example; raises NumericalDoubt."""
        from ibpc.sets import ground

        return ground(member, self.kind, self.pixels(indices))

    def outer(self, indices: list[int], member: InputSet) -> tuple[np.ndarray, np.ndarray]:
        """Float64 boxes that enclose a member, in the network's input shape."""
        found = self.ground(indices, member)
        return self.shaped(found.lower), self.shaped(found.upper)

    @cached_property
    def network(self) -> Graph:
        """The network as read and prepared for evaluation."""
        from ibpc.graph import read_onnx
        from ibpc.passes import prepare

        return prepare(read_onnx(self.data, self.origin), "evaluation")

    @cached_property
    def graph(self) -> Graph:
        """The network with its claim, fused where the last layer allows it (Eq. 9)."""
        from ibpc.claims import append_claim
        from ibpc.passes import elide

        return elide(append_claim(self.network, self.claim))

    @cached_property
    def input_shape(self) -> tuple[int, ...]:
        """The network's input, batch axis first with extent 1."""
        return next(iter(self.network.inputs.values()))

    @cached_property
    def replayer(self) -> Replayer:
        """Replays points on the network's bytes."""
        return Replayer(self.data, self.claim, self.input_shape)

    @cached_property
    def violation_program(self) -> GraphModule:
        """Upper bounds of the claim's rows over a box, in float64 with rounding covered."""
        import torch

        from ibpc.bounds import lower_violation, roundoff_of

        return lower_violation(self.graph, self._weights64, roundoff_of(torch.float64))

    @cached_property
    def rows_program(self) -> torch.nn.Module:
        """The claim's rows at points, in float32 on the device; the violations of its clauses."""
        import torch

        from ibpc.bounds import Weights, lower_rows

        weights = Weights(self.graph, torch.float32).to(self.device)
        rows = lower_rows(self.graph, weights)
        if self.members is None:
            return rows
        from ibpc.verification.clauses import ClauseRows

        return ClauseRows(rows, self.members).to(self.device)

    @cached_property
    def values_program(self) -> tuple[GraphModule, tuple[str, ...]]:
        """Bounds of every value over a box, in float64 with rounding covered."""
        import torch

        from ibpc.bounds import lower_values, roundoff_of

        return lower_values(self.graph, self._weights64, roundoff_of(torch.float64))

    def row_bounds(self, cases: list[Case]) -> np.ndarray:
        """Interval bounds of the claim's rows over each example's set; (batch, rows), float64.

        Of its clauses where it is no conjunction; over a union the greatest of its members'. Not
        finite where the bounds say nothing.
        """
        return self.over_members(cases, self.member_bounds)

    def over_members(
        self, cases: list[Case], rule: Callable[[list[Case], InputSet], np.ndarray]
    ) -> np.ndarray:
        """The greatest bound over the members of each row; NaN where one of them is NaN."""
        import numpy as np

        found = rule(cases, self.parts[0])
        for member in self.parts[1:]:
            found = np.maximum(found, rule(cases, member))
        return found

    def member_bounds(self, cases: list[Case], member: InputSet) -> np.ndarray:
        """Interval bounds of the claim's rows over one member; (batch, rows), float64."""
        import torch

        lower, upper = self.outer([case.index for case in cases], member)
        label = torch.tensor([case.label for case in cases])
        with torch.no_grad():
            found = self.violation_program(torch.tensor(lower), torch.tensor(upper), label)
        return self.of_clauses(self._finite(found, lower, upper), cases)

    @cached_property
    def members(self) -> np.ndarray | None:
        """The rows of each clause (labels, clauses, members); None for a conjunction."""
        from ibpc.claims import clause_table

        return clause_table(self.claim)

    def of_clauses(self, bounds: np.ndarray, cases: list[Case]) -> np.ndarray:
        """Upper bounds of clauses from those of their rows: a clause's violation is their minimum.

            sup min_j v_j <= min_j sup v_j

        A row in doubt (NaN) shows nothing; the others of its clause still do.
        Shapes: bounds (batch, rows) -> (batch, clauses).
        """
        import numpy as np

        if self.members is None:
            return bounds
        labels = [case.label if len(self.members) > 1 else 0 for case in cases]
        picked = bounds[np.arange(len(cases))[:, None, None], self.members[labels]]
        return np.asarray(np.fmin.reduce(picked, axis=2))

    def value_bounds(self, lower: np.ndarray, upper: np.ndarray) -> dict[str, Any]:
        """Interval bounds of every value over one box, flat float64; raises NumericalDoubt."""
        import torch

        from ibpc.bounds import run_checked

        program, names = self.values_program
        box = (torch.tensor(lower), torch.tensor(upper))
        flat = [bound.numpy().reshape(-1) for bound in run_checked(program, *box)]
        return dict(zip(names, zip(flat[::2], flat[1::2], strict=True), strict=True))

    def rows_that_hold(self, bounds: np.ndarray) -> np.ndarray:
        """Which upper bounds show their row: <= 0, or < 0 for strict claims; NaN shows nothing."""
        import numpy as np

        shown = bounds < 0 if self.claim.strict else bounds <= 0
        return np.asarray(shown & np.isfinite(bounds))

    @cached_property
    def _weights64(self) -> Any:
        import torch

        from ibpc.bounds import Weights

        return Weights(self.graph, torch.float64)

    def _finite(self, found: torch.Tensor, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """The bounds, with NaN for examples whose box or bounds are in doubt."""
        import numpy as np

        bounds = np.array(found.numpy())
        axes = tuple(range(1, lower.ndim))
        sound = (np.isfinite(lower) & np.isfinite(upper) & (lower <= upper)).all(axis=axes)
        bounds[~sound] = np.nan
        return bounds

    def shaped(self, box: np.ndarray) -> np.ndarray:
        """A batch of inputs in the network's input shape."""
        return box.reshape(box.shape[0], *self.input_shape[1:])
