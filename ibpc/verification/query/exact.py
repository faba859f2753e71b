"""MILP beside branch and bound: in a process of its own, over the cases that are still open.

Where few units are undecided, one mixed-integer program is often decided sooner than a tree of
bounds is grown. Cases of one row only; see `ibpc.milp.prove_or_refute` for the form.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ibpc.graph import Graph, Node
from ibpc.verification.query.judging import Found, Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ibpc.milp import Reply
    from ibpc.verification.query.cases import Cases
    from ibpc.verification.query.clock import Clock

MOST_UNDECIDED = 400
"""With more undecided units than this the solver is not asked."""

MEMORY_MB = 4096


@dataclass(frozen=True)
class Query:
    """One case of one row for the solver: flat box, bounds of values, and the row."""

    group: int
    number: int
    form: int
    bound: float
    known: Mapping[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Kit:
    """What the solver's process holds."""

    graph: Graph
    data: bytes
    origin: str
    cases: Cases


class Race:
    """Solves cases one after another in another process, while somebody else does other things."""

    def __init__(
        self, kit: Kit, queries: Sequence[Query], clock: Clock, log: Callable[[str], None]
    ) -> None:
        self.proved: set[tuple[int, int]] = set()
        self.skipped: set[tuple[int, int]] = set()
        self.found: Found | None = None
        self._kit, self._queries, self._clock, self._log = kit, queries, clock, log
        self._thread = threading.Thread(target=self._run, daemon=True)
        if queries:
            self._thread.start()

    @property
    def running(self) -> bool:
        """Whether answers may still come."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Until it ends, or the time is up."""
        if self.running:
            self._thread.join(max(0.0, self._clock.left))

    def _run(self) -> None:
        from ibpc.milp import WorkerPool

        target = f"{__name__}:handler"
        with WorkerPool(target, self._kit, 1, MEMORY_MB, grace_s=1.0) as pool:
            for reply in pool.run(self._jobs()):
                self._take(reply)
                if self.found is not None:
                    return

    def _jobs(self) -> Any:
        from ibpc.milp import Job

        for query in self._queries:
            key = (query.group, query.number)
            if self._clock.left > 0 and key not in self.skipped:
                limit = self._clock.left
                yield Job(key, (query, limit), limit)

    def _take(self, reply: Reply) -> None:
        if reply.kind != "done":
            self._log(f"mip, case {reply.key[0]}.{reply.key[1]}: {reply.kind} {reply.why}")
            return
        status, seconds, found = reply.value
        self._log(f"mip, case {reply.key[0]}.{reply.key[1]}: {status} in {seconds:.2f} s")
        if status == "proved":
            self.proved.add(reply.key)
        self.found = found


def handler(kit: Kit) -> Callable[[tuple[Query, float]], tuple[str, float, Found | None]]:
    """In the solver's process: from a query and its limit to (status, seconds, witness)."""
    from ibpc.milp import prove_or_refute

    judge = Judge(kit.data, kit.origin, kit.cases)

    def solve(asked: tuple[Query, float]) -> tuple[str, float, Found | None]:
        query, limit = asked
        found: list[Found] = []

        def confirm(point: np.ndarray) -> bool:
            witness = judge.first(point[None], np.array([query.group]), "mip")
            if witness is not None:
                found.append(witness)
            return witness is not None

        outcome = prove_or_refute(
            with_row(kit.graph, query.form, query.bound, kit.cases),
            0,
            kit.cases.outer_lower[query.group],
            kit.cases.outer_upper[query.group],
            query.known,
            [0],
            limit,
            confirm=confirm,
        )
        return outcome.status, outcome.seconds, found[0] if found else None

    return solve


def with_row(graph: Graph, form: int, bound: float, cases: Cases) -> Graph:
    """The graph that gives g[form] + bound alone."""
    forms = cases.forms.outputs.shape[0]
    constants = {
        **graph.constants,
        "property.pick": np.eye(forms)[[form]],
        "property.bound": np.array([bound]),
    }
    operands = (graph.outputs[0], "property.pick", "property.bound")
    node = Node("property.row", "Gemm", operands, ("property.row",), {"transB": 1})
    nodes = (*graph.nodes, node)
    return graph.replace(nodes=nodes, constants=constants, outputs=("property.row",))


def undecided(known: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> int:
    """How many units have bounds on both sides of 0."""
    return sum(int(((lower < 0) & (upper > 0)).sum()) for lower, upper in known.values())
