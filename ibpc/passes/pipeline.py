"""The one ordered pipeline, from the graph that was read to the graph that is lowered.

Every pass takes a lawful graph and gives a lawful graph with the same inputs, outputs and
function; it returns the same object where it has nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ibpc.errors import Diagnostic, PassFailed
from ibpc.graph import PASS_FAILED, broken_laws, print_graph
from ibpc.passes.batch_apart import batch_apart
from ibpc.passes.drop_dead import drop_dead
from ibpc.passes.drop_dropout import drop_dropout
from ibpc.passes.drop_identities import drop_identities
from ibpc.passes.fold_batch_norm import fold_batch_norm
from ibpc.passes.fold_constants import fold_constants
from ibpc.passes.free_batch import free_batch
from ibpc.passes.fuse_matmul_add import fuse_matmul_add
from ibpc.passes.infer_shapes import infer_shapes
from ibpc.passes.join_views import join_views
from ibpc.passes.open_quotients import open_quotients
from ibpc.passes.open_softmax import open_softmax
from ibpc.passes.transpose_weights import transpose_weights
from ibpc.passes.weigh_dead import weigh_dead

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.graph import Graph

Purpose = Literal["training", "evaluation"]


@dataclass(frozen=True, slots=True)
class Pass:
    """A rewrite with its name (as in the file, with dashes) and the purposes that it serves."""

    name: str
    run: Callable[[Graph], Graph]
    purposes: tuple[Purpose, ...] = ("training", "evaluation")


PIPELINE = (
    Pass("fold-constants", fold_constants),
    Pass("weigh-dead", weigh_dead),
    Pass("drop-dead", drop_dead),
    Pass("batch-apart", batch_apart),
    Pass("free-batch", free_batch),
    Pass("drop-dropout", drop_dropout, ("evaluation",)),
    Pass("join-views", join_views),
    Pass("drop-identities", drop_identities),
    Pass("fuse-matmul-add", fuse_matmul_add),
    Pass("fold-batch-norm", fold_batch_norm, ("evaluation",)),
    Pass("open-softmax", open_softmax, ("evaluation",)),
    Pass("open-quotients", open_quotients, ("evaluation",)),
    Pass("transpose-weights", transpose_weights, ("evaluation",)),
    Pass("drop-dead", drop_dead),
)


def prepare(
    graph: Graph,
    purpose: Purpose = "training",
    trace: Callable[[str, str], None] | None = None,
) -> Graph:
    """The graph after every pass that serves the purpose, in order, its law checked after each.

    `trace(name, text)` is told the printed graph as read and after each pass that changed it.
    Raises: PassFailed (E0890) where a pass breaks the law; ModelMistake and UnsupportedOperator
    for a network that cannot be used.
    """
    if trace is not None:
        trace("read", print_graph(graph))
    for step in PIPELINE:
        if purpose not in step.purposes:
            continue
        changed = step.run(graph)
        if changed is graph:
            continue
        _check(step, graph, changed)
        graph = changed
        if trace is not None:
            trace(step.name, print_graph(graph))
    shapes = infer_shapes(graph)
    if trace is not None:
        trace(f"ready for {purpose}", print_graph(graph, shapes))
    return graph


def _check(step: Pass, before: Graph, after: Graph) -> None:
    """The law holds, and the graph's inputs and outputs are what they were."""
    broken = list(broken_laws(after))
    if dict(before.inputs) != dict(after.inputs) or before.outputs != after.outputs:
        broken.append("the graph's inputs or outputs changed")
    if broken:
        problem = f"pass `{step.name}` broke the law of graph `{before.name}`: {broken[0]}"
        fix = "this is a bug in ibpc: please report it with the network's file"
        raise PassFailed(Diagnostic(PASS_FAILED, problem, fix=fix, notes=tuple(broken[1:4])))
