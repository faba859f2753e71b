"""The programs that a graph lowers to.

Each is a `torch.fx.GraphModule` that shares the parameters of `weights`. Shapes: x, lower, upper
(batch, *dims); label (batch,) int64; a claim's rows (batch, rows).

Source: Gowal et al. 2019, Eq. 5 to 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.bounds.recorder import Recorder
from ibpc.claims import claim_node, label_name, logits_name
from ibpc.domains import Interval
from ibpc.errors import Diagnostic, ModelMistake
from ibpc.ops import operator
from ibpc.passes import sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.fx import GraphModule

    from ibpc.bounds.weights import Weights
    from ibpc.graph import Graph


def lower_forward(graph: Graph, weights: Weights, training: bool = False) -> GraphModule:
    """(x) -> output: the network itself.

    `training` takes the training form of BatchNormalization and Dropout. A graph with several
    inputs or outputs takes and gives them in order.
    """
    recorder = Recorder(graph, weights, sites(graph))
    for name in graph.inputs:
        recorder.clean[name] = recorder.input(name)
    recorder.walk_clean(training)
    found = tuple(recorder.clean[name] for name in graph.outputs)
    title = "The network: input to output."
    return recorder.finish(found[0] if len(found) == 1 else found, "Forward", title)


def lower_interval(graph: Graph, weights: Weights, roundoff: float = 0.0) -> GraphModule:
    """(lower, upper) -> (lower, upper) of the output, for every input in the box (Eq. 5).

    With `roundoff` u (of the weights' dtype) the bounds cover their own rounding errors.
    """
    recorder = Recorder(graph, weights, sites(graph))
    _seed_box(recorder, _only_input(graph), roundoff)
    recorder.walk_boxes()
    box = recorder.boxes[graph.outputs[0]]
    title = "Interval bounds: (lower, upper) of the input to (lower, upper) of the output."
    return recorder.finish((box.lower, box.upper), "IntervalBounds", title)


def lower_violation(graph: Graph, weights: Weights, roundoff: float = 0.0) -> GraphModule:
    """(lower, upper, label) -> upper bounds of C z + d over the box (Eq. 8; Eq. 9 if elided).

    Needs: a graph from `append_claim`, elided or not.
    """
    recorder = Recorder(graph, weights, sites(graph))
    _seed_box(recorder, _claimed_input(graph), roundoff)
    recorder.boxes[label_name(graph)] = recorder.input("label")
    recorder.walk_boxes()
    title = "Upper bounds of the claim's rows C z + d over the box (lower, upper)."
    return recorder.finish(recorder.boxes[graph.outputs[0]].upper, "ViolationBounds", title)


def lower_training(graph: Graph, weights: Weights, inner: Sequence[str] = ()) -> GraphModule:
    """(x, lower, upper, label) -> (logits, upper bounds of C z + d): both passes in one program.

    BatchNormalization takes its statistics from the clean pass, x. For each value in `inner` the
    centre and the radius of its box follow.
    Source: Gowal et al. 2019, Eq. 12 needs z_K and the worst case of Eq. 10.
    """
    recorder = Recorder(graph, weights, sites(graph))
    name = _claimed_input(graph)
    recorder.clean[name] = recorder.input("x")
    _seed_box(recorder, name, roundoff=0.0)
    label = recorder.input("label")
    recorder.clean[label_name(graph)] = recorder.boxes[label_name(graph)] = label
    recorder.walk_both()
    logits = recorder.clean[logits_name(graph)]
    bound = recorder.boxes[graph.outputs[0]].upper
    boxes = [recorder.boxes[name] for name in inner]
    sides = tuple(side for box in boxes for side in (box.center, box.radius))
    title = "Logits of x, and upper bounds of the claim's rows C z + d over the box (lower, upper)."
    return recorder.finish((logits, bound, *sides), "TrainingStep", title)


def lower_rows(graph: Graph, weights: Weights) -> GraphModule:
    """(x, label) -> C f(x) + d at points: what attacks climb."""
    recorder = Recorder(graph, weights, sites(graph))
    recorder.clean[_claimed_input(graph)] = recorder.input("x")
    recorder.clean[label_name(graph)] = recorder.input("label")
    recorder.walk_clean()
    title = "The claim's rows C f(x) + d at points."
    return recorder.finish(recorder.clean[graph.outputs[0]], "ClaimRows", title)


def lower_values(
    graph: Graph, weights: Weights, roundoff: float = 0.0
) -> tuple[GraphModule, tuple[str, ...]]:
    """(lower, upper) -> the bounds (lower, upper) of each value, flat; and the values' names.

    Nodes that look at a label (the claim) are left out.
    """
    if graph.producer[graph.outputs[0]].op.startswith("ibpc."):
        claim = claim_node(graph)
        inputs = {name: s for name, s in graph.inputs.items() if name != claim.inputs[1]}
        kept = tuple(node for node in graph.nodes if node is not claim)
        graph = graph.replace(nodes=kept, inputs=inputs, outputs=(logits_name(graph),))
    recorder = Recorder(graph, weights, sites(graph))
    _seed_box(recorder, _only_input(graph), roundoff)
    recorder.walk_boxes()
    boxes = {name: box for name, box in recorder.boxes.items() if isinstance(box, Interval)}
    bounds = tuple(bound for box in boxes.values() for bound in (box.lower, box.upper))
    title = "Interval bounds of every value: lower, upper, lower, upper, ..."
    return recorder.finish(bounds, "ValueBounds", title), tuple(boxes)


def needs_clean_pass(graph: Graph) -> bool:
    """Whether the interval pass in training takes statistics from the clean one (BatchNorm)."""
    return any(operator(node.op).joint is not None for node in graph.nodes)


def _seed_box(recorder: Recorder, name: str, roundoff: float) -> None:
    """Arguments `lower` and `upper`: the box of the input `name`."""
    lower, upper = recorder.input("lower"), recorder.input("upper")
    recorder.boxes[name] = Interval.from_bounds(lower, upper, roundoff)


def _claimed_input(graph: Graph) -> str:
    """The input that the claim's set bounds: the only one beside the label."""
    return _only_input(graph, skip=label_name(graph))


def _only_input(graph: Graph, skip: str = "") -> str:
    """The graph's input, where it has one; `skip` does not count."""
    names = [name for name in graph.inputs if name != skip]
    if len(names) != 1:
        raise ModelMistake(
            Diagnostic(
                "E0821",
                f"network `{graph.name}` has {len(names)} inputs; a box bounds one",
                fix="export the network with one input",
            )
        )
    return names[0]
