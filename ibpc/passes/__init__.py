"""Rewrites and analyses of the IR: one a file, and the one ordered pipeline."""

from ibpc.passes.batch_apart import batch_apart
from ibpc.passes.drop_dead import drop_dead
from ibpc.passes.drop_dropout import drop_dropout
from ibpc.passes.drop_identities import drop_identities
from ibpc.passes.elide import elide
from ibpc.passes.fold_batch_norm import fold_batch_norm
from ibpc.passes.fold_constants import fold_constants
from ibpc.passes.free_batch import free_batch
from ibpc.passes.fuse_matmul_add import fuse_matmul_add
from ibpc.passes.infer_shapes import infer_shapes, sites
from ibpc.passes.join_views import join_views
from ibpc.passes.open_quotients import open_quotients
from ibpc.passes.open_softmax import open_softmax
from ibpc.passes.pipeline import PIPELINE, Pass, Purpose, prepare
from ibpc.passes.transpose_weights import transpose_weights
from ibpc.passes.weigh_dead import weigh_dead

__all__ = [
    "PIPELINE",
    "Pass",
    "Purpose",
    "batch_apart",
    "drop_dead",
    "drop_dropout",
    "drop_identities",
    "elide",
    "fold_batch_norm",
    "fold_constants",
    "free_batch",
    "fuse_matmul_add",
    "infer_shapes",
    "join_views",
    "open_quotients",
    "open_softmax",
    "prepare",
    "sites",
    "transpose_weights",
    "weigh_dead",
]
