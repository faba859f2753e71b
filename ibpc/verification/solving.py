"""What the stages share that solve rows of single examples in worker processes.

The driver computes boxes and interval bounds in torch; a worker gets arrays only, and loads
neither torch nor onnx (onnxruntime, when there is a candidate to replay).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, IbpcError, NumericalDoubt, UnsupportedOperator
from ibpc.language import Slot
from ibpc.verification.verdict import Answer, Evidence, Holds, Unknown, Violated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np

    from ibpc.graph import Graph
    from ibpc.language import Claim, InputSet
    from ibpc.milp import Job, Pool, Reply
    from ibpc.sets import Ground
    from ibpc.verification.replay import Replayer
    from ibpc.verification.subject import Answered, Case, Subject
    from ibpc.verification.verdict import Witness

TIMEOUT = Slot("timeout", "time", default=600.0, low=0, doc="time for one example")

MEMORY_MB = 4096
"""What one worker may hold in memory."""

ENCODING_S = 60.0
"""Time beyond the solver's own for encoding and building models, before a worker is killed."""


@dataclass(frozen=True)
class Task:
    """One member of one example's set for a worker: the set, bounds, rows, time left.

    With `clauses`, `open_rows` and `proved` number those.
    """

    label: int
    ground: Ground
    bounds: Mapping[str, tuple[np.ndarray, np.ndarray]]
    open_rows: tuple[int, ...]
    proved: tuple[int, ...]
    timeout_s: float
    clauses: tuple[tuple[int, ...], ...] = ()

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """The flat box around the set."""
        return self.ground.lower.reshape(-1), self.ground.upper.reshape(-1)

    @property
    def exact(self) -> bool:
        """Whether the set is encoded exactly."""
        from ibpc.sets import exact

        return exact(self.ground.given).milp

    def start(self, encoder: Any) -> Any:
        """The variables and rows of the set."""
        from ibpc.sets import encoded

        return encoded(self.ground, encoder)


@dataclass(frozen=True)
class Tools:
    """What a worker holds for all its examples; `packed` is the graph as plain tuples and dicts.

    `target` is the stage's own function, as "module:function".
    """

    packed: tuple[Any, ...]
    claim: Claim
    data: bytes
    input_shape: tuple[int, ...]
    arguments: Mapping[str, Any]
    target: str

    @cached_property
    def graph(self) -> Graph:
        """The network with its claim."""
        return unpack(self.packed)

    @cached_property
    def replayer(self) -> Replayer:
        """Replays candidates on the network's bytes."""
        from ibpc.verification.replay import Replayer

        return Replayer(self.data, self.claim, self.input_shape)

    def replay(self, columns: np.ndarray, task: Task, by: str) -> Witness | None:
        """The witness that the values of a set's variables round to, if it is one."""
        from ibpc.sets import settle_columns

        return self.replayer.judge(settle_columns(task.ground, columns), task.label, by)


def handler(tools: Tools) -> Callable[[Sequence[Task]], Answer]:
    """In a worker: the stage's own function on each member, with doubt turned into Unknown."""
    module, function = tools.target.split(":")
    solve = getattr(import_module(module), function)(tools)

    def answer(tasks: Sequence[Task]) -> Answer:
        started = time.monotonic()
        found: list[Answer] = []
        for task in tasks:
            left = task.timeout_s - (time.monotonic() - started)
            try:
                found.append(solve(replace(task, timeout_s=left)))
            except NumericalDoubt as doubt:
                found.append(Answer(Unknown(_reason(doubt)), task.proved))
            if isinstance(found[-1].verdict, Violated):
                break
        return together(found)

    return answer


def together(found: Sequence[Answer]) -> Answer:
    """What the answers for the members of a union say of it.

    Violated where a member is, Unknown where one is, else Holds; a row is proved where it is on
    every member.
    """
    ranks = {"violated": 0, "unknown": 1, "holds": 2}
    worst = min(found, key=lambda answer: ranks[answer.verdict.kind])
    proved = set(found[0].proved).intersection(*(answer.proved for answer in found))
    if worst.verdict.kind == "violated":
        proved = set(worst.proved)
    seconds = sum(answer.seconds for answer in found)
    return Answer(worst.verdict, tuple(sorted(proved)), seconds)


