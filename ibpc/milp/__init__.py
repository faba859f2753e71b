"""Exact answers by mixed-integer programming: encoding a graph, solving, and running many.

A graph with its claim becomes rows and columns (`encode`), once for an example. Each row of the
claim is then one model over python-mip: minimise the margin, which is minus the violation, and
stop as soon as its sign is known (`prove_or_refute`), or bound it by the linear relaxation
(`lp_bounds`). Solvers run in worker processes with hard limits (`WorkerPool`), or on a
Dask cluster (`ClusterPool`).

Sources: Tjeng, Xiao, Tedrake 2019, arXiv:1711.07356, section 4 (formulation); Gowal et al. 2019,
section 4 (time-out, then the LP relaxation). We differ in the sign stop, and in solving one model
for each row that bounds leave open instead of one that maximises over all classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibpc.milp.cluster import ClusterPool
    from ibpc.milp.encoder import ArrayEncoder
    from ibpc.milp.encoding import Encoding, write_lp
    from ibpc.milp.outcome import Outcome, RowOutcome
    from ibpc.milp.pool import Job, Pool, Reply, WorkerPool
    from ibpc.milp.relax import lp_bounds
    from ibpc.milp.solve import SOLVERS, TAU, TOLERANCE, prove_or_refute
    from ibpc.milp.walk import encode

__all__ = [
    "SOLVERS",
    "TAU",
    "TOLERANCE",
    "ArrayEncoder",
    "ClusterPool",
    "Encoding",
    "Job",
    "Outcome",
    "Pool",
    "Reply",
    "RowOutcome",
    "WorkerPool",
    "encode",
    "lp_bounds",
    "prove_or_refute",
    "write_lp",
]

_HOMES = {
    "SOLVERS": "solve",
    "TAU": "solve",
    "TOLERANCE": "solve",
    "ArrayEncoder": "encoder",
    "ClusterPool": "cluster",
    "Encoding": "encoding",
    "Job": "pool",
    "Outcome": "outcome",
    "Pool": "pool",
    "Reply": "pool",
    "RowOutcome": "outcome",
    "WorkerPool": "pool",
    "encode": "walk",
    "lp_bounds": "relax",
    "prove_or_refute": "solve",
    "write_lp": "encoding",
}


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first asked for: numpy and mip stay out of `ibpc check`."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ibpc.milp.{_HOMES[name]}"), name)
