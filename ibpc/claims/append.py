"""Append a claim to a network's graph, and find its parts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.claims.rows import claim_table
from ibpc.errors import Diagnostic, InternalError, ModelMistake
from ibpc.graph import Graph, Node, fresh_name

if TYPE_CHECKING:
    from ibpc.language import Claim

MANY_CLASSES = 64
"""An argmax claim over more classes than this keeps its rows implicit: no K (K-1) K table."""

_CLAIM_OPS = ("ibpc.ClaimRows", "ibpc.ArgmaxRows", "ibpc.ElidedRows")


def append_claim(graph: Graph, claim: Claim) -> Graph:
    """The network with its claim as the last node: `violation = C[label] z + d[label]`.

    Adds a graph input `label` (shape (1,), int64) and one node: "ibpc.ClaimRows" over (z, label,
    C, d), or for an argmax claim over many classes "ibpc.ArgmaxRows" over (z, label). Its value
    `violation` (batch, rows) becomes the only output. Where the claim reads the input, z is the
    output with the flat input behind it.

    Raises: ModelMistake where the network has several outputs or a claim already.
    Source: Gowal et al. 2019, Eq. 2 and 3; z is the network's output z_K.
    """
    if len(graph.outputs) != 1:
        raise ModelMistake(
            Diagnostic(
                "E0820",
                f"network `{graph.name}` has {len(graph.outputs)} outputs; a claim reads one",
                at=claim.span,
                fix="export the network with the claimed output alone",
            )
        )
    logits = graph.outputs[0]
    taken = {*graph.inputs, *graph.constants, *graph.producer, *(n.name for n in graph.nodes)}
    label, violation = fresh_name("label", taken), fresh_name("violation", taken)
    taken |= {label, violation}
    constants = dict(graph.constants)
    logits, reading = _with_input(graph, claim, taken)
    if claim.argmax and claim.size > MANY_CLASSES:
        node = Node(violation, "ibpc.ArgmaxRows", (logits, label), (violation,))
    else:
        matrix, offset = fresh_name("claim.C", taken), fresh_name("claim.d", taken)
        constants[matrix], constants[offset] = claim_table(claim)
        operands = (logits, label, matrix, offset)
        node = Node(violation, "ibpc.ClaimRows", operands, (violation,))
    return graph.replace(
        inputs={**graph.inputs, label: (1,)},
        outputs=(violation,),
        nodes=(*graph.nodes, *reading, node),
        constants=constants,
    )


def _with_input(graph: Graph, claim: Claim, taken: set[str]) -> tuple[str, tuple[Node, ...]]:
    """The value that the rows read, and the nodes that make it of the output and the input."""
    logits = graph.outputs[0]
    if not claim.inputs:
        return logits, ()
    if len(graph.inputs) != 1:
        raise ModelMistake(
            Diagnostic(
                "E0820",
                f"network `{graph.name}` has {len(graph.inputs)} inputs; the claim reads one",
                at=claim.span,
                fix="export the network with one input",
            )
        )
    (source,) = graph.inputs
    flat, joined = fresh_name("input_flat", taken), fresh_name("output_and_input", taken)
    return joined, (
        Node(flat, "Flatten", (source,), (flat,), {"axis": 1}),
        Node(joined, "Concat", (logits, flat), (joined,), {"axis": 1}),
    )


def claim_node(graph: Graph) -> Node:
    """The node that `append_claim` added (or that elision made of it)."""
    node = graph.producer.get(graph.outputs[0])
    if node is None or node.op not in _CLAIM_OPS:
        raise InternalError(f"graph `{graph.name}` carries no claim: append_claim comes first")
    return node


def label_name(graph: Graph) -> str:
    """The graph input that holds the labels of the claim."""
    return claim_node(graph).inputs[1]


def logits_name(graph: Graph) -> str:
    """The value z that the claim speaks of: the network's output (output 1 after elision)."""
    return graph.outputs[1] if len(graph.outputs) > 1 else claim_node(graph).inputs[0]
