"""The adversarial polytope of one example in logit space, and the interval box around it.

Lines of polytope.jsonl in the fit's folder, at the start, every so many steps and at the end:

    {"step": 100, "datum": 3, "label": 1, "eps": 0.08, "labels": ["neg", "pos"],
     "center": [..], "lower": [..], "upper": [..], "samples": [[..], ..]}

`center`: the logits of the example; `samples`: those of points drawn uniformly from its box at the
largest radius that the schedule reaches, the same points at every step; `lower`, `upper`: interval
bounds of the logits over that box (Eq. 5, without elision). With `layers = all` there is also

     "layers": [{"name": "fc1", "lower": [..], "upper": [..], "least": [..], "most": [..]}, ..]

for the values before each activation: their interval bounds, and what the same points reach.

Source: Gowal et al. 2019, section 4.3 and Figure 4.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ibpc.language import Slot
from ibpc.training.records import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.training.records import Look

DRAWN = 2**35
"""The stream of the points: far from those of training."""

DIGITS = 6
"""Digits of a logit after the point: more than a plot shows."""


def facts(look: Look, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One line, but for its step."""
    import torch

    from ibpc.bounds import lower_forward
    from ibpc.data import datum_keys, derive, uniform
    from ibpc.sets import hull, radius
    from ibpc.training.inner import pre_activations, value_bounds

    datum, samples = arguments.get("datum", 0), arguments.get("samples", 1000)
    claim, kind = look.fit.claim, look.fit.net.input
    device = next(look.weights.parameters()).device
    x = torch.tensor(look.examples.pixels([datum]), device=device)
    eps = 0.0 if claim is None else radius(claim.set, look.largest)
    lower, upper = (x, x) if claim is None else hull(claim.set, kind, x, look.largest)
    key = derive(datum_keys(look.fit.seed, 0, torch.tensor([datum], device=device)), DRAWN)
    share = uniform(key, samples * prod(x.shape[1:])).reshape(samples, *x.shape[1:])
    with torch.no_grad():
        forward = lower_forward(look.graph, look.weights)
        bounds = value_bounds(look.graph, look.weights, (lower, upper))
        low, up = bounds[look.graph.outputs[0]]
        drawn = lower + (upper - lower) * share
        points = forward(drawn)
        center = forward(x)
        inner = pre_activations(look.graph) if arguments.get("layers") == "all" else ()
        layers = [_layer(look, name, bounds[name], drawn) for name in inner]
    labels = look.fit.net.output.labels
    return {
        "datum": datum,
        "label": int(look.examples.labels[datum]),
        "eps": eps,
        "labels": None if labels is None else list(labels),
        "center": _rounded(center[0]),
        "lower": _rounded(low[0]),
        "upper": _rounded(up[0]),
        "samples": [_rounded(point) for point in points],
        **({"layers": layers} if layers else {}),
    }


def _layer(look: Look, name: str, bounds: tuple[Any, Any], drawn: Any) -> dict[str, Any]:
    """One hidden value: its interval bounds over the box, and the range of the points drawn."""
    from dataclasses import replace

    from ibpc.bounds import lower_forward

    low, up = (side[0].flatten() for side in bounds)
    part = replace(look.graph, outputs=(name,))
    reached = lower_forward(part, look.weights)(drawn).flatten(1)
    sides = {"lower": low, "upper": up, "least": reached.amin(0), "most": reached.amax(0)}
    return {"name": name, **{side: _rounded(values) for side, values in sides.items()}}


def _rounded(logits: Any) -> list[float]:
    return [round(value, DIGITS) for value in logits.tolist()]


LOG = Log(
    word="polytope",
    slots=(
        Slot("network", "network", default="", positional=True, doc="the recipe's own"),
        Slot("layers", "word", default="logits", choices=("logits", "all"), doc="of which layers"),
        Slot("datum", "int", default=0, low=0, doc="which training example, counted from 0"),
        Slot("samples", "int", default=1000, low=1, high=100_000, doc="points of its box"),
        Slot("every", "int", default=100, low=1, doc="steps between two lines"),
    ),
    doc="logits of points around an example, and the interval box of these logits",
    source="Gowal et al. 2019, section 4.3 and Figure 4",
    facts=facts,
)