def rows_solved(
    subject: Subject, target: str, arguments: Mapping[str, Any], cases: Sequence[Case]
) -> Iterator[Answered]:
    """Answers from workers for each case; rows that interval bounds show are not solved.

    `target` is "module:function": `function(Tools)` gives the function from `Task` to `Answer`.
    Raises UnsupportedOperator, before anything runs, where an operator has no MILP facet.
    """
    refuse_missing(subject.graph)
    by_index = {case.index: case for case in cases}
    tools = Tools(
        pack(subject.graph),
        subject.claim,
        subject.data,
        subject.input_shape,
        dict(arguments),
        target,
    )
    early: Answered = []
    with _pool(subject, tools, len(cases)) as pool:
        limit = float(arguments["timeout"])
        for reply in pool.run(_jobs(subject, cases, limit, early)):
            case = by_index[reply.key]
            found, early[:] = [*early, (case, _read(reply, case))], []
            yield found
    yield early


def _pool(subject: Subject, tools: Tools, most: int) -> Pool:
    """Who solves: at most `most` processes here, or the cluster that was asked for."""
    from ibpc.milp import ClusterPool, WorkerPool

    if subject.cluster is not None:
        return ClusterPool(f"{__name__}:handler", tools, subject.cluster)
    workers = min(subject.jobs, most) or 1
    return WorkerPool(f"{__name__}:handler", tools, workers, MEMORY_MB)


def pack(graph: Graph) -> tuple[Any, ...]:
    """The graph as what a pipe can carry: its read-only mappings cannot be pickled."""
    nodes = tuple(
        (node.name, node.op, node.inputs, node.outputs, dict(node.attributes))
        for node in graph.nodes
    )
    return graph.name, dict(graph.inputs), graph.outputs, nodes, dict(graph.constants)


def unpack(packed: tuple[Any, ...]) -> Graph:
    """The graph again."""
    from ibpc.graph import Graph, Node

    name, inputs, outputs, nodes, constants = packed
    return Graph(name, inputs, outputs, tuple(Node(*fields) for fields in nodes), constants)


def refuse_missing(graph: Graph) -> None:
    """Raises UnsupportedOperator with the reason of the first operator without a MILP facet."""
    from ibpc.ops import Missing, operator

    for node in graph.nodes:
        facet = operator(node.op).milp
        if isinstance(facet, Missing):
            problem = f"{node.op} (node {node.name}) has no MILP encoding"
            raise UnsupportedOperator(Diagnostic("E0754", problem, fix=facet.why))


def _jobs(
    subject: Subject,
    cases: Sequence[Case],
    limit_s: float,
    early: Answered,
) -> Iterator[Job]:
    """Jobs for cases with open rows; what needs no solver is put into `early`."""
    from ibpc.milp import Job

    for case in cases:
        try:
            tasks = [_task(subject, case, member, limit_s) for member in subject.parts]
        except NumericalDoubt as doubt:
            early.append((case, Answer(Unknown(_reason(doubt)), case.proved)))
            continue
        open_ = tuple(task for task in tasks if task.open_rows)
        if open_:
            yield Job(case.index, open_, limit_s + ENCODING_S)
            continue
        proved = set(tasks[0].proved).intersection(*(task.proved for task in tasks))
        evidence = Evidence("interval bounds, float64, rounding covered", {"rows": "all"})
        early.append((case, Answer(Holds(evidence), tuple(sorted(proved)))))


def _task(subject: Subject, case: Case, member: InputSet, timeout_s: float) -> Task:
    import numpy as np

    ground = subject.ground([case.index], member)
    held = subject.rows_that_hold(subject.member_bounds([case], member)[0])
    proved = tuple(sorted({*case.proved, *np.flatnonzero(held).tolist()}))
    open_rows = tuple(row for row in range(len(held)) if row not in proved)
    bounds: dict[str, Any] = {}
    if open_rows:
        bounds = subject.value_bounds(subject.shaped(ground.lower), subject.shaped(ground.upper))
    clauses = subject.claim.clauses_of(case.label) if subject.claim.clauses else ()
    return Task(case.label, ground, bounds, open_rows, proved, timeout_s, clauses)


def _read(reply: Reply, case: Case) -> Answer:
    """The answer in a reply; a lost job is Unknown, a mistake of the user's is raised."""
    if reply.kind == "done":
        assert isinstance(reply.value, Answer)
        return reply.value
    if reply.kind == "failed" and isinstance(reply.value, UnsupportedOperator):
        raise reply.value
    text = reply.why
    if reply.kind == "failed" and isinstance(reply.value, IbpcError):
        text = _reason(reply.value)
    why = {"time-out": "time-out", "crashed": "the solver crashed"}
    return Answer(Unknown(f"{why.get(reply.kind, 'the solver failed')}: {text}"), case.proved)


def _reason(error: IbpcError) -> str:
    return "; ".join(one.problem for one in error.diagnostics)
