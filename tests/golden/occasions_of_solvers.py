"""Bounds and solvers: what they cannot do, and numbers that prove nothing."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from occasion import occasion, said, small_graph, toy

from ibpc.bounds import Weights, lower_values, run_checked
from ibpc.claims import append_claim
from ibpc.errors import Span
from ibpc.graph import Graph, Node
from ibpc.language import Claim, InputSet, TensorType
from ibpc.milp import ClusterPool, cluster, encode, lp_bounds, prove_or_refute, solve
from ibpc.sets import outer_box, search
from ibpc.sets.lowering import ground

if TYPE_CHECKING:
    from pathlib import Path

HERE = Span("spec.ibp", 1, 1, 1, 2)
CLAIM = Claim("robust", InputSet("domain"), 2, (), True, False, "", HERE)
LOWER, UPPER = np.zeros((1, 2)), np.ones((1, 2))
UNIT = TensorType((2,), ((Fraction(0), Fraction(1)),))


def claimed(*nodes: Node, **constants: object) -> Graph:
    return append_claim(small_graph(*nodes, **constants), CLAIM)


@occasion("E0701")
def set_without_encoding(_: Path, __: Any) -> str:
    ball = ("ball(x0, eps), z", "intersect(A, ball(x0, eps)), z")
    union = "union(ball(x0, eps), ball(x0, 2 * eps))"
    changed = (ball[0], ball[1].replace("A", union))
    return said("check", toy(changed, ("by ibp", "by split(timeout = 1 s)")))


@occasion("E0702")
def argmax(_: Path, __: Any) -> None:
    graph = small_graph(Node("best", "ArgMax", ("x",), ("z",), {"axis": 1, "keepdims": 1}))
    lower_values(graph, Weights(graph))


@occasion("E0703")
def misspelt_operator(_: Path, __: Any) -> str:
    return said("ops", "Convolution")


@occasion("E0704")
def mip_of_a_smooth_network(_: Path, __: Any) -> str:
    smooth = ("    fc 4\n", "    fc 4\n    sigmoid\n")
    return said("check", toy(smooth, ("by ibp", "by ibp then mip(timeout = 10 s)")))


@occasion("E0710")
def crossed(_: Path, __: Any) -> None:
    program, _names = lower_values(small_graph(), Weights(small_graph(), torch.float64))
    run_checked(program, torch.tensor(UPPER), torch.tensor(LOWER))


@occasion("E0711")
def overflow(_: Path, __: Any) -> None:
    graph = small_graph(Node("grow", "Exp", ("x",), ("z",)))
    program, _names = lower_values(graph, Weights(graph, torch.float64))
    run_checked(program, torch.tensor(LOWER), torch.tensor(UPPER * 1000))


@occasion("E0712")
def outside_of_the_domain(_: Path, __: Any) -> None:
    outer_box(InputSet("ball", Fraction(1, 10)), UNIT, np.full(2, 3.0, dtype="f4"))


@occasion("E0713")
def no_domain(_: Path, __: Any) -> None:
    outer_box(InputSet("domain"), TensorType((2,)), np.zeros(2, dtype="f4"))


@occasion("E0714")
def picture_as_text(_: Path, __: Any) -> None:
    words = InputSet("choice", options=(("groups", ((0, 1),)), ("swaps", 1)))
    search(ground(words, TensorType((1, 2), UNIT.domain), np.full((1, 1, 2), 0.5, dtype="f4")))


@occasion("E0751")
def infinite_variable(_: Path, __: Any) -> None:
    encode(claimed(), 0, LOWER[0], UPPER[0] * np.inf, None)


@occasion("E0752")
def crossing_variable(_: Path, __: Any) -> None:
    encode(claimed(), 0, UPPER[0], LOWER[0], None)


@occasion("E0753")
def image_and_vector(_: Path, __: Any) -> None:
    node = Node("add", "Add", ("x", "y"), ("z",))
    graph = append_claim(Graph("small", {"x": (1, 2), "y": (1, 2)}, ("z",), (node,), {}), CLAIM)
    encode(graph, 0, LOWER[0], UPPER[0], None)


@occasion("E0754")
def smooth(_: Path, __: Any) -> None:
    graph = claimed(Node("wave", "Sin", ("x",), ("z",)))
    lp_bounds(graph, 0, LOWER[0], UPPER[0], None, [0], 10.0)


@occasion("E0755")
def dead_solver(_: Path, monkeypatch: Any) -> None:
    """A solver that calls every model infeasible."""
    monkeypatch.setattr(solve, "attempt", lambda *_, **__: solve.Attempt("infeasible"))
    prove_or_refute(claimed(), 0, LOWER[0], UPPER[0], None, [0], 10.0, to_optimality=True)


@occasion("E0756")
def misspelt_solver(_: Path, __: Any) -> None:
    prove_or_refute(claimed(), 0, LOWER[0], UPPER[0], None, [0], 10.0, solver="gurobbi")


@occasion("E0757")
def no_distributed(_: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    ClusterPool("module:function", {}, "tcp://127.0.0.1:1")


@occasion("E0758")
def stopped_workers(_: Path, monkeypatch: Any) -> None:
    """A scheduler that is there when the run begins, and then is not."""

    class Client:
        def submit(self, *_: Any, **__: Any) -> object:
            return object()

        def nthreads(self) -> dict[str, int]:
            raise OSError("Timed out trying to connect")

    monkeypatch.setattr(cluster, "connected", lambda _: Client())
    list(ClusterPool("module:function", {}, "tcp://127.0.0.1:1").run(iter(())))
