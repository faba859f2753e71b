"""How wide the bounds over the training examples' sets are, layer by layer.

Lines of bounds.jsonl in the fit's folder, at the start, every so many steps and at the end:

    {"step": 100, "eps": 0.08, "examples": 13, "layers": [{"name": "fc1", "width": 0.31}, ..]}

`width`: upper less lower bound at the largest radius that the schedule reaches (Eq. 5), the mean
over the units of the layer and over the first examples. The layers are the values before each
activation, and last the logits.

Source: Gowal et al. 2019, Eq. 5; section 4.3 (bounds that become tighter while training).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.training.records import Look


def facts(look: Look, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One line, but for its step."""
    import torch

    from ibpc.sets import hull, radius
    from ibpc.training.inner import pre_activations, value_bounds

    claim, kind = look.fit.claim, look.fit.net.input
    count = min(arguments.get("examples", 100), len(look.examples))
    device = next(look.weights.parameters()).device
    x = torch.tensor(look.examples.pixels(list(range(count))), device=device)
    box = (x, x) if claim is None else hull(claim.set, kind, x, look.largest)
    with torch.no_grad():
        bounds = value_bounds(look.graph, look.weights, box)
    names = (*pre_activations(look.graph), look.graph.outputs[0])
    layers = [{"name": name, "width": _width(*bounds[name])} for name in names]
    eps = 0.0 if claim is None else radius(claim.set, look.largest)
    return {"eps": eps, "examples": count, "layers": layers}


def _width(lower: Any, upper: Any) -> float:
    return float((upper - lower).double().mean())


LOG = Log(
    word="bounds",
    slots=(
        Slot("method", "word", default="ibp", choices=("ibp",), positional=True, doc="bounds"),
        Slot("examples", "int", default=100, low=1, high=10_000, doc="the first of the split"),
        Slot("every", "int", default=100, low=1, doc="steps between two lines"),
    ),
    doc="mean width of the bounds over the examples' sets, layer by layer",
    source="Gowal et al. 2019, section 4.3",
    facts=facts,
)
